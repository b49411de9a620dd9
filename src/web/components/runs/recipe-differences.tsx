// Which fields of their recipes make several runs what they are.
import { useMemo, type ReactElement } from "react";
import type { RunDetails } from "../../../server/api-types.ts";
import { differences } from "./differences.ts";
import { useTrainingWords } from "./words.ts";

export function RecipeDifferences({
  runs,
}: {
  readonly runs: readonly (RunDetails & { readonly slot: number })[];
}): ReactElement {
  const { tt } = useTrainingWords();
  const rows = useMemo(() => differences(runs.map(({ recipe }) => recipe)), [runs]);
  return (
    <section className="differences" aria-label={tt("differs")}>
      <header>
        <h2>{tt("differs")}</h2>
      </header>
      {rows.length === 0 ? (
        <p className="run-note">{tt("sameRecipe")}</p>
      ) : (
        <div className="differences-table">
          <table>
            <thead>
              <tr>
                <th aria-hidden="true" />
                {runs.map(({ name, slot }) => (
                  <th key={name} scope="col" className={`slot-${slot + 1} line`}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ field, values }) => (
                <tr key={field}>
                  <th scope="row">{field}</th>
                  {values.map((value, i) => (
                    <td key={runs[i].name}>{value ?? "–"}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
