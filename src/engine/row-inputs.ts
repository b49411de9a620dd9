// Fills the inputs of a program over rows alone (`traceRows`): sequences lie end to end, each from position 0, and see
// nothing of each other.
import type { Program } from "../device/executor.ts";
import { type Model, fillRopes, patchColumns } from "../models/index.ts";
import { ropeStage } from "../nn/index.ts";

/** A sequence, as a model without a cache reads it. */
export type RowSequence = TextRows | ImageRows;

interface AskedRows {
  /** The rows that reach the head, counted in the sequence; default: none. */
  readonly outputs?: readonly number[] | undefined;
}

export interface TextRows extends AskedRows {
  readonly ids: ArrayLike<number>;
  /** Which of its texts each id belongs to; absent: there is one. */
  readonly segments?: ArrayLike<number> | undefined;
  readonly patches?: undefined;
}

export interface ImageRows extends AskedRows {
  /** (T, K), after a row that stands for the whole image. */
  readonly patches: Float32Array;
  readonly ids?: undefined;
  readonly segments?: undefined;
}

/** How many rows it has. */
export const rowsIn = ({ imageFormat }: Pick<Model, "imageFormat">, { ids = [], patches }: RowSequence): number =>
  imageFormat === undefined ? ids.length : (patches?.length ?? 0) / patchColumns(imageFormat);

/** Extents of a run. */
export type RowExtents = Readonly<Record<"rows" | "outputRows", number>>;

/** Sets what the program reads; the caller sees to it that all of it is within the program's bounds. */
export function setRows(
  model: Pick<Model, "ropes" | "imageFormat">,
  { inputs }: Pick<Program, "inputs">,
  sequences: readonly RowSequence[],
): RowExtents {
  let [first, outputRows] = [0, 0];
  for (const sequence of sequences) {
    const { ids, patches, segments, outputs = [] } = sequence;
    const length = rowsIn(model, sequence);
    const end = first + length;
    if (ids !== undefined) inputs.ids?.set(ids, first);
    if (patches !== undefined) inputs.patches?.set(patches, first * (patches.length / length));
    if (segments === undefined) inputs.segments?.fill(0, first, end);
    else inputs.segments?.set(segments, first);
    const positions = Int32Array.from({ length }, (_, i) => i);
    inputs.positions?.set(positions, first);
    fillRopes(model, inputs, positions, ropeStage(model.ropes, length), first);
    inputs.starts?.fill(first, first, end);
    inputs.ends?.fill(end, first, end);
    for (const row of outputs) {
      if (inputs.outputRows !== undefined) inputs.outputRows[outputRows] = first + row;
      outputRows++;
    }
    first = end;
  }
  return { rows: first, outputRows };
}
