// Byte-pair merging: of all adjacent pairs the one of lowest rank merges first, the leftmost of equals, until none is
// left. Short pieces scan an array of ranks; long ones use a heap over a linked list, so that no input takes more than
// n log n. Both give the same ids (bpe-merge.test.ts). Not here: where symbols come from (bpe.ts).
import { NO_MERGE, type MergeTable } from "./merge-table.ts";

const NO_RANK = 0x7fffffff;
// The scan is quadratic, the heap's steps cost more: on Chinese text with Llama 3's merges they are equal at 72 to 96
// symbols (24: 2.1 and 4.0 µs; 144: 45 and 29 µs).
const SCAN_LIMIT = 96;
const RANK_SCALE = 2 ** 31; // heap key = rank * 2^31 + position, exact in a double up to RANK_MAX of merge-table.ts

export class BpeMerger {
  #table: MergeTable;
  /** Of the pair (i, i + 1) while a short piece is merged: its rank, and what it becomes. */
  readonly #ranks = new Int32Array(SCAN_LIMIT);
  readonly #merged = new Int32Array(SCAN_LIMIT);
  #scanLimit: number;

  /** `scanLimit`: symbols up to which the array scan is used. */
  constructor(table: MergeTable, scanLimit = SCAN_LIMIT) {
    this.#table = table;
    this.#scanLimit = Math.min(scanLimit, SCAN_LIMIT);
  }

  /** Merges `symbols[0..count)` in place; returns how many are left. */
  merge(symbols: Int32Array, count: number): number {
    if (count < 2) return count;
    return count <= this.#scanLimit ? this.#mergeByScan(symbols, count) : this.#mergeByHeap(symbols, count);
  }

  #rank(left: number, right: number): number {
    const row = this.#table.find(left, right);
    return row === NO_MERGE ? NO_RANK : this.#table.rows[row + 2];
  }

  #mergeByScan(symbols: Int32Array, count: number): number {
    const ranks = this.#ranks;
    const merged = this.#merged;
    let length = count;
    for (let i = 0; i + 1 < length; i++) this.#look(i, symbols[i], symbols[i + 1]);
    for (;;) {
      let best = NO_RANK;
      let at = 0;
      for (let i = 0; i + 1 < length; i++) {
        if (ranks[i] < best) {
          best = ranks[i];
          at = i;
        }
      }
      if (best === NO_RANK) return length;
      symbols[at] = merged[at];
      length--;
      for (let i = at + 1; i < length; i++) {
        symbols[i] = symbols[i + 1];
        ranks[i] = ranks[i + 1];
        merged[i] = merged[i + 1];
      }
      if (at > 0) this.#look(at - 1, symbols[at - 1], symbols[at]);
      if (at + 1 < length) this.#look(at, symbols[at], symbols[at + 1]);
    }
  }

  /** Notes rank and result of the pair at `at` (not its row: the table may move while it learns pairs). */
  #look(at: number, left: number, right: number): void {
    const row = this.#table.find(left, right);
    if (row === NO_MERGE) {
      this.#ranks[at] = NO_RANK;
    } else {
      this.#ranks[at] = this.#table.rows[row + 2];
      this.#merged[at] = this.#table.rows[row + 3];
    }
  }

  #mergeByHeap(symbols: Int32Array, count: number): number {
    const next = new Int32Array(count);
    const previous = new Int32Array(count);
    const ranks = new Int32Array(count).fill(NO_RANK); // rank of (i, next[i]); NO_RANK also once i is merged away
    const heap = new Heap(count);
    for (let i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
    }
    const offer = (left: number) => {
      const right = next[left];
      ranks[left] = right < count ? this.#rank(symbols[left], symbols[right]) : NO_RANK;
      if (ranks[left] !== NO_RANK) heap.push(ranks[left] * RANK_SCALE + left);
    };
    for (let i = 0; i + 1 < count; i++) offer(i);
    while (heap.size > 0) {
      const key = heap.pop();
      const rank = Math.floor(key / RANK_SCALE);
      const left = key - rank * RANK_SCALE;
      if (ranks[left] !== rank) continue; // outdated: the pair has changed since it was offered
      const right = next[left];
      const row = this.#table.find(symbols[left], symbols[right]);
      symbols[left] = this.#table.rows[row + 3]!;
      ranks[right] = NO_RANK;
      next[left] = next[right]!;
      if (next[right] < count) previous[next[right]] = left;
      if (previous[left] >= 0) offer(previous[left]);
      offer(left);
    }
    let length = 0;
    for (let i = 0; i < count; i = next[i]!) symbols[length++] = symbols[i]!;
    return length;
  }
}

/** A binary heap of numbers, the smallest on top. */
class Heap {
  size = 0;
  #keys: Float64Array;

  constructor(capacity: number) {
    this.#keys = new Float64Array(Math.max(16, capacity));
  }

  push(key: number): void {
    if (this.size === this.#keys.length) {
      const grown = new Float64Array(this.size * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    const keys = this.#keys;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent] <= key) break;
      keys[at] = keys[parent]!;
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number {
    const keys = this.#keys;
    const top = keys[0];
    const key = keys[--this.size];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= key) break;
      keys[at] = keys[child]!;
      at = child;
    }
    keys[at] = key;
    return top;
  }
}
