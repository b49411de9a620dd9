// The charts of the runs on show, and how they are drawn: over steps, tokens or time, how smooth, on which scale.
import { useMemo, useState, type ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useTheme } from "../../hooks/use-theme.ts";
import type { Axis } from "../../state/run-curves.ts";
import { runStore } from "../../state/runs.ts";
import { Chart } from "./chart.tsx";
import { kindsFor, linesOf, valueAt, type ChartKind, type DrawnRun } from "./curves.ts";
import { Choice } from "./choice.tsx";
import { useTrainingWords, type TrainingWords } from "./words.ts";

interface Looks {
  readonly axis: Axis;
  readonly log: boolean;
  readonly smoothing: number;
}

const HEIGHT_PX = { wide: 300, narrow: 170 };
const initial: Looks = { axis: "step", log: false, smoothing: 0.9 };

export function Charts(): ReactElement {
  const { tt, decimal, integer } = useTrainingWords();
  const [looks, setLooks] = useState(initial);
  const { shown, curves, version } = useStore(runStore, (state) => state);
  const runs = useMemo(
    () =>
      shown.flatMap(({ name, slot }): DrawnRun[] => {
        const own = curves.get(name);
        return own === undefined ? [] : [{ name, slot, curves: own }];
      }),
    [shown, curves, version],
  );
  const kinds = useMemo(() => kindsFor(runs), [runs]);
  const change = (part: Partial<Looks>): void => setLooks({ ...looks, ...part });
  return (
    <section className="charts" aria-label={tt("runs")}>
      <div className="chart-tools">
        <Choice
          label={tt("across")}
          value={looks.axis}
          choices={{ step: tt("steps"), tokens: tt("tokens"), ms: tt("time") }}
          onChoose={(axis) => change({ axis })}
        />
        <Choice
          label={tt("scale")}
          value={looks.log ? "log" : "linear"}
          choices={{ linear: tt("linear"), log: tt("log") }}
          onChoose={(scale) => change({ log: scale === "log" })}
        />
        <label className="smoothing">
          {tt("smoothing")}
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={looks.smoothing}
            onChange={(event) => change({ smoothing: Number(event.target.value) })}
          />
          <output className="number">{decimal(looks.smoothing, 2)}</output>
        </label>
        <span className="zoom-hint">{tt("zoomHint")}</span>
      </div>
      <div className="chart-grid">
        {kinds.map((kind) => (
          <Figure key={kind.name} kind={kind} runs={runs} looks={looks} />
        ))}
      </div>
      {runs.map(({ name, curves: { leftOut } }) =>
        leftOut.length === 0 ? null : (
          <p key={name} className="left-out">
            {runs.length > 1 && `${name}: `}
            {tt("leftOut", { count: integer(leftOut.length), step: integer(leftOut.at(-1)!) })}
          </p>
        ),
      )}
    </section>
  );
}

/** How values on the x axis are written. */
function formatX(axis: Axis, { short, longTime }: TrainingWords): (value: number) => string {
  return axis === "ms" ? (minutes) => longTime(minutes * 60_000) : short;
}

interface FigureProps {
  readonly kind: ChartKind;
  readonly runs: readonly DrawnRun[];
  readonly looks: Looks;
}

/** A chart under its title, with each run's value under the cursor, or else the newest. */
function Figure({ kind, runs, looks: { axis, log, smoothing } }: FigureProps): ReactElement | null {
  const words = useTrainingWords();
  const { tt, short, decimal, language } = words;
  const theme = useTheme();
  const [x, setX] = useState<number>();
  const lines = useMemo(() => linesOf(kind, runs, axis, smoothing), [kind, runs, axis, smoothing]);
  const values = lines.filter(({ looks }) => looks !== "faint");
  if (lines.length === 0) return null;
  const title = typeof kind.title === "object" ? kind.title.measure : tt(kind.title);
  const [across, digits] = [formatX(axis, words), 4];
  const format = (value: number): string => (value >= 1e4 ? short(value) : decimal(value, digits));
  return (
    <figure className={kind.wide === true ? "figure wide" : "figure"}>
      <figcaption>
        <h3>{title}</h3>
        <span className="unit">{tt(kind.unit)}</span>
        <ul className="readout">
          {x !== undefined && (
            <li className="number place">{axis === "step" ? tt("step", { step: across(x) }) : across(x)}</li>
          )}
          {values.map((line) => {
            const value = valueAt(line, x);
            return (
              <li
                key={`${line.run} ${line.quantity}`}
                className={`number slot-${line.slot + 1} ${line.looks}`}
                title={line.run}
              >
                {value === undefined ? "–" : format(value)}
              </li>
            );
          })}
        </ul>
      </figcaption>
      <Chart
        lines={lines}
        label={title}
        heightPx={kind.wide === true ? HEIGHT_PX.wide : HEIGHT_PX.narrow}
        log={log && kind.log === true}
        shape={[theme, language, axis, ...lines.map(({ run, slot, looks }) => `${run} ${slot} ${looks}`)].join("|")}
        formatX={across}
        formatY={short}
        onPlace={setX}
      />
    </figure>
  );
}
