// Unicode classes of code points as one byte of flags each, for scanners that would otherwise test a regular
// expression per character. Made from the host's own Unicode tables, block by block as texts come to use them: most texts
// use a few of the 128.
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
const FIRST_SURROGATE = 0xd800; // they fill a block

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

const BLOCK_BITS = 11; // plane and surrogate borders are borders of blocks
const table = new Uint8Array(TABLE_SIZE);
const filled = new Uint8Array(TABLE_SIZE >> BLOCK_BITS);

/** Flags of the code points below 0x40000, indexed by code point: right for those of text[start, end). */
export function characterTable(text: string, start: number, end: number): Uint8Array {
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at);
    if (filled[unit >> BLOCK_BITS] === 0) fillBlock(unit >> BLOCK_BITS);
    // of a pair of surrogates the character is what counts; either alone is looked up as it is
    if ((unit & 0xfc00) === 0xd800) fillFor(text.codePointAt(at) as number);
  }
  return table;
}

function fillFor(codePoint: number): void {
  const block = codePoint >> BLOCK_BITS;
  if (filled[block] === 0) fillBlock(block);
}

/** Flags of any code point. */
export function characterClass(codePoint: number): number {
  if (codePoint < TABLE_SIZE) {
    fillFor(codePoint);
    return table[codePoint];
  }
  const text = String.fromCodePoint(codePoint);
  let flags = 0;
  for (const [flag, pattern] of PATTERNS) {
    pattern.lastIndex = 0;
    if (pattern.test(text)) flags |= flag;
  }
  return flags;
}

function fillBlock(block: number): void {
  if (block >= filled.length) return; // of other planes: `characterClass` looks at each
  filled[block] = 1;
  const first = block << BLOCK_BITS;
  const end = first + (1 << BLOCK_BITS);
  if (first === FIRST_SURROGATE) {
    // A lone surrogate is encoded as U+FFFD, which is a symbol.
    table.fill(SYMBOL, first, end);
    return;
  }
  const text = String.fromCodePoint(...Array.from({ length: end - first }, (_, index) => first + index));
  const unitsEach = first < 0x10000 ? 1 : 2;
  for (const [flag, pattern] of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const from = first + match.index / unitsEach;
      const to = from + match[0].length / unitsEach;
      for (let codePoint = from; codePoint < to; codePoint++) table[codePoint] |= flag;
    }
  }
}
