// What was measured in a run as columns that charts draw: made from lines of metrics as they come. Pure. Not here: fetching
// them (runs.ts), drawing (components/runs/).
import type { RunMetric } from "../../server/api-types.ts";

export interface Samples {
  readonly step: number;
  readonly samples: readonly Extract<RunMetric, { readonly type: "sample" }>[];
}

/** Steps, tokens and milliseconds so far: what a chart may have on its x axis. */
export interface Places {
  readonly step: number[];
  readonly tokens: number[];
  readonly ms: number[];
}
export type Axis = keyof Places;

/** Columns of equal length, and where each row lies. */
export interface Column {
  readonly places: Places;
  readonly values: number[];
}

export interface RunCurves {
  readonly loss: Column;
  readonly norm: Column;
  readonly rate: Column;
  /** Tokens a second. */
  readonly speed: Column;
  /** The loss of what is held out. */
  readonly validation: Column;
  /** The same in bits a byte; empty where the data does not tell bytes. */
  readonly bitsPerByte: Column;
  /** Share of the probes that were answered right. */
  readonly probes: Column;
  /** Characters of the longest span that a look's samples have from the training texts. */
  readonly copied: Column;
  /** What else the objective measures, by name: at each step, and of what is held out. */
  readonly measures: Map<string, { readonly train: Column; readonly held: Column }>;
  readonly samples: Samples[];
  /** Steps that were left out. */
  readonly leftOut: number[];
  tokens: number;
  ms: number;
}

const places = (): Places => ({ step: [], tokens: [], ms: [] });
const column = (at: Places = places()): Column => ({ places: at, values: [] });

export function emptyCurves(): RunCurves {
  const steps = places(); // one for all that is measured at each step
  return {
    loss: column(steps),
    norm: column(steps),
    rate: column(steps),
    speed: column(steps),
    validation: column(),
    bitsPerByte: column(),
    probes: column(),
    copied: column(),
    measures: new Map(),
    samples: [],
    leftOut: [],
    tokens: 0,
    ms: 0,
  };
}

/** Takes in lines that follow those which came before. */
export function addMetrics(curves: RunCurves, metrics: readonly RunMetric[]): void {
  for (const metric of metrics) {
    const { step } = metric;
    switch (metric.type) {
      case "step": {
        curves.tokens += metric.tokens;
        curves.ms += metric.ms;
        place(curves.loss.places, step, curves);
        curves.loss.values.push(metric.loss);
        curves.norm.values.push(metric.norm);
        curves.rate.values.push(metric.rate);
        curves.speed.values.push((1000 * metric.tokens) / metric.ms);
        putMeasures(curves, "train", step, metric.measures);
        break;
      }
      case "validation":
        if ("loss" in metric) {
          put(curves.validation, step, metric.loss, curves);
          putMeasures(curves, "held", step, metric.measures);
          break;
        }
        put(curves.validation, step, metric.nats_per_token, curves);
        if (metric.bits_per_byte !== undefined) put(curves.bitsPerByte, step, metric.bits_per_byte, curves);
        break;
      case "sample": {
        const last = curves.samples.at(-1);
        if (last?.step === step)
          curves.samples[curves.samples.length - 1] = { step, samples: [...last.samples, metric] };
        else curves.samples.push({ step, samples: [metric] });
        if (metric.copied !== undefined) longest(curves.copied, step, metric.copied?.characters ?? 0, curves);
        break;
      }
      case "probes":
        put(curves.probes, step, metric.right / metric.questions, curves);
        break;
      case "left-out":
        curves.leftOut.push(step);
        break;
      case "checkpoint":
        break;
      default:
        // a newer program may write lines that this page does not know
        metric satisfies never;
    }
  }
}

function putMeasures(
  curves: RunCurves,
  of: "train" | "held",
  step: number,
  measures: Readonly<Record<string, number>> = {},
): void {
  for (const [name, value] of Object.entries(measures)) {
    const both = curves.measures.get(name) ?? { train: column(), held: column() };
    curves.measures.set(name, both);
    put(both[of], step, value, curves);
  }
}

/** The largest of a step's values. */
function longest(to: Column, step: number, value: number, so: { readonly tokens: number; readonly ms: number }): void {
  const last = to.values.length - 1;
  if (to.places.step[last] === step) to.values[last] = Math.max(to.values[last], value);
  else put(to, step, value, so);
}

function put(to: Column, step: number, value: number, so: { readonly tokens: number; readonly ms: number }): void {
  place(to.places, step, so);
  to.values.push(value);
}

function place(to: Places, step: number, { tokens, ms }: { readonly tokens: number; readonly ms: number }): void {
  to.step.push(step);
  to.tokens.push(tokens);
  to.ms.push(ms);
}
