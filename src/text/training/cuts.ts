// Where a text may be cut so that its parts, tokenised apart, give what the whole gives: pieces of a file are counted
// chunk by chunk, on several threads. All pre-tokenizers end a piece between a letter or number and the line feed after
// it, and none looks further back; before a blank, "，" or "。" they do so after the letters of common scripts
// (DeepSeek LLM's knows no others). cuts.test.ts holds every one of them to that.
// Works on UTF-8, where a chunk is read.
import { characterClass, LETTER, NUMBER } from "../character-classes.ts";

/** The first place after `from` in bytes[0, end) where the text may be cut; -1 where there is none. */
export type FindCut = (bytes: Uint8Array, from: number, end: number) => number;

const LINE_FEED = 0x0a;
const BLANK = 0x20;

/** ASCII digits and letters; Latin, Greek, Cyrillic, kana, Han, Hangul. */
const COMMON_LETTERS: readonly (readonly [first: number, last: number])[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x61, 0x7a],
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x17f],
  [0x3b1, 0x3c9],
  [0x410, 0x44f],
  [0x3041, 0x3096],
  [0x30a1, 0x30fa],
  [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3],
];

/** After a letter or number, before a line feed, a blank, "，" or "。". */
export const cutBetweenPieces: FindCut = (bytes, from, end) => {
  for (let at = from + 1; at < end; at++) {
    const byte = bytes[at];
    const separates =
      byte === BLANK ||
      byte === LINE_FEED ||
      (byte === 0xef && bytes[at + 1] === 0xbc && bytes[at + 2] === 0x8c) ||
      (byte === 0xe3 && bytes[at + 1] === 0x80 && bytes[at + 2] === 0x82);
    if (!separates) continue;
    const before = characterBefore(bytes, from, at);
    const ends =
      byte === LINE_FEED
        ? (characterClass(before) & (LETTER | NUMBER)) !== 0
        : COMMON_LETTERS.some(([first, last]) => before >= first && before <= last);
    if (ends) return at;
  }
  return -1;
};

/** After a line feed. */
export const cutBetweenLines: FindCut = (bytes, from, end) => {
  const at = bytes.subarray(0, end).indexOf(LINE_FEED, from);
  return at < 0 ? -1 : at + 1;
};

/** Before any character. */
export const cutBetweenCharacters: FindCut = (bytes, from, end) => {
  for (let at = from + 1; at < end; at++) if ((bytes[at] & 0xc0) !== 0x80) return at;
  return -1;
};

/** The code point that ends at `end`; 0, which is no letter, where it does not begin at `from` or after. */
function characterBefore(bytes: Uint8Array, from: number, end: number): number {
  let start = end - 1;
  while (start > from && (bytes[start] & 0xc0) === 0x80) start--;
  const lead = bytes[start];
  if (lead < 0x80) return lead;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (length !== end - start) return 0;
  let code = lead & (0x7f >> length);
  for (let at = start + 1; at < end; at++) code = (code << 6) | (bytes[at] & 0x3f);
  return code;
}
