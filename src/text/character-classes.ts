// Unicode classes of code points as one byte of flags each, for scanners that would otherwise test a regular
// expression per character. Built once, on first use, from the host's own Unicode tables.
// Whitespace is White_Space (what Rust and Oniguruma call \s), not JavaScript's \s, which adds U+FEFF and lacks U+0085.

export const LETTER = 1;
export const NUMBER = 2;
export const SPACE = 4;
export const MARK = 8;
export const PUNCTUATION = 16;
export const SYMBOL = 32;
/** Lu, Lt, Lm, Lo or M: what may stand in the upper-case part of a word. */
export const UPPER_PART = 64;
/** Ll, Lm, Lo or M: what may stand in the lower-case part of a word. */
export const LOWER_PART = 128;

/** White_Space as a class body, for patterns written with \s. */
export const WHITE_SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

// Planes 0 to 3 hold every assigned character but the tags and variation selectors of plane 14.
const TABLE_SIZE = 0x40000;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

const PATTERNS: readonly (readonly [number, RegExp])[] = [
  [LETTER, /\p{L}+/gu],
  [NUMBER, /\p{N}+/gu],
  [SPACE, /\p{White_Space}+/gu],
  [MARK, /\p{M}+/gu],
  [PUNCTUATION, /\p{P}+/gu],
  [SYMBOL, /\p{S}+/gu],
  [UPPER_PART, /[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+/gu],
  [LOWER_PART, /[\p{Ll}\p{Lm}\p{Lo}\p{M}]+/gu],
];

let table: Uint8Array | undefined;

/** Flags of the code points below 0x40000, indexed by code point. */
export function characterTable(): Uint8Array {
  table ??= buildTable();
  return table;
}

/** Flags of any code point. */
export function characterClass(codePoint: number): number {
  if (codePoint < TABLE_SIZE) return characterTable()[codePoint];
  const text = String.fromCodePoint(codePoint);
  let flags = 0;
  for (const [flag, pattern] of PATTERNS) {
    pattern.lastIndex = 0;
    if (pattern.test(text)) flags |= flag;
  }
  return flags;
}

function buildTable(): Uint8Array {
  const flags = new Uint8Array(TABLE_SIZE);
  const blockSize = 0x2000; // small enough to spread as arguments; plane and surrogate borders are multiples of 0x800
  for (let first = 0; first < TABLE_SIZE; first += blockSize) {
    const end = first + blockSize;
    if (end <= FIRST_SURROGATE || first > LAST_SURROGATE) fill(flags, first, end);
  }
  fill(flags, 0xc000, FIRST_SURROGATE);
  // A lone surrogate is encoded as U+FFFD, which is a symbol.
  flags.fill(SYMBOL, FIRST_SURROGATE, LAST_SURROGATE + 1);
  return flags;
}

/** Sets the flags of the code points [first, end), all of one plane, none a surrogate. */
function fill(flags: Uint8Array, first: number, end: number): void {
  const codePoints = Array.from({ length: end - first }, (_, index) => first + index);
  const text = String.fromCodePoint(...codePoints);
  const unitsEach = first < 0x10000 ? 1 : 2;
  for (const [flag, pattern] of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const from = first + match.index / unitsEach;
      const to = from + match[0].length / unitsEach;
      for (let codePoint = from; codePoint < to; codePoint++) flags[codePoint] |= flag;
    }
  }
}
