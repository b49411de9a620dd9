// Which pieces of documents lie in which batch: whole pieces by best fit, or one stream cut every `rows` rows. An epoch
// holds every piece once. Its batches are a pure function of (seed, epoch), and their number of the lengths alone.
//
// Best fit: pieces in a random order go each into the fullest batch that still has room. That is done once and gives the
// batches' shape; in every epoch the pieces of one length trade places, and the batches too. Longest first would fill
// batches a little better, but with pieces of one length, which makes steps unlike each other.
import type { Pieces as AllOfPieces } from "./pieces.ts";
import { shuffle, shuffled, streams } from "./shuffle.ts";

/** What is packed: how many rows each has. */
export type Pieces = Pick<AllOfPieces, "count" | "rows" | "totalRows">;

export type PackingMethod = "best-fit" | "stream";

/** Batch b holds slots starts[b] … starts[b + 1] - 1; a slot is `rows` rows of a piece from its row `offsets` on. */
export interface EpochPlan {
  readonly starts: Uint32Array;
  readonly pieces: Uint32Array;
  readonly offsets: Uint32Array;
  readonly rows: Uint32Array;
}

export interface Packing {
  readonly batchesOfEpoch: number;
  /** Share of the batches' rows that are in use. */
  readonly utilisation: number;
  /** The batches of an epoch, from 0. */
  epoch(number: number): EpochPlan;
}

/** Packs pieces into batches of at most `rows` rows, of which no piece has more. `seed` undefined: in the order they have. */
export function createPacking(pieces: Pieces, rows: number, method: PackingMethod, seed: number | undefined): Packing {
  const plan = method === "stream" ? streamPlans(pieces, rows, seed) : bestFitPlans(pieces, rows, seed);
  return { ...plan, utilisation: pieces.count === 0 ? 0 : pieces.totalRows / (plan.batchesOfEpoch * rows) };
}

type Plans = Pick<Packing, "batchesOfEpoch" | "epoch">;

function streamPlans(pieces: Pieces, rows: number, seed: number | undefined): Plans {
  const batchesOfEpoch = Math.ceil(pieces.totalRows / rows);
  return {
    batchesOfEpoch,
    epoch(number) {
      const order = orderOf(pieces.count, seed, streams.pieces + number);
      const slots = pieces.count + batchesOfEpoch;
      const plan = { pieces: new Uint32Array(slots), offsets: new Uint32Array(slots), rows: new Uint32Array(slots) };
      const starts = new Uint32Array(batchesOfEpoch + 1);
      let [slot, batch, used] = [0, 0, 0];
      for (const piece of order) {
        for (let offset = 0; offset < pieces.rows[piece];) {
          const count = Math.min(rows - used, pieces.rows[piece] - offset);
          plan.pieces[slot] = piece;
          plan.offsets[slot] = offset;
          plan.rows[slot++] = count;
          offset += count;
          used += count;
          if (used < rows) continue;
          starts[++batch] = slot;
          used = 0;
        }
      }
      starts[batchesOfEpoch] = slot;
      return { starts, ...plan };
    },
  };
}

function bestFitPlans(pieces: Pieces, rows: number, seed: number | undefined): Plans {
  const order = orderOf(pieces.count, seed, streams.shape);
  const batchOf = bestFit(pieces.rows, order, rows);
  const batchesOfEpoch = batchOf.reduce((most, batch) => Math.max(most, batch + 1), 0);
  // slots by batch, in the order in which they were filled
  const starts = countsToStarts(batchOf, batchesOfEpoch);
  const slotPieces = new Uint32Array(pieces.count);
  const next = starts.slice();
  for (const piece of order) slotPieces[next[batchOf[piece]]++] = piece;
  const slotRows = slotPieces.map((piece) => pieces.rows[piece]);
  const lengthStarts = countsToStarts(pieces.rows, rows + 1);
  const byLength = new Uint32Array(pieces.count);
  const nextOfLength = lengthStarts.slice();
  for (let piece = 0; piece < pieces.count; piece++) byLength[nextOfLength[pieces.rows[piece]]++] = piece;

  return {
    batchesOfEpoch,
    epoch(number) {
      if (seed === undefined)
        return { starts, pieces: slotPieces, offsets: new Uint32Array(pieces.count), rows: slotRows };
      const traded = byLength.slice();
      for (let length = 1; length <= rows; length++) {
        shuffle(traded, lengthStarts[length], lengthStarts[length + 1], seed, streams.pieces + number);
      }
      const taken = lengthStarts.slice();
      const filled = slotRows.map((length) => traded[taken[length]++]);
      return reordered(
        { starts, pieces: filled, rows: slotRows },
        shuffled(batchesOfEpoch, seed, streams.batches + number),
      );
    },
  };
}

const orderOf = (count: number, seed: number | undefined, stream: number): Uint32Array =>
  seed === undefined ? Uint32Array.from({ length: count }, (_, i) => i) : shuffled(count, seed, stream);

/** Where each value's run begins when `values` are sorted, and the end. */
function countsToStarts(values: Uint32Array, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1);
  for (const value of values) starts[value + 1]++;
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i];
  return starts;
}

/** The batches in another order. */
function reordered(plan: Omit<EpochPlan, "offsets">, order: Uint32Array): EpochPlan {
  const starts = new Uint32Array(plan.starts.length);
  const pieces = new Uint32Array(plan.pieces.length);
  const rows = new Uint32Array(plan.rows.length);
  for (const [batch, from] of order.entries()) {
    const [first, end] = [plan.starts[from], plan.starts[from + 1]];
    pieces.set(plan.pieces.subarray(first, end), starts[batch]);
    rows.set(plan.rows.subarray(first, end), starts[batch]);
    starts[batch + 1] = starts[batch] + end - first;
  }
  return { starts, pieces, offsets: new Uint32Array(pieces.length), rows };
}

/** The batch of each item: items in `order`, each into the fullest batch with room for it, else a new one. */
export function bestFit(sizes: Uint32Array, order: Uint32Array, capacity: number): Uint32Array {
  const batchOf = new Uint32Array(sizes.length);
  // batches by the room that they have left, as stacks: the top of each, and what lies under a batch
  const top = new Int32Array(capacity + 1).fill(-1);
  const under: number[] = [];
  const hasRoom = new Uint32Array((capacity >>> 5) + 1); // a bit where a stack is not empty

  /** The least room from `least` on that a batch has; -1 for none. */
  const leastRoom = (least: number): number => {
    for (let word = least >>> 5; word < hasRoom.length; word++) {
      const bits = word === least >>> 5 ? hasRoom[word] & (-1 << (least & 31)) : hasRoom[word];
      if (bits !== 0) return word * 32 + (31 - Math.clz32(bits & -bits));
    }
    return -1;
  };
  for (const item of order) {
    const size = sizes[item];
    const found = leastRoom(size);
    const batch = found < 0 ? under.push(-1) - 1 : top[found];
    if (found >= 0) {
      top[found] = under[batch];
      if (top[found] < 0) hasRoom[found >>> 5] &= ~(1 << (found & 31));
    }
    const room = (found < 0 ? capacity : found) - size;
    under[batch] = top[room];
    top[room] = batch;
    if (room > 0) hasRoom[room >>> 5] |= 1 << (room & 31);
    batchOf[item] = batch;
  }
  return batchOf;
}
