// All runs: which are on show and in which colour, how far each is, and how well it does.
import type { ReactElement } from "react";
import type { RunOverview } from "../../../server/api-types.ts";
import type { TrainingKey } from "../../i18n/training.ts";
import { useStore } from "../../hooks/use-store.ts";
import { SHOWN_MAX, focusRun, runStore, showOnly, toggleRun } from "../../state/runs.ts";
import { formatParameters } from "../../state/format.ts";
import { useTrainingWords } from "./words.ts";

const STATES = { running: "running", done: "done", stopped: "stopped" } as const satisfies Record<
  RunOverview["state"],
  TrainingKey
>;

export function RunTable({ list }: { readonly list: readonly RunOverview[] }): ReactElement {
  const { tt, integer } = useTrainingWords();
  const { shown, focus } = useStore(runStore, (state) => state);
  const isFull = shown.length === SHOWN_MAX;
  return (
    <div className="run-table">
      <table>
        <thead>
          <tr>
            <th scope="col">{tt("run")}</th>
            <th scope="col">{tt("progress")}</th>
            <th scope="col" className="figures">
              {tt("trainLoss")}
            </th>
            <th scope="col" className="figures">
              {tt("heldOut")}
            </th>
            <th scope="col" className="figures more">
              {tt("speed")}
            </th>
            <th scope="col" className="figures more">
              {tt("weights")}
            </th>
            <th scope="col" className="figures more">
              {tt("started")}
            </th>
          </tr>
        </thead>
        <tbody>
          {list.map((run) => (
            <RunRow
              key={run.name}
              run={run}
              slot={shown.find(({ name }) => name === run.name)?.slot}
              isFocus={shown.length > 1 && run.name === focus}
              isFull={isFull}
            />
          ))}
        </tbody>
      </table>
      {isFull && <p className="run-note">{tt("tooMany", { count: integer(SHOWN_MAX) })}</p>}
    </div>
  );
}

interface RunRowProps {
  readonly run: RunOverview;
  /** undefined: it is not on show. */
  readonly slot: number | undefined;
  readonly isFocus: boolean;
  readonly isFull: boolean;
}

function RunRow({ run, slot, isFocus, isFull }: RunRowProps): ReactElement {
  const { tt, decimal, short, language } = useTrainingWords();
  const { name, stage, loss, validation, tokensPerSecond, parameters, startedAt } = run;
  const figure = (value: number | null): string => (value === null ? "–" : decimal(value, 4));
  const started = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  }).format(new Date(startedAt));
  const isShown = slot !== undefined;
  return (
    <tr className={isFocus ? "run-row focus" : "run-row"} aria-current={isFocus || undefined}>
      <th scope="row">
        <input
          type="checkbox"
          className={isShown ? `slot-${slot + 1}` : ""}
          checked={isShown}
          disabled={!isShown && isFull}
          aria-label={tt("show", { name })}
          onChange={() => toggleRun(name)}
        />
        <button
          type="button"
          title={tt("showOnly", { name })}
          onClick={() => (isShown ? focusRun(name) : showOnly(name))}
          onDoubleClick={() => showOnly(name)}
        >
          <span className="run-name">{name}</span>
          <span className="run-stage">{stage}</span>
        </button>
      </th>
      <td>
        <Progress run={run} />
      </td>
      <td className="figures number">{figure(loss)}</td>
      <td className="figures number">{figure(validation)}</td>
      <td className="figures number more">{tokensPerSecond === null ? "–" : short(tokensPerSecond)}</td>
      <td className="figures number more">{formatParameters(parameters)}</td>
      <td className="figures number more">{started}</td>
    </tr>
  );
}

function Progress({ run: { state, step, steps, leftMs, trainedMs } }: Pick<RunRowProps, "run">): ReactElement {
  const { tt, longTime, integer } = useTrainingWords();
  const isRunning = state === "running";
  const time =
    isRunning && leftMs !== null
      ? tt("left", { time: longTime(leftMs) })
      : tt("trainedFor", { time: longTime(trainedMs) });
  return (
    <div className={`progress ${state}`}>
      <div className="progress-words">
        {isRunning && <span className="live-dot" aria-hidden="true" />}
        <span>{tt(STATES[state])}</span>
        <span className="number">
          {integer(step)}/{integer(steps)}
        </span>
        <span className="number time">{time}</span>
      </div>
      <div className="bar-track" aria-hidden="true">
        <div className="bar-fill" style={{ transform: `scaleX(${Math.min(1, step / steps)})` }} />
      </div>
    </div>
  );
}
