// Which contents were there before, word for word: an open table of 64-bit hashes (SHA-256's first), 24 bytes a content.
// Among n texts, two different ones share a hash with a probability of n^2 / 2^65.
import { hash } from "node:crypto";
import { createColumn } from "./column.ts";

export interface ContentIndex {
  /** How many different contents there are. */
  readonly size: number;
  /** The number of a content: `size` before the call where it is new. */
  add(content: string): number;
  /** The first 53 bits of a content's hash. */
  hashOf(number: number): number;
}

export function createContentIndex(): ContentIndex {
  const high = createColumn(Uint32Array);
  const low = createColumn(Uint32Array);
  let table = new Int32Array(4096).fill(-1);

  function slotOf(a: number, b: number): number {
    const mask = table.length - 1;
    let slot = b & mask;
    while (table[slot] >= 0 && (low.at(table[slot]) !== b || high.at(table[slot]) !== a)) slot = (slot + 1) & mask;
    return slot;
  }

  function grow(): void {
    table = new Int32Array(table.length * 2).fill(-1);
    for (let i = 0; i < low.length; i++) table[slotOf(high.at(i), low.at(i))] = i;
  }

  return {
    get size() {
      return low.length;
    },
    add(content) {
      const digest = hash("sha256", content, "buffer");
      const [a, b] = [digest.readUInt32LE(0), digest.readUInt32LE(4)];
      const slot = slotOf(a, b);
      if (table[slot] >= 0) return table[slot];
      const number = low.length;
      table[slot] = number;
      high.push(a);
      low.push(b);
      if (low.length * 2 > table.length) grow();
      return number;
    },
    hashOf: (number) => (high.at(number) >>> 11) * 2 ** 32 + low.at(number),
  };
}
