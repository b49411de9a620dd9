// What a run's model says, over time: a slider over the looks, from the first to the newest.
import { useState, type ReactElement } from "react";
import type { Samples } from "../../state/run-curves.ts";
import { IconButton } from "../parts/icon-button.tsx";
import { useTrainingWords } from "./words.ts";

/** Shorter spans are words that any text has. */
const COPIED_MIN = 5;
const NONE: readonly Samples[] = [];

/** Stays at the newest look while nobody chose another. */
export function SamplesView({ samples = NONE }: { readonly samples: readonly Samples[] | undefined }): ReactElement {
  const { t, tt, integer } = useTrainingWords();
  const [chosen, setChosen] = useState<number>();
  const last = samples.length - 1;
  const at = Math.min(chosen ?? last, last);
  const look = samples[at];
  const choose = (index: number): void => setChosen(index >= last ? undefined : Math.max(0, index));
  return (
    <section className="samples" aria-label={tt("samples")}>
      <header>
        <h2>{tt("samples")}</h2>
        {look !== undefined && (
          <span className="number">
            {tt("step", { step: integer(look.step) })}
            {at === last && last > 0 && ` · ${tt("newest")}`}
          </span>
        )}
      </header>
      {look === undefined ? (
        <p className="run-note">{tt("noSamples")}</p>
      ) : (
        <>
          {last > 0 && (
            <div className="sample-slider">
              <IconButton icon="left" label={t("previousVersion")} disabled={at === 0} onClick={() => choose(at - 1)} />
              <input
                type="range"
                min={0}
                max={last}
                value={at}
                aria-label={tt("sampleStep", { step: "" })}
                aria-valuetext={tt("sampleStep", { step: integer(look.step) })}
                onChange={(event) => choose(Number(event.target.value))}
              />
              <IconButton icon="right" label={t("nextVersion")} disabled={at === last} onClick={() => choose(at + 1)} />
            </div>
          )}
          <ul className="sample-cards">
            {look.samples.map((sample, i) => (
              <SampleCard key={i} sample={sample} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function SampleCard({
  sample: { prompt, text, copied },
}: {
  readonly sample: Samples["samples"][number];
}): ReactElement {
  const { tt, integer } = useTrainingWords();
  const isTold = copied != null && copied.characters >= COPIED_MIN;
  const at = isTold ? text.indexOf(copied.text) : 0;
  return (
    <li>
      <p>
        <span className="prompt">{prompt}</span>
        {isTold ? (
          <>
            {text.slice(0, at)}
            <mark>{copied.text}</mark>
            {text.slice(at + copied.text.length)}
          </>
        ) : (
          text
        )}
      </p>
      {isTold && (
        <small>{tt("copiedSpan", { count: integer(copied.characters), from: copied.from.split("/").at(-1)! })}</small>
      )}
    </li>
  );
}
