// What a text has word for word from a corpus: its longest span that occurs there, and where it comes from. By a suffix
// array over all documents, so a text is looked up in time that hardly depends on the corpus. Memory: 6 bytes a UTF-16
// unit, 12 while it is built. Not here: which documents (train/data).
import { suffixArray } from "./suffix-array.ts";

/** Stands between documents; U+FFFF is no character. A span never reaches across it. */
const SEPARATOR = 0xffff;
const ALPHABET = 0x10000;

export interface CopiedSpan {
  readonly text: string;
  /** Where it begins in the text that was looked up, in UTF-16 units. */
  readonly start: number;
  /** One of the documents that have it, as they were given, and where in it. */
  readonly document: number;
  readonly offset: number;
  /** How often the corpus has it. */
  readonly occurrences: number;
}

export interface CorpusIndex {
  readonly documents: number;
  /** UTF-16 units of all documents. */
  readonly units: number;
  /** The longest span of `text` that the corpus has, the first of those that are as long; undefined for none. */
  longestCopied(text: string): CopiedSpan | undefined;
  /** How often the corpus has `text` word for word, overlaps included. */
  occurrences(text: string): number;
}

/** Builds the index of a corpus. Throws UsageError for more than 2^31 units. */
export function createCorpusIndex(documents: readonly string[]): CorpusIndex {
  const starts = new Float64Array(documents.length + 1);
  for (const [i, { length }] of documents.entries()) starts[i + 1] = starts[i] + length + 1;
  const corpus = new Uint16Array(starts[documents.length]);
  for (const [i, document] of documents.entries()) {
    writeUnits(document, corpus, starts[i]);
    corpus[starts[i + 1] - 1] = SEPARATOR;
  }
  const order = suffixArray(corpus, ALPHABET);

  /** Units that text[from...] and the suffix at `at` share. */
  function shared(text: Uint16Array, from: number, at: number): number {
    let length = 0;
    while (
      from + length < text.length &&
      text[from + length] !== SEPARATOR &&
      corpus[at + length] === text[from + length]
    ) {
      length++;
    }
    return length;
  }

  /** The first place in the order whose suffix does not begin before `text[from, end)`; `past`: nor with it. */
  function place(text: Uint16Array, from: number, end: number, past: boolean): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const length = shared(text, from, order[middle]);
      const isBefore = length >= end - from ? past : corpus[order[middle] + length] < text[from + length];
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function longestAt(text: Uint16Array, from: number): { at: number; length: number } {
    const next = place(text, from, text.length, false);
    let best = { at: -1, length: 0 };
    for (const index of [next - 1, next]) {
      if (index < 0 || index >= order.length) continue;
      const length = shared(text, from, order[index]);
      if (length > best.length) best = { at: order[index], length };
    }
    return best;
  }

  const count = (text: Uint16Array, from: number, end: number): number =>
    place(text, from, end, true) - place(text, from, end, false);

  return {
    documents: documents.length,
    units: corpus.length - documents.length,
    longestCopied(text) {
      const units = unitsOf(text);
      let best = { start: 0, at: -1, length: 0 };
      for (let start = 0; start < units.length; start++) {
        if (isLowHalf(units[start]) && start > 0 && isHighHalf(units[start - 1])) continue; // inside of a character
        const { at, length } = longestAt(units, start);
        const end = start + length;
        const whole = length > 0 && isHighHalf(units[end - 1]) && isLowHalf(units[end]) ? length - 1 : length;
        if (whole > best.length) best = { start, at, length: whole };
      }
      if (best.length === 0) return undefined;
      const end = best.start + best.length;
      const document = documentAt(starts, best.at);
      return {
        text: text.slice(best.start, end),
        start: best.start,
        document,
        offset: best.at - starts[document],
        occurrences: count(units, best.start, end),
      };
    },
    occurrences(text) {
      const units = unitsOf(text);
      return units.length === 0 || units.includes(SEPARATOR) ? 0 : count(units, 0, units.length);
    },
  };
}

const isHighHalf = (unit: number): boolean => (unit & 0xfc00) === 0xd800;
const isLowHalf = (unit: number): boolean => (unit & 0xfc00) === 0xdc00;

function writeUnits(text: string, into: Uint16Array, at: number): void {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
}

function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  writeUnits(text, units, 0);
  return units;
}

/** The document in which a unit of the corpus lies. */
function documentAt(starts: Float64Array, at: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle] <= at) low = middle;
    else high = middle;
  }
  return low;
}
