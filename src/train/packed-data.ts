// Documents of ids → micro-batches: long ones cut into pieces, pieces packed end to end, micro-batches in another order
// each epoch. All in memory. Not here: where documents come from (prepared-data.ts).
import { createHash } from "node:crypto";
import { UsageError } from "../base/errors.ts";
import { philox } from "../base/random.ts";
import type { MicroBatch } from "./trainer.ts";
import type { TrainingData } from "./training-data.ts";

/** A document as a model reads it. */
export interface EncodedDocument {
  readonly ids: ArrayLike<number>;
  /** What predicting each id counts, 0 or 1; the first one's is never asked. Absent: 1. */
  readonly weights?: ArrayLike<number>;
}

export interface PackOptions {
  /** Longest piece of a document, in tokens read. */
  readonly window: number;
  /** Tokens of a micro-batch, at most. */
  readonly rows: number;
  readonly batchesPerStep: number;
  readonly seed: number;
}

/** Stream of random numbers that orders micro-batches; an epoch's is this plus its number. */
const ORDER_STREAM = 2 ** 24;
/** Stream that orders documents before they are packed, so that what was neighbours in files is not in batches. */
const MIX_STREAM = ORDER_STREAM - 1;

/** Where a piece's tokens are: `count` targets of a document, from the id after `first` on. */
interface Piece {
  readonly document: number;
  readonly first: number;
  readonly count: number;
}

/** Throws UsageError where there is nothing to learn. `validationBytes`: as TrainingData has it. */
export function packedData(
  train: readonly EncodedDocument[],
  held: readonly EncodedDocument[],
  options: PackOptions,
  validationBytes?: number,
): TrainingData {
  const { batchesPerStep, seed } = options;
  const mixed = permutation(train.length, seed, MIX_STREAM).map((i) => train[i]);
  const batches = pack(mixed, options);
  if (batches.length === 0) throw new UsageError("The training data has no token to learn.");
  const heldBatches = pack(held, options);
  let order = { epoch: -1, of: [] as number[] };
  const batchAt = (place: number): MicroBatch => {
    const epoch = Math.floor(place / batches.length);
    if (epoch !== order.epoch) order = { epoch, of: permutation(batches.length, seed, ORDER_STREAM + epoch) };
    return microBatch(mixed, batches[order.of[place % batches.length]]);
  };
  return {
    hash: hashOf(train, held),
    batchesOfEpoch: batches.length,
    batches: (step) => Array.from({ length: batchesPerStep }, (_, i) => batchAt(step * batchesPerStep + i)),
    *validation() {
      for (const pieces of heldBatches) yield microBatch(held, pieces);
    },
    validationBytes,
  };
}

/** Numbers 0 to n - 1 in a random order (Fisher and Yates; Durstenfeld 1964). */
export function permutation(n: number, seed: number, stream: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const [random] = philox(seed, stream, i);
    const other = Math.floor((random / 2 ** 32) * (i + 1));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

/** Pieces in the order of documents, each whole in one micro-batch; those that teach nothing are left out. */
function pack(documents: readonly EncodedDocument[], { window, rows }: PackOptions): Piece[][] {
  const batches: Piece[][] = [];
  let room = 0;
  for (const [document, { ids, weights }] of documents.entries()) {
    for (let first = 0; first < ids.length - 1; first += window) {
      const count = Math.min(window, ids.length - 1 - first);
      if (weights !== undefined && !hasTarget(weights, first + 1, count)) continue;
      if (count > room) {
        batches.push([]);
        room = rows;
      }
      batches[batches.length - 1].push({ document, first, count });
      room -= count;
    }
  }
  return batches;
}

function hasTarget(weights: ArrayLike<number>, first: number, count: number): boolean {
  for (let i = first; i < first + count; i++) if (weights[i] > 0) return true;
  return false;
}

function microBatch(documents: readonly EncodedDocument[], pieces: readonly Piece[]): MicroBatch {
  const total = pieces.reduce((sum, { count }) => sum + count, 0);
  const [ids, positions, starts] = [new Int32Array(total), new Int32Array(total), new Int32Array(total)];
  const learnt: { row: number; target: number; weight: number }[] = [];
  let row = 0;
  for (const { document, first, count } of pieces) {
    const { ids: all, weights } = documents[document];
    const start = row;
    for (let i = 0; i < count; i++, row++) {
      ids[row] = all[first + i];
      positions[row] = i;
      starts[row] = start;
      const weight = weights?.[first + i + 1] ?? 1;
      if (weight > 0) learnt.push({ row, target: all[first + i + 1], weight });
    }
  }
  return {
    ids,
    positions,
    starts,
    outputRows: Int32Array.from(learnt, ({ row }) => row),
    targets: Int32Array.from(learnt, ({ target }) => target),
    weights: Float32Array.from(learnt, ({ weight }) => weight),
  };
}

function hashOf(...splits: readonly (readonly EncodedDocument[])[]): string {
  const hash = createHash("sha256");
  for (const documents of splits) {
    hash.update(`${documents.length}\n`);
    for (const { ids, weights } of documents) {
      hash.update(new Uint8Array(Int32Array.from(ids).buffer));
      hash.update(weights === undefined ? "all\n" : new Uint8Array(Float32Array.from(weights).buffer));
    }
  }
  return hash.digest("hex");
}
