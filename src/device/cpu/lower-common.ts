// What the rows of the table share: emitting one step for one value, how its parts are counted,
// what is known of a weight.
import type { ScoreTables, Tensor } from "../../graph/index.ts";
import type { Kernel } from "../../lanes/index.ts";
import type { Lowering } from "./lowering.ts";
import { type PackedFormat, packedFormat } from "./packed-layouts.ts";
import { type Count, type Word, countOf, partsOf } from "./step.ts";

/**
 * Elements that make a part worth claiming, of cheap work: they take about a microsecond, a claim 0.1 (bench/threads.ts).
 * With 1024 and 16384 prompts and tokens take as long (bench/model.ts, 270 million weights, 2 threads).
 */
export const LEAST_ELEMENTS = 4096;

/** A row of the table: adds the steps that compute `node`. */
export type Lower = (node: Tensor, lowering: Lowering) => void;

/** One step whose words are `words` and the node's own place as `out`. */
export function emit(
  lowering: Lowering,
  node: Tensor,
  kernel: Kernel,
  words: Readonly<Record<string, Word>>,
  parts: { of: Count; least: number },
): void {
  lowering.step({
    kernel,
    words: { ...words, out: lowering.place(node) },
    parts: partsOf(parts.of, parts.least),
  });
}

export const columnsOf = (tensor: Tensor): number => tensor.shape[1] as number;

/** Parts of a step that goes element by element. */
export const chunks = (node: Tensor) => ({ of: countOf(node.shape), least: LEAST_ELEMENTS });

/** A file's weight: its packed format, outputs M and columns K. */
export function weightOf(
  weight: Tensor,
  lowering: Lowering,
): { readonly packed: PackedFormat; readonly outer: number; readonly columns: number } {
  const { format, rows, columns } = lowering.stored(weight);
  return { packed: packedFormat(format), outer: rows, columns };
}

/** What kernels of attention are told of the tables that are added to scores. */
export const tableWordsOf = ({ bias, sinks }: ScoreTables, lowering: Lowering) => ({
  bias: bias === undefined ? 0 : lowering.place(bias),
  distances: bias === undefined ? 0 : columnsOf(bias),
  sinks: sinks === undefined ? 0 : lowering.place(sinks),
});
