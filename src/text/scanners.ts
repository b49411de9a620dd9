// Hand-written splits for the patterns that most vocabularies use: the same cuts as their regular expressions
// (pre-tokenizers.ts has those; scanners.test.ts proves agreement), several times faster. One family covers them:
// contractions, words, numbers, other characters, white space. Not here: the table of names.
import {
  characterClass,
  characterTable,
  LETTER,
  LOWER_PART,
  MARK,
  NUMBER,
  SPACE,
  UPPER_PART,
} from "./character-classes.ts";
import type { Anchors } from "./pattern.ts";
import type { Split } from "./splits.ts";

const APOSTROPHE = 0x27;
const BLANK = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SLASH = 0x2f;
const LONG_S = 0x17f; // "ſ" equals "s" where case is ignored

/** GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`. */
export const scanGpt2: Split = (text, start, end, into) => {
  const table = characterTable(text, start, end);
  let at = start;
  while (at < end) {
    const from = at;
    let code = codePointAt(text, at, end);
    if (code === APOSTROPHE) {
      const length = contractionLength(text, at, end, false);
      if (length > 0) {
        at += length;
        into.push(from, at);
        continue;
      }
    }
    let flags = classOf(table, code);
    if (code === BLANK && at + 1 < end) {
      code = codePointAt(text, at + 1, end);
      const nextFlags = classOf(table, code);
      if ((nextFlags & SPACE) === 0) {
        flags = nextFlags;
        at++;
      }
    }
    if ((flags & SPACE) !== 0) {
      at = endOfSpaces(text, at, end, table);
      if (at < end && at - from > 1) at--;
    } else {
      at = endOfRun(text, at, end, table, LETTER | NUMBER | SPACE, flags & (LETTER | NUMBER));
    }
    into.push(from, at);
  }
};

export interface WordScanner {
  /** Digits that make one piece, at most. */
  readonly digits: number;
  /** `'s`, `'ll` and the like: pieces before a word ("before"), tails of a word ("tail"), or nothing special. */
  readonly contractions: "before" | "tail" | "none";
  /** Words break between lower and upper case, and marks belong to them (o200k). */
  readonly byCase: boolean;
  /** A run of other characters takes "/" along with the line ends after it. */
  readonly slashes: boolean;
  /** White space at the end of the text is one piece even when it holds line ends (tiktoken's newer cl100k). */
  readonly wholeTrailingSpace: boolean;
}

/** cl100k and its relatives: `[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`. */
export function wordScanner(options: WordScanner): Split {
  const { digits, contractions, byCase, slashes, wholeTrailingSpace } = options;
  return (text, start, end, into) => {
    const table = characterTable(text, start, end);
    let at = start;
    while (at < end) {
      const from = at;
      const code = codePointAt(text, at, end);
      if (code === APOSTROPHE && contractions === "before") {
        const length = contractionLength(text, at, end, true);
        if (length > 0) {
          at += length;
          into.push(from, at);
          continue;
        }
      }
      const flags = classOf(table, code);
      const word = byCase
        ? endOfCasedWord(text, at, end, table, code, flags)
        : endOfWord(text, at, end, table, code, flags);
      if (word > at) {
        at = word;
        if (contractions === "tail" && at < end && text.charCodeAt(at) === APOSTROPHE) {
          at += contractionLength(text, at, end, true);
        }
      } else if ((flags & NUMBER) !== 0) {
        at += code > 0xffff ? 2 : 1;
        for (let count = 1; count < digits && at < end; count++) {
          const digit = codePointAt(text, at, end);
          if ((classOf(table, digit) & NUMBER) === 0) break;
          at += digit > 0xffff ? 2 : 1;
        }
      } else {
        at = endOfOthers(text, at, end, table, code, flags, slashes);
        if (at === from) at = endOfSpacePiece(text, at, end, table, wholeTrailingSpace);
      }
      into.push(from, at);
    }
  };
}

/** `\s+$`, with $ at the text's end or at each line's: matches and what lies between are pieces. */
export function trailingSpaceScanner(anchors: Anchors): Split {
  const isLineEnd = (unit: number) => anchors === "line" && unit === LINE_FEED;
  return (text, start, end, into) => {
    const table = characterTable(text, start, end);
    let from = start;
    const cut = (to: number) => {
      if (to > from) into.push(from, to);
      from = to;
    };
    for (let at = start; at < end;) {
      const stop = endOfSpaces(text, at, end, table);
      if (stop === at) {
        at++;
        continue;
      }
      // the match reaches the last place in the run where a line ends
      let last = stop;
      while (last > at && last < end && !isLineEnd(text.charCodeAt(last))) last--;
      if (last > at) {
        cut(at);
        cut(last);
      }
      at = stop;
    }
    cut(end);
  };
}

function codePointAt(text: string, at: number, end: number): number {
  const unit = text.charCodeAt(at);
  if ((unit & 0xfc00) !== 0xd800 || at + 1 >= end) return unit;
  const low = text.charCodeAt(at + 1);
  return (low & 0xfc00) === 0xdc00 ? ((unit - 0xd800) << 10) + low - 0xdc00 + 0x10000 : unit;
}

function classOf(table: Uint8Array, code: number): number {
  return code < table.length ? table[code] : characterClass(code);
}

