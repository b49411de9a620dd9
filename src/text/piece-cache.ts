// Remembers the ids of short pieces, so that a word seen before costs one look instead of its merges. Keys and values lie
// in fixed arrays (2 MB in all); when one is full everything is forgotten and begins anew: no piece is ever wrong, and
// memory is bounded whatever the text.

const SLOTS = 1 << 16;
const KEY_UNITS = 1 << 18; // with words of 6 units the slots are two thirds full when it ends
const VALUE_IDS = 1 << 17;
const PROBES = 8;
const STRIDE = 4; // hash, key start, key length << 16 | value length, value start
/** Longer pieces are not remembered: they hardly ever come again. */
export const CACHED_LENGTH = 40;

export class PieceCache {
  #rows = new Int32Array(SLOTS * STRIDE);
  #keys = new Uint16Array(KEY_UNITS);
  #values = new Int32Array(VALUE_IDS);
  #keysUsed = 0;
  #valuesUsed = 0;

  /** Appends the ids of text[start, end) if they are known. The piece must not be longer than CACHED_LENGTH. */
  get(text: string, start: number, end: number, into: number[]): boolean {
    const rows = this.#rows;
    const keys = this.#keys;
    const length = end - start;
    const hash = hashOfUnits(text, start, end);
    for (let probe = 0; probe < PROBES; probe++) {
      const row = ((hash + probe) & (SLOTS - 1)) * STRIDE;
      const lengths = rows[row + 2];
      if (lengths === 0) return false;
      if (rows[row] !== hash || lengths >>> 16 !== length) continue;
      const key = rows[row + 1];
      let same = 0;
      while (same < length && keys[key + same] === text.charCodeAt(start + same)) same++;
      if (same < length) continue;
      const first = rows[row + 3];
      const last = first + (lengths & 0xffff);
      for (let i = first; i < last; i++) into.push(this.#values[i]);
      return true;
    }
    return false;
  }

  /** Remembers ids[from..] for text[start, end). */
  put(text: string, start: number, end: number, ids: readonly number[], from: number): void {
    const count = ids.length - from;
    const length = end - start;
    if (this.#keysUsed + length > KEY_UNITS || this.#valuesUsed + count > VALUE_IDS) this.#forget();
    const hash = hashOfUnits(text, start, end);
    for (let probe = 0; probe < PROBES; probe++) {
      const row = ((hash + probe) & (SLOTS - 1)) * STRIDE;
      if (this.#rows[row + 2] !== 0) continue;
      this.#rows[row] = hash;
      this.#rows[row + 1] = this.#keysUsed;
      this.#rows[row + 2] = (length << 16) | count;
      this.#rows[row + 3] = this.#valuesUsed;
      for (let i = 0; i < length; i++) this.#keys[this.#keysUsed++] = text.charCodeAt(start + i);
      for (let i = 0; i < count; i++) this.#values[this.#valuesUsed++] = ids[from + i]!;
      return;
    }
  }

  #forget(): void {
    this.#rows.fill(0);
    this.#keysUsed = 0;
    this.#valuesUsed = 0;
  }
}

/** FNV-1a over the UTF-16 units of text[start, end). */
export function hashOfUnits(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
