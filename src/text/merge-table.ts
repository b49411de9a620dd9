// Which pairs of symbols merge, into what, and in which order: (left id, right id) → (rank, merged id), an open-addressing
// hash table in one typed array. Filled up front from a list of merges, or pair by pair on first sight through `resolve`
// (vocabularies that give only scores or ranks of whole tokens), or so at first, and as a whole once many pairs were asked
// for: a prompt meets a few hundred of the 150,000 pairs that a list has. Not here: the merging (bpe-merge.ts).
import { UnsupportedError } from "../base/errors.ts";

/** Answers a pair seen for the first time: its rank and merged id, or undefined when it does not merge. */
export type ResolvePair = (left: number, right: number) => readonly [rank: number, merged: number] | undefined;

/** Row of a pair that does not merge. */
export const NO_MERGE = -1;

const STRIDE = 4; // left, right, rank, merged: one probe touches 16 bytes
const EMPTY = -1;
const MISSING_RANK = -1;
const FILTER_MASK = (1 << 17) - 1; // words of 32 bits: 512 kB, which a core's second cache holds
/** The merger's heap holds rank and place in one double: 53 bits, of which a place takes 31. */
export const RANK_MAX = 2 ** 22 - 1;
// Pairs remembered for `resolve`; at the limit they are forgotten, so memory stays under 32 MB on any text.
const RESOLVED_LIMIT = 1 << 20;
/** Pairs that are asked for one by one, a microsecond each, before all are added, which takes as long as 50,000 of them. */
const FILL_AT = 20_000;

export class MergeTable {
  rows: Int32Array;
  #mask: number;
  /** One bit a pair, at its hash: most pairs do not merge, and are turned away without touching the large table. */
  readonly #filter = new Int32Array(FILTER_MASK + 1);
  #count = 0;
  #resolve: ResolvePair | undefined;
  #fill: ((table: MergeTable) => void) | undefined;
  readonly #expected: number;

  /** Room for `expected` pairs; it grows beyond by itself. `fill`: adds all pairs that merge, as `resolve` has them. */
  constructor(expected: number, resolve?: ResolvePair, fill?: (table: MergeTable) => void) {
    this.#expected = expected;
    this.rows = emptyRows(fill === undefined ? expected : 0);
    this.#mask = this.rows.length / STRIDE - 1;
    this.#resolve = resolve;
    this.#fill = fill;
  }

  /**
   * Adds a pair; of equal pairs the first stays (the lower rank in a list of merges). Throws UnsupportedError for a rank
   * above RANK_MAX: the largest vocabularies known have a tenth of that.
   */
  add(left: number, right: number, rank: number, merged: number): void {
    if (rank > RANK_MAX) {
      throw new UnsupportedError(`The tokenizer has a merge of rank ${rank}, Liang takes ranks up to ${RANK_MAX}.`);
    }
    const hash = hashOf(left, right);
    this.#filter[(hash >>> 5) & FILTER_MASK] |= 1 << (hash & 31);
    let row = (hash & this.#mask) * STRIDE;
    while (this.rows[row] !== EMPTY) {
      if (this.rows[row] === left && this.rows[row + 1] === right) return;
      row = (row + STRIDE) & (this.#mask * STRIDE + STRIDE - 1);
    }
    this.rows[row] = left;
    this.rows[row + 1] = right;
    this.rows[row + 2] = rank;
    this.rows[row + 3] = merged;
    if (++this.#count > this.#mask * 0.7) this.#grow();
  }

  /** The row of a pair, or NO_MERGE: `rows[row + 2]` is its rank, `rows[row + 3]` the merged id. */
  find(left: number, right: number): number {
    const hash = hashOf(left, right);
    if (this.#resolve === undefined && (this.#filter[(hash >>> 5) & FILTER_MASK] & (1 << (hash & 31))) === 0)
      return NO_MERGE;
    const { rows } = this;
    const last = this.#mask * STRIDE + STRIDE - 1;
    let row = (hash & this.#mask) * STRIDE;
    for (;;) {
      const found = rows[row];
      if (found === left && rows[row + 1] === right) return rows[row + 2] === MISSING_RANK ? NO_MERGE : row;
      if (found === EMPTY) break;
      row = (row + STRIDE) & last;
    }
    return this.#resolve === undefined ? NO_MERGE : this.#learn(left, right, this.#resolve);
  }

  #learn(left: number, right: number, resolve: ResolvePair): number {
    if (this.#fill !== undefined && this.#count >= FILL_AT) {
      this.#complete(this.#fill);
      return this.find(left, right);
    }
    if (this.#count >= RESOLVED_LIMIT) {
      this.rows.fill(EMPTY);
      this.#count = 0;
    }
    const [rank, merged] = resolve(left, right) ?? [MISSING_RANK, 0];
    this.add(left, right, rank, merged);
    return this.find(left, right);
  }

  #complete(fill: (table: MergeTable) => void): void {
    this.#resolve = undefined;
    this.#fill = undefined;
    this.rows = emptyRows(this.#expected);
    this.#mask = this.rows.length / STRIDE - 1;
    this.#count = 0;
    this.#filter.fill(0);
    fill(this);
  }

  #grow(): void {
    const old = this.rows;
    this.rows = new Int32Array(old.length * 2).fill(EMPTY);
    this.#mask = this.rows.length / STRIDE - 1;
    this.#count = 0;
    for (let row = 0; row < old.length; row += STRIDE) {
      if (old[row] !== EMPTY) this.add(old[row], old[row + 1], old[row + 2], old[row + 3]);
    }
  }
}

function emptyRows(expected: number): Int32Array {
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 1.6)));
  return new Int32Array(capacity * STRIDE).fill(EMPTY);
}

function hashOf(left: number, right: number): number {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
  return hash ^ (hash >>> 15);
}
