// A micro-batch and how a program runs over it.
import { UsageError } from "../base/errors.ts";
import type { InputArray, Program } from "../device/executor.ts";
import { type Model, fillRopes } from "../models/index.ts";
import { ropeStage } from "../nn/index.ts";

/** Documents end to end. N tokens, M of them reach the head, E elements of the loss. */
export interface MicroBatch {
  /** (N) each. `starts`: the first row of the row's document. */
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly starts: Int32Array;
  /** (M). */
  readonly outputRows: Int32Array;
  /** (E): what the loss of each element counts: 1, or 0 to 1 where some count less. */
  readonly weights: Float32Array;
  /** What else the objective reads: `targets` (M), ... */
  readonly [input: string]: InputArray;
}

/** Made one after the other, at once or as they are asked for. */
export type MicroBatches = Iterable<MicroBatch> | AsyncIterable<MicroBatch>;

/**
 * Runs a program over a batch. Throws UsageError where the batch lacks an input that the program reads, unless absent ones
 * are to be zeros.
 */
export async function runBatch(
  model: Pick<Model, "ropes">,
  program: Program,
  batch: MicroBatch,
  signal?: AbortSignal,
  absent: "refused" | "zeros" = "refused",
): Promise<void> {
  turnDocuments(model, program, batch);
  const ropes = new Set(model.ropes.flatMap(({ name }) => [`rope.${name}.cos`, `rope.${name}.sin`]));
  for (const [name, into] of Object.entries(program.inputs)) {
    if (ropes.has(name)) continue;
    const values = (batch as Readonly<Record<string, InputArray | undefined>>)[name] ?? following[name]?.(batch);
    if (values !== undefined) into.set(values);
    else if (absent === "zeros") into.fill(0);
    else throw new UsageError(`The batch has no input ${name}, which the objective reads.`, { field: name });
  }
  const rows = batch.ids.length;
  const extents = {
    rows,
    outputRows: batch.outputRows.length,
    elements: batch.weights.length,
    ...sourceExtents(rows, batch["source.ids"]),
  };
  await program.run(extents, signal);
}

/** Of a batch with sources, which models with an encoder read. */
const sourceExtents = (rows: number, sources: InputArray | undefined) =>
  sources && { sourceRows: sources.length, joinedRows: sources.length + rows };

/** What follows from a batch where it does not say it: documents are one text each, and end where the next begins. */
const following: Readonly<Record<string, (batch: MicroBatch) => Int32Array>> = {
  segments: ({ ids }) => new Int32Array(ids.length),
  ends({ starts }) {
    const ends = new Int32Array(starts.length);
    for (let row = starts.length - 1; row >= 0; row--) {
      const isLast = row === starts.length - 1 || starts[row + 1] !== starts[row];
      ends[row] = isLast ? row + 1 : ends[row + 1];
    }
    return ends;
  },
};

/** Each document's rows have the angles of a sequence of its length. */
function turnDocuments(model: Pick<Model, "ropes">, { inputs }: Program, { positions, starts }: MicroBatch): void {
  for (let first = 0, end: number; first < starts.length; first = end) {
    end = first + 1;
    while (end < starts.length && starts[end] === starts[first]) end++;
    const stage = ropeStage(model.ropes, positions[end - 1] + 1);
    fillRopes(model, inputs, positions.subarray(first, end), stage, first);
  }
}
