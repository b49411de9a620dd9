// The merge table of a list of merges, as files have them: "left right", or a pair. A long list is read as bytes, without a
// string of each spelling. Not here: merges that follow from scores or ranks of tokens (character-symbols.ts, from-ranks.ts).
import { FormatError } from "../base/errors.ts";
import { TextList } from "../base/text-list.ts";
import { MergeTable } from "./merge-table.ts";
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
  const table = new MergeTable(merges.length);
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
  if (merges instanceof TextList) addFromBytes(table, merges, vocabulary, otherSymbol, file);
  else addFromTexts(table, merges, vocabulary, otherSymbol, file);
  return table;
}

type OtherSymbol = (text: string, rank: number) => number;

function addFromTexts(
  table: MergeTable,
  merges: readonly (string | readonly [string, string])[],
  vocabulary: Vocabulary,
  otherSymbol: OtherSymbol,
  file: string,
): void {
  const symbolOf = (text: string, rank: number): number => vocabulary.idOf(text) ?? otherSymbol(text, rank);
  for (const [rank, merge] of merges.entries()) {
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
  }
}

function addFromBytes(
  table: MergeTable,
  merges: TextList,
  vocabulary: Vocabulary,
  otherSymbol: OtherSymbol,
  file: string,
): void {
  const { bytes, starts } = merges;
  const { index } = vocabulary;
  for (let rank = 0; rank < merges.length; rank++) {
    const [start, end] = [starts[rank], starts[rank + 1]];
    let space = start + 1;
    while (space < end && bytes[space] !== SPACE) space++;
    if (space >= end) throw noPair(file, rank, merges.at(rank));
    let left = index.find(bytes, start, space);
    let right = index.find(bytes, space + 1, end);
    let merged = index.findJoined(bytes, start, space, space + 1, end);
    if (left < 0 || right < 0 || merged < 0) {
      const [first, second] = [textOf(bytes, start, space), textOf(bytes, space + 1, end)];
      if (left < 0) left = otherSymbol(first, rank);
      if (right < 0) right = otherSymbol(second, rank);
      if (merged < 0) merged = otherSymbol(first + second, rank);
    }
    table.add(left, right, rank, merged);
  }
}

const textOf = (bytes: Uint8Array, from: number, end: number): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from, end));

const noPair = (file: string, rank: number, found: unknown): FormatError =>
  new FormatError(file, `merge ${rank}`, found, "two symbols with a space between");
