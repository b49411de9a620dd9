// Fills the inputs of a program over rows alone (`traceRows`): sequences lie end to end, each from position 0, and see
// nothing of each other.
import type { Program } from "../device/executor.ts";
import { type Model, fillRopes } from "../models/index.ts";
import { ropeStage } from "../nn/index.ts";

/** A sequence, as a model without a cache reads it. */
export interface RowSequence {
  readonly ids: ArrayLike<number>;
  /** Which of its texts each id belongs to; absent: there is one. */
  readonly segments?: ArrayLike<number> | undefined;
  /** The rows that reach the head, counted in the sequence; default: none. */
  readonly outputs?: readonly number[] | undefined;
}

/** Extents of a run. */
export type RowExtents = Readonly<Record<"rows" | "outputRows", number>>;

/** Sets what the program reads; the caller sees to it that all of it is within the program's bounds. */
export function setRows(
  model: Pick<Model, "ropes">,
  { inputs }: Pick<Program, "inputs">,
  sequences: readonly RowSequence[],
): RowExtents {
  const rows = sequences.reduce((sum, { ids }) => sum + ids.length, 0);
  let [first, outputRows] = [0, 0];
  for (const { ids, segments, outputs = [] } of sequences) {
    const end = first + ids.length;
    inputs.ids.set(ids, first);
    if (segments === undefined) inputs.segments?.fill(0, first, end);
    else inputs.segments?.set(segments, first);
    const positions = Int32Array.from({ length: ids.length }, (_, i) => i);
    inputs.positions?.set(positions, first);
    fillRopes(model, inputs, positions, ropeStage(model.ropes, ids.length), first);
    inputs.starts?.fill(first, first, end);
    inputs.ends?.fill(end, first, end);
    for (const row of outputs) {
      if (inputs.outputRows !== undefined) inputs.outputRows[outputRows] = first + row;
      outputRows++;
    }
    first = end;
  }
  return { rows, outputRows };
}
