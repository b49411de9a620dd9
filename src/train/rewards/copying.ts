// Which lines of a poem, and which pairs of neighbouring lines, stand in a corpus word for word: tables of 53-bit hashes,
// 16 to 32 bytes a line of the corpus. Not here: the longest span that is copied, wherever it begins.
import { linesOf } from "./lines.ts";

/** Shorter lines are words that anyone may use; their pairs count all the same. */
const LINE_LENGTH_MIN = 5;

export interface Copies {
  /** Lines (from 0) of five characters or more that the corpus has. */
  readonly lines: readonly number[];
  /** First lines of pairs of neighbours that the corpus has next to each other. */
  readonly pairs: readonly number[];
}

export interface CopyIndex {
  /** Adds a poem of the corpus; in the script that texts will be in. */
  add(text: string): void;
  copiesIn(text: string): Copies;
}

export function createCopyIndex(): CopyIndex {
  const lines = createHashSet();
  const pairs = createHashSet();
  const told = (text: string): string[] => linesOf(text).lines.map((line) => line.join(""));
  const pairsOf = (text: readonly string[]): string[] => text.slice(1).map((line, i) => `${text[i]} ${line}`);
  const places = (texts: readonly string[], set: HashSet): number[] =>
    texts.flatMap((text, i) => (set.has(hashOf(text)) ? [i] : []));
  return {
    add(text) {
      const poem = told(text);
      for (const line of poem) if (line.length >= LINE_LENGTH_MIN) lines.add(hashOf(line));
      for (const pair of pairsOf(poem)) pairs.add(hashOf(pair));
    },
    copiesIn(text) {
      const poem = told(text);
      return { lines: places(poem, lines), pairs: places(pairsOf(poem), pairs) };
    },
  };
}

/** 53 bits of a text, none of them 0 in all: two FNV-1a hashes (Fowler, Noll, Vo) of other bases, mixed. */
function hashOf(text: string): number {
  let a = 0x811c9dc5;
  let b = 0x2f0b4a27; // any other number
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul((b ^ unit) + (b >>> 15), 0x85ebca6b);
  }
  a ^= a >>> 16;
  return (a >>> 0) * 2 ** 21 + ((b ^ (b >>> 13)) >>> 11) + 1;
}

interface HashSet {
  add(hash: number): void;
  has(hash: number): boolean;
}

/** An open table; 0 marks an empty place. */
function createHashSet(): HashSet {
  let table = new Float64Array(1024);
  let size = 0;
  const slotOf = (hash: number): number => {
    const mask = table.length - 1;
    let slot = (hash % 0x7fffffff) & mask;
    while (table[slot] !== 0 && table[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  };
  const grow = (): void => {
    const old = table;
    table = new Float64Array(old.length * 2);
    for (const hash of old) if (hash !== 0) table[slotOf(hash)] = hash;
  };
  return {
    add(hash) {
      const slot = slotOf(hash);
      if (table[slot] === hash) return;
      table[slot] = hash;
      if (++size * 2 > table.length) grow();
    },
    has: (hash) => table[slotOf(hash)] === hash,
  };
}
