// Which charts there are, and the lines that each draws of a run. Pure. Not here: drawing (chart.tsx).
import { smooth } from "../../../base/smooth.ts";
import type { TrainingKey } from "../../i18n/training.ts";
import type { Axis, Column, RunCurves } from "../../state/run-curves.ts";
import type { Line } from "./chart.tsx";

/** A quantity that is measured in runs. */
export interface Quantity {
  /** undefined: this run does not measure it. */
  readonly of: (curves: RunCurves) => Column | undefined;
  /** "often": at each step, smoothed; "seldom": a value now and then, with a dot. */
  readonly measured: "often" | "seldom" | "exact";
}

export interface ChartKind {
  readonly name: string;
  /** A sentence of the page, or the name that a measure has in the objective. */
  readonly title: TrainingKey | { readonly measure: string };
  readonly unit: TrainingKey;
  /** The first one is what the values beside the title are of. */
  readonly quantities: readonly Quantity[];
  readonly wide?: boolean;
  /** Whether the choice of a logarithmic scale is meant for it. */
  readonly log?: boolean;
}

export const chartKinds: readonly ChartKind[] = [
  {
    name: "loss",
    title: "lossTitle",
    unit: "lossUnit",
    wide: true,
    log: true,
    quantities: [
      { of: ({ loss }) => loss, measured: "often" },
      { of: ({ validation }) => validation, measured: "seldom" },
    ],
  },
  {
    name: "rate",
    title: "rateTitle",
    unit: "rateUnit",
    quantities: [{ of: ({ rate }) => rate, measured: "exact" }],
  },
  {
    name: "norm",
    title: "normTitle",
    unit: "normUnit",
    log: true,
    quantities: [{ of: ({ norm }) => norm, measured: "often" }],
  },
  {
    name: "speed",
    title: "speedTitle",
    unit: "speedUnit",
    quantities: [{ of: ({ speed }) => speed, measured: "often" }],
  },
  {
    name: "bits",
    title: "bitsTitle",
    unit: "bitsUnit",
    quantities: [{ of: ({ bitsPerByte }) => bitsPerByte, measured: "seldom" }],
  },
  {
    name: "probes",
    title: "probesTitle",
    unit: "probesUnit",
    quantities: [{ of: ({ probes }) => probes, measured: "seldom" }],
  },
  {
    name: "copied",
    title: "copiedTitle",
    unit: "copiedUnit",
    quantities: [{ of: ({ copied }) => copied, measured: "seldom" }],
  },
];

/** The charts for these runs: those above, and one for each measure of their objectives. */
export function kindsFor(runs: readonly DrawnRun[]): ChartKind[] {
  const names = new Set(runs.flatMap(({ curves }) => [...curves.measures.keys()]));
  const measured = [...names].map((name): ChartKind => ({
    name: `measure ${name}`,
    title: { measure: name },
    unit: "measureUnit",
    quantities: [
      { of: ({ measures }) => measures.get(name)?.train, measured: "often" },
      { of: ({ measures }) => measures.get(name)?.held, measured: "seldom" },
    ],
  }));
  return [...chartKinds, ...measured];
}

export interface DrawnRun {
  readonly name: string;
  readonly slot: number;
  readonly curves: RunCurves;
}

/** Hours would be too coarse and milliseconds too long: time is drawn in minutes. */
const MINUTE_MS = 60_000;

const xOf = ({ places }: Column, axis: Axis): readonly number[] =>
  axis === "ms" ? places.ms.map((ms) => ms / MINUTE_MS) : places[axis];

export interface DrawnLine extends Line {
  readonly run: string;
  readonly quantity: number;
}

/** The lines of a chart; a quantity that was never measured has none. */
export function linesOf(
  { quantities }: ChartKind,
  runs: readonly DrawnRun[],
  axis: Axis,
  smoothing: number,
): DrawnLine[] {
  return runs.flatMap(({ name, slot, curves }) =>
    quantities.flatMap(({ of, measured }, quantity): DrawnLine[] => {
      const column = of(curves);
      if (column === undefined || column.values.length === 0) return [];
      const line = { x: xOf(column, axis), slot, run: name, quantity };
      if (measured === "seldom") return [{ ...line, y: column.values, looks: "dots" }];
      if (measured === "exact" || smoothing === 0) return [{ ...line, y: column.values, looks: "line" }];
      return [
        { ...line, y: column.values, looks: "faint" },
        { ...line, y: smooth(column.values, smoothing), looks: "line" },
      ];
    }),
  );
}

/** The value at `x` or the last one before it; without `x` the newest. undefined: nothing was measured by then. */
export function valueAt({ x: places, y }: Pick<Line, "x" | "y">, x: number | undefined): number | undefined {
  if (x === undefined) return y.at(-1);
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return y[low - 1];
}
