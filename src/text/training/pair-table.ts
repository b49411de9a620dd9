// Pairs of neighbouring symbols as rows of typed arrays: (left, right) → how often they stand together, and where. An
// open-addressing hash table; rows are added and never removed. Not here: which pair is next (pair-queue.ts).

const NONE = 0;

export class PairTable {
  size = 0;
  lefts = new Int32Array(1024);
  rights = new Int32Array(1024);
  /** Weighted by the pieces' counts; sums stay exact up to 2^53. */
  counts = new Float64Array(1024);
  /** Where the pair's list of places begins and ends. */
  starts = new Float64Array(1024);
  ends = new Float64Array(1024);
  /** Row + 1 by hash. */
  #slots = new Int32Array(4096);
  #mask = 4095;

  /** The row of a pair, -1 when it has none. */
  find(left: number, right: number): number {
    const mask = this.#mask;
    for (let slot = hashOf(left, right) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] - 1;
      if (row < 0) return -1;
      if (this.lefts[row] === left && this.rights[row] === right) return row;
    }
  }

  /** The row of a pair, a new one of count 0 when it has none. */
  at(left: number, right: number): number {
    const mask = this.#mask;
    for (let slot = hashOf(left, right) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] - 1;
      if (row < 0) return this.#add(slot, left, right);
      if (this.lefts[row] === left && this.rights[row] === right) return row;
    }
  }

  #add(slot: number, left: number, right: number): number {
    if (this.size === this.lefts.length) this.#growRows();
    const row = this.size++;
    this.lefts[row] = left;
    this.rights[row] = right;
    this.#slots[slot] = row + 1;
    if (this.size * 2 > this.#mask) this.#growSlots();
    return row;
  }

  #growRows(): void {
    this.lefts = grown(this.lefts, new Int32Array(2 * this.size));
    this.rights = grown(this.rights, new Int32Array(2 * this.size));
    this.counts = grown(this.counts, new Float64Array(2 * this.size));
    this.starts = grown(this.starts, new Float64Array(2 * this.size));
    this.ends = grown(this.ends, new Float64Array(2 * this.size));
  }

  #growSlots(): void {
    this.#slots = new Int32Array(4 * (this.#mask + 1)).fill(NONE);
    this.#mask = this.#slots.length - 1;
    for (let row = 0; row < this.size; row++) {
      let slot = hashOf(this.lefts[row], this.rights[row]) & this.#mask;
      while (this.#slots[slot] !== NONE) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = row + 1;
    }
  }
}

function grown<T extends Int32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

function hashOf(left: number, right: number): number {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
  return hash ^ (hash >>> 15);
}
