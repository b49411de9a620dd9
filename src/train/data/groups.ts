// Documents that belong together (a pair of answers, a query and its passage) in batches that hold groups whole: nothing of
// them is cut. Batch `index` is a pure function of (seed, index), for ever. Not here: the rows that they become
// (stages/group-batch.ts).
import { UsageError } from "../../base/errors.ts";
import { lastPlans } from "./batches.ts";
import { createPacking } from "./packing.ts";
import { shuffled, streams } from "./shuffle.ts";
import { type TokenStore, documentsOf } from "./token-store.ts";

export interface GroupOptions {
  /** Documents of a group, which lie one after the other in the store. */
  readonly members: number;
  /** Most rows of a batch, and of one document: a group with a longer one is left out. */
  readonly rows: number;
  readonly window: number;
  /** Which of them are read, by their places in the group; and whether a group is of use that lacks one of these. */
  readonly uses: readonly number[];
  readonly needs: "all" | "any";
  /** Groups of every batch, drawn at random; undefined: as many as fit best. */
  readonly perBatch?: number | undefined;
  /** Undefined: in the order of the store. */
  readonly seed?: number;
}

export interface Groups {
  /** Numbers of the groups that are learnt, in order: group g is the documents from g * members on. */
  readonly groups: Uint32Array;
  /** Groups that are not, since a document is longer than the window, or since they are of no use. */
  readonly tooLong: number;
  readonly noUse: number;
  readonly batchesOfEpoch: number;
  /** The groups of the batch at `index`, from 0; epoch follows epoch. */
  at(index: number): Uint32Array;
}

/** Rows that a document takes: up to the last token that is learnt. */
export function rowsOfDocument({ firstSpans, spans }: TokenStore, document: number): number {
  const end = firstSpans[document + 1];
  return firstSpans[document] === end ? 0 : spans[2 * end - 1];
}

/** Throws UsageError where a batch could not hold what it must. */
export function createGroups(store: TokenStore, options: GroupOptions): Groups {
  const { members, rows, window, uses, needs, perBatch = 1 } = options;
  const least = perBatch * uses.length * window;
  if (least > rows) {
    throw new UsageError(
      `batch.rows is ${rows}, expected at least ${least}: ${perBatch} times ${uses.length} of batch.window, ${window}.`,
      { field: "batch.rows" },
    );
  }
  const kept: number[] = [];
  const sizes: number[] = [];
  let [tooLong, noUse] = [0, 0];
  for (let group = 0; group < documentsOf(store) / members; group++) {
    const lengths = uses.map((place) => rowsOfDocument(store, group * members + place));
    const there = lengths.filter((length) => length > 0).length;
    if (there < (needs === "all" ? uses.length : 1)) noUse++;
    else if (lengths.some((length) => length > window)) tooLong++;
    else {
      kept.push(group);
      sizes.push(lengths.reduce((a, b) => a + b, 0));
    }
  }
  const groups = Uint32Array.from(kept);
  const planned =
    kept.length < perBatch
      ? NONE
      : options.perBatch === undefined
        ? bestFit(sizes, options)
        : drawn(kept.length, perBatch, options.seed);
  return { groups, tooLong, noUse, ...planned, at: (index) => planned.at(index).map((place) => groups[place]) };
}

type Planned = Pick<Groups, "batchesOfEpoch" | "at">;
const NONE: Planned = { batchesOfEpoch: 0, at: () => new Uint32Array() };

function bestFit(sizes: readonly number[], { rows, seed }: GroupOptions): Planned {
  const totalRows = sizes.reduce((a, b) => a + b, 0);
  const pieces = { count: sizes.length, rows: Uint32Array.from(sizes), totalRows };
  const packing = createPacking(pieces, rows, "best-fit", seed);
  const planOf = lastPlans(packing);
  const { batchesOfEpoch } = packing;
  return {
    batchesOfEpoch,
    at(index) {
      const epoch = Math.floor(index / batchesOfEpoch);
      const { starts, pieces: places } = planOf(epoch);
      const batch = index - epoch * batchesOfEpoch;
      return places.slice(starts[batch], starts[batch + 1]);
    },
  };
}

/** What is left over at an epoch's end is not learnt in it; in the next it is another rest. */
function drawn(count: number, perBatch: number, seed: number | undefined): Planned {
  const batchesOfEpoch = Math.floor(count / perBatch);
  let known = -1;
  let order: Uint32Array = new Uint32Array();
  return {
    batchesOfEpoch,
    at(index) {
      const epoch = Math.floor(index / batchesOfEpoch);
      if (epoch !== known) {
        order =
          seed === undefined
            ? Uint32Array.from({ length: count }, (_, i) => i)
            : shuffled(count, seed, streams.pieces + epoch);
        known = epoch;
      }
      const first = (index - epoch * batchesOfEpoch) * perBatch;
      return order.slice(first, first + perBatch);
    },
  };
}
