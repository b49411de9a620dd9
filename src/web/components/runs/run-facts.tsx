// What a run is: its checkpoints, each a button to a conversation with it, its facts, its data and its recipe.
import type { ReactElement, ReactNode } from "react";
import type { RunData, RunDetails } from "../../../server/api-types.ts";
import { modelStore, loadModel, refreshModels } from "../../state/models.ts";
import { openConversation } from "../../state/conversation.ts";
import { formatParameters } from "../../state/format.ts";
import { asApiError, requestText } from "../../api/client.ts";
import { runStore } from "../../state/runs.ts";
import { saveAsFile } from "../parts/save-as-file.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { useTrainingWords } from "./words.ts";

/** How many checkpoints are told; the newest ones. */
const SHOWN = 12;

async function saveReport(name: string): Promise<void> {
  try {
    const html = await requestText(`runs/${encodeURIComponent(name)}/report`);
    saveAsFile(`${name}.html`, html, "text/html");
  } catch (error) {
    runStore.set({ error: asApiError(error) });
  }
}

/** A new conversation with a checkpoint. */
function chatWith(model: string): void {
  modelStore.set({ chosen: model });
  void openConversation(null);
  void refreshModels()
    .catch(() => undefined) // an unreachable server shows by itself
    .then(() => loadModel(model));
}

export function Checkpoints({ run: { name, checkpoints } }: { readonly run: RunDetails }): ReactElement {
  const { tt, integer } = useTrainingWords();
  const newest = checkpoints.toReversed();
  return (
    <section className="checkpoints" aria-label={tt("checkpoints")}>
      <header>
        <h2>{tt("checkpoints")}</h2>
      </header>
      {newest.length === 0 && <p className="run-note">{tt("noCheckpoints")}</p>}
      <ul>
        {newest.slice(0, SHOWN).map(({ step, model }, i) => (
          <li key={step}>
            <span className="number">{tt("step", { step: integer(step) })}</span>
            {model !== null && (
              <button
                type="button"
                className={i === 0 ? "button primary" : "button"}
                aria-label={tt("chatWith", { step: integer(step), name })}
                onClick={() => chatWith(model)}
              >
                {i === 0 ? tt("chatNewest") : tt("chat")}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function RunFacts({ run }: { readonly run: RunDetails }): ReactElement {
  const { t, tt, short } = useTrainingWords();
  const { stage, parameters, tier, precision, code, recipe, data } = run;
  const { tokens } = (recipe["batch"] ?? {}) as { tokens?: number };
  const commit = code.commit === undefined ? "" : ` (${code.commit.slice(0, 10)})`;
  return (
    <section className="run-facts" aria-label={tt("facts")}>
      <header>
        <h2>{tt("facts")}</h2>
      </header>
      <dl>
        <Fact name={tt("stage")}>{stage}</Fact>
        <Fact name={tt("parameters")}>{formatParameters(parameters)}</Fact>
        <Fact name={tt("tokens")}>{short(run.tokens)}</Fact>
        {tokens !== undefined && <Fact name={tt("perStep")}>{short(tokens)}</Fact>}
        {run.validation !== null && <Fact name={tt("perplexity")}>{short(Math.exp(run.validation))}</Fact>}
        <Fact name={tt("precision")}>{`${tier}, ${precision}`}</Fact>
        <Fact name={tt("program")}>{`${code.version}${commit}`}</Fact>
      </dl>
      <h3>{tt("dataCard")}</h3>
      {data === null ? <p className="run-note">{tt("noCard")}</p> : <DataFacts data={data} />}
      <dl>
        <Fact name={tt("dataHash")}>
          <code title={run.dataHash}>{run.dataHash.slice(0, 16)}</code>
        </Fact>
      </dl>
      <button type="button" className="button" onClick={() => void saveReport(run.name)}>
        {tt("report")}
      </button>
      <details>
        <summary>{tt("recipe")}</summary>
        <div className="recipe">
          <CopyButton text={JSON.stringify(recipe, null, 2)} label={t("copy")} />
          <pre>
            <code>{JSON.stringify(recipe, null, 2)}</code>
          </pre>
        </div>
      </details>
    </section>
  );
}

function DataFacts({ data }: { readonly data: RunData }): ReactElement {
  const { tt, short, bytes } = useTrainingWords();
  const { documents, characters, duplicates, sources } = data;
  const split = ({ train, validation }: RunData["documents"]): string =>
    tt("trainAndHeld", { train: short(train), validation: short(validation) });
  return (
    <dl>
      <Fact name={tt("documents")}>{split(documents)}</Fact>
      <Fact name={tt("characters")}>{split(characters)}</Fact>
      <Fact name={tt("duplicates")}>
        {tt("duplicatesOf", { exact: short(duplicates.exact), near: short(duplicates.near) })}
      </Fact>
      {sources.map(({ path, bytes: size, sha256, licence }) => (
        <Fact key={path} name={path.split("/").at(-1)!}>
          {bytes(size)} · {licence ?? tt("noLicence")} · <code title={sha256}>{sha256.slice(0, 8)}</code>
        </Fact>
      ))}
    </dl>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
