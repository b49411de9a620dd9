// A micro-batch and how a program runs over it.
import { UsageError } from "../base/errors.ts";
import type { InputArray, Program } from "../device/executor.ts";
import type { Model } from "../models/index.ts";
import { ropeRows } from "../nn/index.ts";

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
  { ropes }: Pick<Model, "ropes">,
  program: Program,
  batch: MicroBatch,
  signal?: AbortSignal,
  absent: "refused" | "zeros" = "refused",
): Promise<void> {
  const left = new Map(Object.entries(program.inputs));
  for (const table of ropes) {
    const [cos, sin] = ["cos", "sin"].map((part) => left.get(`rope.${table.name}.${part}`));
    if (cos instanceof Float32Array && sin instanceof Float32Array) ropeRows(table, batch.positions, cos, sin);
    for (const part of ["cos", "sin"]) left.delete(`rope.${table.name}.${part}`);
  }
  for (const [name, into] of left) {
    const values = (batch as Readonly<Record<string, InputArray | undefined>>)[name];
    if (values !== undefined) into.set(values);
    else if (absent === "zeros") into.fill(0);
    else throw new UsageError(`The batch has no input ${name}, which the objective reads.`, { field: name });
  }
  const extents = { rows: batch.ids.length, outputRows: batch.outputRows.length, elements: batch.weights.length };
  await program.run(extents, signal);
}
