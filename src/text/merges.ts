// The merge table of a list of merges, as files have them: "left right", or a pair. A long list is read as bytes, without a
// string of each spelling. Not here: merges that follow from scores or ranks of tokens (character-symbols.ts, from-ranks.ts).
import { FormatError } from "../base/errors.ts";
import { TextList } from "../base/text-list.ts";
import { MergeTable } from "./merge-table.ts";
import { TextIndex } from "./text-index.ts";
import type { Vocabulary } from "./vocabulary.ts";

const SPACE = 0x20;

/**
 * Spellings that the vocabulary lacks are appended to `extra` and stand for symbols from the vocabulary's size on; without
 * `extra` they are refused. Throws FormatError for an entry that is no pair.
 */
export function mergesOf(
  merges: TextList | readonly (string | readonly [string, string])[],
  vocabulary: Vocabulary,
  extra: string[] | undefined,
  file: string,
): MergeTable {
  const extraIds = new Map<string, number>();
  /** The symbol of a spelling that the vocabulary lacks. */
  const otherSymbol = (text: string, rank: number): number => {
    const known = extraIds.get(text);
    if (known !== undefined) return known;
    if (extra === undefined) throw new FormatError(file, `merge ${rank}`, text, "spellings that the vocabulary has");
    const symbol = vocabulary.size + extra.length;
    extra.push(text);
    extraIds.set(text, symbol);
    return symbol;
  };
  // a list whose symbols must all be the vocabulary's is held against it at once
  if (merges instanceof TextList && extra !== undefined)
    return mergesFromBytes(merges, vocabulary, extra, otherSymbol, file);
  const table = new MergeTable(merges.length);
  const symbolOf = (text: string, rank: number): number => vocabulary.idOf(text) ?? otherSymbol(text, rank);
  let rank = 0;
  for (const merge of merges) {
    let left: string;
    let right: string;
    if (typeof merge === "string") {
      const space = merge.indexOf(" ", 1); // from 1: a symbol may itself be a space
      if (space < 0) throw noPair(file, rank, merge);
      left = merge.slice(0, space);
      right = merge.slice(space + 1);
    } else {
      [left, right] = merge;
    }
    table.add(symbolOf(left, rank), symbolOf(right, rank), rank, symbolOf(left + right, rank));
    rank++;
  }
  return table;
}

type OtherSymbol = (text: string, rank: number) => number;

/** A table that asks the list for each pair that it meets, by an index of the merges' bytes. */
function mergesFromBytes(
  merges: TextList,
  vocabulary: Vocabulary,
  extra: readonly string[],
  otherSymbol: OtherSymbol,
  file: string,
): MergeTable {
  const { bytes, starts, length } = merges;
  const spaces = new Uint32Array(length);
  for (let rank = 0; rank < length; rank++) {
    let space = starts[rank] + 1;
    while (space < starts[rank + 1] && bytes[space] !== SPACE) space++;
    if (space >= starts[rank + 1]) throw noPair(file, rank, merges.at(rank));
    spaces[rank] = space;
  }
  const ranks = new TextIndex(merges);
  const { index, list } = vocabulary;

  /** What the two halves of a merge become. */
  const mergedOf = (rank: number): number => {
    const merged = index.findJoined(bytes, starts[rank], spaces[rank], spaces[rank] + 1, starts[rank + 1]);
    if (merged >= 0) return merged;
    const [left, right] = [
      textOf(bytes, starts[rank], spaces[rank]),
      textOf(bytes, spaces[rank] + 1, starts[rank + 1]),
    ];
    return otherSymbol(left + right, rank);
  };
  const halfOf = (rank: number, from: number, end: number): number => {
    const symbol = index.find(bytes, from, end);
    return symbol >= 0 ? symbol : otherSymbol(textOf(bytes, from, end), rank);
  };

  let pair = new Uint8Array(256);
  /** Puts a symbol's bytes into `pair` from `at` on; returns where they end. */
  const spell = (symbol: number, at: number): number => {
    const spelled = symbol < vocabulary.size ? undefined : new TextEncoder().encode(extra[symbol - vocabulary.size]);
    const from = spelled ?? list.bytes;
    const [first, end] = spelled === undefined ? [list.starts[symbol], list.starts[symbol + 1]] : [0, spelled.length];
    if (at + end - first + 1 > pair.length) {
      const larger = new Uint8Array(2 * (at + end - first + 1));
      larger.set(pair);
      pair = larger;
    }
    for (let i = first; i < end; i++) pair[at + i - first] = from[i];
    return at + end - first;
  };
  const resolve = (left: number, right: number): readonly [number, number] | undefined => {
    if (left < 0 || right < 0) return undefined; // of a byte that the vocabulary lacks
    const space = spell(left, 0);
    pair[space] = SPACE;
    const rank = ranks.find(pair, 0, spell(right, space + 1));
    // of symbols with a space in them, two pairs may read alike
    return rank < 0 || spaces[rank] - starts[rank] !== space ? undefined : [rank, mergedOf(rank)];
  };
  return new MergeTable(length, resolve, (table) => {
    for (let rank = 0; rank < length; rank++) {
      const left = halfOf(rank, starts[rank], spaces[rank]);
      table.add(left, halfOf(rank, spaces[rank] + 1, starts[rank + 1]), rank, mergedOf(rank));
    }
  });
}

const textOf = (bytes: Uint8Array, from: number, end: number): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from, end));

const noPair = (file: string, rank: number, found: unknown): FormatError =>
  new FormatError(file, `merge ${rank}`, found, "two symbols with a space between");
