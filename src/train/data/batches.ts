// Packed batches of a token store, by position: batch `index` is a pure function of (seed, index), for ever. Documents lie
// end to end and never see each other. Not here: which documents lie together (packing.ts).
import { UsageError } from "../../base/errors.ts";
import { type EpochPlan, type Packing, type PackingMethod, createPacking } from "./packing.ts";
import { type Pieces, cutIntoPieces } from "./pieces.ts";
import type { TokenStore } from "./token-store.ts";

/** N rows, at most what was asked for: the last rows of a batch that nothing fills are not there. */
export interface PackedBatch {
  /** (N) each. */
  readonly ids: Int32Array;
  /** The id after each; -1 where none is learnt. */
  readonly targets: Int32Array;
  /** 1 where the target is learnt, else 0. */
  readonly weights: Float32Array;
  /** From 0 in each document. */
  readonly positions: Int32Array;
  /** First row of the row's document, and the one after its last. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

export interface BatchOptions {
  /** Most rows of a batch. */
  readonly rows: number;
  /** Most rows of one document; longer ones are cut into pieces. Default: `rows`. */
  readonly window?: number;
  /** Default "best-fit". */
  readonly packing?: PackingMethod;
  /** Undefined: in the order of the store. */
  readonly seed?: number;
}

export interface PackingReport extends Omit<Pieces, "documents" | "offsets" | "rows"> {
  readonly batchesOfEpoch: number;
  readonly utilisation: number;
}

export interface Batches {
  readonly report: PackingReport;
  /** The batch at `index`, from 0; epoch follows epoch. */
  at(index: number): PackedBatch;
  /** The batches of epoch 0. */
  once(): Generator<PackedBatch>;
}

/** Throws UsageError where the window is longer than a batch, or nothing in the store can be learnt. */
export function createBatches(store: TokenStore, options: BatchOptions): Batches {
  const { rows, window = rows, packing: method = "best-fit", seed } = options;
  if (!(window >= 1 && window <= rows)) {
    throw new UsageError(`The window is ${window} rows, expected 1 to those of a batch, ${rows}.`, { field: "window" });
  }
  const pieces = cutIntoPieces(store, window);
  if (pieces.count === 0) throw new UsageError(`${store.path} has no token to learn.`, { field: "data" });
  const packing = createPacking(pieces, rows, method, seed);
  const { documents: _, offsets: __, rows: ___, ...facts } = pieces;
  const planOf = lastPlans(packing);
  const at = (index: number): PackedBatch => {
    const epoch = Math.floor(index / packing.batchesOfEpoch);
    return fill(store, pieces, planOf(epoch), index - epoch * packing.batchesOfEpoch);
  };
  return {
    report: { ...facts, batchesOfEpoch: packing.batchesOfEpoch, utilisation: packing.utilisation },
    at,
    *once() {
      for (let index = 0; index < packing.batchesOfEpoch; index++) yield at(index);
    },
  };
}

/** Plans are made anew for an epoch; the last two stay, for steps between epochs. */
export function lastPlans(packing: Packing): (epoch: number) => EpochPlan {
  const kept = new Map<number, EpochPlan>();
  return (epoch) => {
    const plan = kept.get(epoch) ?? packing.epoch(epoch);
    kept.set(epoch, plan);
    for (const oldest of kept.keys()) if (kept.size > 2 && oldest !== epoch) kept.delete(oldest);
    return plan;
  };
}

function fill(store: TokenStore, pieces: Pieces, plan: EpochPlan, batch: number): PackedBatch {
  const [firstSlot, slotsEnd] = [plan.starts[batch], plan.starts[batch + 1]];
  let size = 0;
  for (let slot = firstSlot; slot < slotsEnd; slot++) size += plan.rows[slot];
  const result: PackedBatch = {
    ids: new Int32Array(size),
    targets: new Int32Array(size).fill(-1),
    weights: new Float32Array(size),
    positions: new Int32Array(size),
    starts: new Int32Array(size),
    ends: new Int32Array(size),
  };
  let first = 0;
  for (let slot = firstSlot; slot < slotsEnd; slot++) {
    const piece = plan.pieces[slot];
    const rows = plan.rows[slot];
    const document = pieces.documents[piece];
    const offset = pieces.offsets[piece] + plan.offsets[slot]; // token of the document in the slot's first row
    const base = store.starts[document] + offset;
    for (let row = 0; row < rows; row++) {
      result.ids[first + row] = store.ids[base + row];
      result.positions[first + row] = row;
    }
    result.starts.fill(first, first, first + rows);
    result.ends.fill(first + rows, first, first + rows);
    for (let span = store.firstSpans[document]; span < store.firstSpans[document + 1]; span++) {
      const from = Math.max(store.spans[2 * span] - 1 - offset, 0);
      const to = Math.min(store.spans[2 * span + 1] - 1 - offset, rows);
      for (let row = from; row < to; row++) {
        result.targets[first + row] = store.ids[base + row + 1];
        result.weights[first + row] = 1;
      }
    }
    first += rows;
  }
  return result;
}
