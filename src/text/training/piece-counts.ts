// Distinct pieces of text and how often each occurs: a hash table over UTF-16 units in typed arrays, with no string and
// no object per piece. What is kept of a corpus that is larger than memory.

const FIRST_PIECES = 1 << 12;

/** The table as it travels between threads. */
export interface PieceCountsData {
  readonly units: Uint16Array<ArrayBuffer>;
  readonly starts: Float64Array<ArrayBuffer>;
  readonly counts: Float64Array<ArrayBuffer>;
}

export class PieceCounts {
  size = 0;
  /** Piece i is units[starts[i], starts[i + 1]), seen counts[i] times. */
  units = new Uint16Array(8 * FIRST_PIECES);
  starts = new Float64Array(FIRST_PIECES + 1);
  counts = new Float64Array(FIRST_PIECES);
  #hashes = new Int32Array(FIRST_PIECES);
  /** Piece + 1 by hash. */
  #slots = new Int32Array(2 * FIRST_PIECES);
  #mask = 2 * FIRST_PIECES - 1;

  get unitCount(): number {
    return this.starts[this.size];
  }

  /** Counts text[start, end). */
  add(text: string, start: number, end: number, count = 1): void {
    let hash = SEED;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FACTOR);
    hash = spread(hash);
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const piece = this.#slots[slot] - 1;
      if (piece < 0) {
        const at = this.#append(slot, hash, end - start, count);
        for (let i = start; i < end; i++) this.units[at + i - start] = text.charCodeAt(i);
        return;
      }
      if (this.#hashes[piece] === hash && this.#isText(piece, text, start, end)) {
        this.counts[piece] += count;
        return;
      }
    }
  }

  /** Adds what another table counted. */
  addAll({ units, starts, counts }: PieceCountsData): void {
    for (let i = 0; i < counts.length; i++) this.#addUnits(units, starts[i], starts[i + 1], counts[i]);
  }

  text(piece: number): string {
    return String.fromCharCode(...this.units.subarray(this.starts[piece], this.starts[piece + 1]));
  }

  data(): PieceCountsData {
    return {
      units: this.units.slice(0, this.unitCount),
      starts: this.starts.slice(0, this.size + 1),
      counts: this.counts.slice(0, this.size),
    };
  }

  #addUnits(units: Uint16Array, start: number, end: number, count: number): void {
    let hash = SEED;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ units[i], FACTOR);
    hash = spread(hash);
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const piece = this.#slots[slot] - 1;
      if (piece < 0) {
        const at = this.#append(slot, hash, end - start, count);
        for (let i = start; i < end; i++) this.units[at + i - start] = units[i];
        return;
      }
      if (this.#hashes[piece] === hash && this.#isUnits(piece, units, start, end)) {
        this.counts[piece] += count;
        return;
      }
    }
  }

  #isText(piece: number, text: string, start: number, end: number): boolean {
    const from = this.starts[piece];
    if (this.starts[piece + 1] - from !== end - start) return false;
    const shift = from - start;
    for (let i = start; i < end; i++) if (this.units[i + shift] !== text.charCodeAt(i)) return false;
    return true;
  }

  #isUnits(piece: number, units: Uint16Array, start: number, end: number): boolean {
    const from = this.starts[piece];
    if (this.starts[piece + 1] - from !== end - start) return false;
    const shift = from - start;
    for (let i = start; i < end; i++) if (this.units[i + shift] !== units[i]) return false;
    return true;
  }

  /** Makes room for a piece of `length` units that the caller writes; returns where. */
  #append(slot: number, hash: number, length: number, count: number): number {
    const piece = this.size++;
    const at = this.starts[piece];
    if (this.size === this.counts.length) this.#growPieces();
    if (at + length > this.units.length) {
      const units = new Uint16Array(Math.max(2 * this.units.length, at + length));
      units.set(this.units);
      this.units = units;
    }
    this.starts[piece + 1] = at + length;
    this.counts[piece] = count;
    this.#hashes[piece] = hash;
    this.#slots[slot] = piece + 1;
    if (2 * this.size > this.#mask) this.#growSlots();
    return at;
  }

  #growPieces(): void {
    const room = 2 * this.size;
    const starts = new Float64Array(room + 1);
    starts.set(this.starts);
    this.starts = starts;
    const counts = new Float64Array(room);
    counts.set(this.counts);
    this.counts = counts;
    const hashes = new Int32Array(room);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }

  #growSlots(): void {
    this.#slots = new Int32Array(4 * (this.#mask + 1));
    this.#mask = this.#slots.length - 1;
    for (let piece = 0; piece < this.size; piece++) {
      let slot = this.#hashes[piece] & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = piece + 1;
    }
  }
}

// FNV-1a (Fowler, Noll, Vo), by units instead of bytes.
const SEED = 0x811c9dc5 | 0;
const FACTOR = 0x01000193;

/** Its low bits depend on the last units alone. */
const spread = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
};