/** `\p{L}+` with one leading character that is no line end, letter or number; `at` when there is none. */
function endOfWord(text: string, at: number, end: number, table: Uint8Array, code: number, flags: number): number {
  if ((flags & LETTER) !== 0) return endOfRun(text, at, end, table, LETTER, LETTER);
  if (!isWordPrefix(code, flags)) return at;
  const next = at + (code > 0xffff ? 2 : 1);
  const stop = endOfRun(text, next, end, table, LETTER, LETTER);
  return stop > next ? stop : at;
}

/** The first two alternatives of o200k. */
function endOfCasedWord(text: string, at: number, end: number, table: Uint8Array, code: number, flags: number): number {
  const prefixed = isWordPrefix(code, flags);
  const afterPrefix = at + (code > 0xffff ? 2 : 1);
  // First alternative, with the prefix if there is one, then without.
  if (prefixed) {
    const stop = endOfLowerWord(text, afterPrefix, end, table);
    if (stop > afterPrefix) return stop;
  }
  if (!prefixed || (flags & MARK) !== 0) {
    const stop = endOfLowerWord(text, at, end, table);
    if (stop > at) return stop;
  }
  // Second: upper-case characters alone (a lower-case one would have matched above).
  const first = prefixed ? afterPrefix : at;
  const stop = endOfRun(text, first, end, table, UPPER_PART, UPPER_PART);
  return stop > first ? stop : at;
}

/** `[upper part]*[lower part]+` as a backtracking matcher finds it. */
function endOfLowerWord(text: string, at: number, end: number, table: Uint8Array): number {
  let lastShared = -1; // end of the last character that is in both parts
  let here = at;
  while (here < end) {
    const code = codePointAt(text, here, end);
    const flags = classOf(table, code);
    if ((flags & UPPER_PART) === 0) break;
    here += code > 0xffff ? 2 : 1;
    if ((flags & LOWER_PART) !== 0) lastShared = here;
  }
  const stop = endOfRun(text, here, end, table, LOWER_PART, LOWER_PART);
  if (stop > here) return stop;
  return lastShared > 0 ? lastShared : at;
}

function isWordPrefix(code: number, flags: number): boolean {
  return (flags & (LETTER | NUMBER)) === 0 && code !== LINE_FEED && code !== CARRIAGE_RETURN;
}

/** End of the run of characters whose flags under `mask` equal (or, for a mask of one class, include) `wanted`. */
function endOfRun(text: string, at: number, end: number, table: Uint8Array, mask: number, wanted: number): number {
  let here = at;
  while (here < end) {
    const unit = text.charCodeAt(here);
    if ((unit & 0xfc00) === 0xd800) {
      const code = codePointAt(text, here, end);
      if ((classOf(table, code) & mask) !== wanted) break;
      here += code > 0xffff ? 2 : 1;
    } else {
      if ((table[unit] & mask) !== wanted) break;
      here++;
    }
  }
  return here;
}

function endOfSpaces(text: string, at: number, end: number, table: Uint8Array): number {
  let here = at;
  while (here < end && (table[text.charCodeAt(here)] & SPACE) !== 0) here++;
  return here;
}

/** ` ?[^\s\p{L}\p{N}]+[\r\n]*`; `at` when there is none. */
function endOfOthers(
  text: string,
  at: number,
  end: number,
  table: Uint8Array,
  code: number,
  flags: number,
  slashes: boolean,
): number {
  const first = code === BLANK ? at + 1 : at;
  if (code !== BLANK && (flags & SPACE) !== 0) return at;
  let here = endOfRun(text, first, end, table, LETTER | NUMBER | SPACE, 0);
  if (here === first) return at;
  while (here < end) {
    const unit = text.charCodeAt(here);
    if (unit !== LINE_FEED && unit !== CARRIAGE_RETURN && !(slashes && unit === SLASH)) break;
    here++;
  }
  return here;
}

/** `\s*[\r\n]+|\s+(?!\S)|\s+`. */
function endOfSpacePiece(text: string, at: number, end: number, table: Uint8Array, wholeTrailing: boolean): number {
  const stop = endOfSpaces(text, at, end, table);
  if (stop === end && wholeTrailing) return stop;
  for (let here = stop; here > at; here--) {
    const unit = text.charCodeAt(here - 1);
    if (unit === LINE_FEED || unit === CARRIAGE_RETURN) return here;
  }
  return stop === end || stop - at === 1 ? stop : stop - 1;
}

/** Length of `'s|'t|'re|'ve|'m|'ll|'d` at an apostrophe, 0 when there is none. */
function contractionLength(text: string, at: number, end: number, anyCase: boolean): number {
  if (at + 1 >= end) return 0;
  const lower = (unit: number) => (anyCase && unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit);
  const first = lower(text.charCodeAt(at + 1));
  if (first === 0x73 || first === 0x74 || first === 0x6d || first === 0x64 || (anyCase && first === LONG_S)) return 2;
  if (at + 2 >= end) return 0;
  const second = lower(text.charCodeAt(at + 2));
  const isPair = (first === 0x6c && second === 0x6c) || ((first === 0x72 || first === 0x76) && second === 0x65);
  return isPair ? 3 : 0;
}
