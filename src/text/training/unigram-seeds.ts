// The pieces that unigram training begins with: substrings of words that occur at least twice, by how many characters
// they cover. Found level by level: a substring of n characters is looked for only where its first n - 1 are frequent.
import { PairTable } from "./pair-table.ts";
import type { SymbolCells } from "./symbol-cells.ts";

export const PIECE_LENGTH_MAX = 16; // characters; SentencePiece's default

export interface Seed {
  /** Where the piece stands in the cells, and how many it takes. */
  readonly at: number;
  readonly length: number;
  readonly count: number;
}

/** The `limit` best seeds of two or more characters. */
export function findSeeds(
  { cells, border, weightEnds, weights }: SymbolCells,
  countMin: number,
  limit: number,
): Seed[] {
  const seeds: Seed[] = [];
  // places where a frequent substring begins, and its number among those of its length
  let places = new Int32Array(cells.length);
  let prefixes = new Int32Array(cells.length);
  let size = 0;
  for (let at = 1; at < cells.length; at++) {
    if (cells[at] === border) continue;
    places[size] = at;
    prefixes[size++] = cells[at];
  }
  /** Of the level before, by number: its index in `seeds`, -1 for single characters. */
  let seedOf: number[] = [];
  for (let length = 2; length <= PIECE_LENGTH_MAX && size > 0; length++) {
    const table = new PairTable();
    let kept = 0;
    let weightIndex = 0;
    for (let i = 0; i < size; i++) {
      const at = places[i];
      const next = cells[at + length - 1];
      if (next === border) continue;
      while (at >= weightEnds[weightIndex]) weightIndex++;
      const row = table.at(prefixes[i], next);
      table.counts[row] += weights[weightIndex];
      table.starts[row] = at;
      places[kept] = at;
      prefixes[kept++] = row;
    }
    const seedOfRow: number[] = [];
    for (let row = 0; row < table.size; row++) {
      const count = table.counts[row];
      seedOfRow.push(-1);
      if (count < Math.max(2, countMin)) continue;
      seedOfRow[row] = seeds.length;
      // a piece that always goes on in the same way is of no use beside the longer one
      const shorter = seedOf[table.lefts[row]] ?? -1;
      if (shorter >= 0 && seeds[shorter].count === count) seeds[shorter] = { ...seeds[shorter], count: 0 };
      seeds.push({ at: table.starts[row], length, count });
    }
    size = 0;
    for (let i = 0; i < kept; i++) {
      if (seedOfRow[prefixes[i]] < 0) continue;
      places[size] = places[i];
      prefixes[size++] = prefixes[i];
    }
    seedOf = seedOfRow;
  }
  [places, prefixes] = [new Int32Array(0), new Int32Array(0)];
  const found = seeds.filter(({ count }) => count > 0);
  found.sort((a, b) => b.count * b.length - a.count * a.length || b.length - a.length || a.at - b.at);
  return found.slice(0, limit);
}
