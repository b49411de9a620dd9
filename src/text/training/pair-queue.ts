// Which pair merges next: of all rows the one of the highest count, of equal counts the smaller left symbol, then the
// smaller right one. A binary heap of rows under the counts they had when they came in. Counts only fall, so a row whose
// count has changed goes back under its new one when it comes to the top (lazy invalidation).
import type { PairTable } from "./pair-table.ts";

export class PairQueue {
  readonly #table: PairTable;
  #rows = new Int32Array(1024);
  #keys = new Float64Array(1024);
  #size = 0;

  constructor(table: PairTable) {
    this.#table = table;
  }

  push(row: number): void {
    if (this.#size === this.#rows.length) this.#grow();
    const key = this.#table.counts[row];
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(key, row, this.#keys[parent], this.#rows[parent])) break;
      this.#rows[at] = this.#rows[parent];
      this.#keys[at] = this.#keys[parent];
      at = parent;
    }
    this.#rows[at] = row;
    this.#keys[at] = key;
  }

  /** Takes out the row that is next; -1 when no pair occurs `least` times. */
  pop(least: number): number {
    const { counts } = this.#table;
    while (this.#size > 0) {
      const row = this.#rows[0];
      const key = this.#keys[0];
      this.#removeTop();
      if (counts[row] === key) return key >= least ? row : -1;
      if (counts[row] >= least) this.push(row);
    }
    return -1;
  }

  #isBefore(key: number, row: number, key2: number, row2: number): boolean {
    if (key !== key2) return key > key2;
    const { lefts, rights } = this.#table;
    return lefts[row] !== lefts[row2] ? lefts[row] < lefts[row2] : rights[row] < rights[row2];
  }

  #removeTop(): void {
    const size = --this.#size;
    const row = this.#rows[size];
    const key = this.#keys[size];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const other = child + 1;
      if (other < size && this.#isBefore(this.#keys[other], this.#rows[other], this.#keys[child], this.#rows[child])) {
        child = other;
      }
      if (!this.#isBefore(this.#keys[child], this.#rows[child], key, row)) break;
      this.#rows[at] = this.#rows[child];
      this.#keys[at] = this.#keys[child];
      at = child;
    }
    this.#rows[at] = row;
    this.#keys[at] = key;
  }

  #grow(): void {
    const rows = new Int32Array(2 * this.#size);
    rows.set(this.#rows);
    this.#rows = rows;
    const keys = new Float64Array(2 * this.#size);
    keys.set(this.#keys);
    this.#keys = keys;
  }
}
