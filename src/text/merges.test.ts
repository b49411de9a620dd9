// Merges read as bytes give the table that merges read as texts give, spellings that the vocabulary lacks included.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../base/errors.ts";
import { TextList } from "../base/text-list.ts";
import type { MergeTable } from "./merge-table.ts";
import { mergesOf } from "./merges.ts";
import { Vocabulary } from "./vocabulary.ts";

const TOKENS = ["a", "b", "ab", "Ġ", "Ġa", "量", "变", "量变", "abb", " ", " a"];
const MERGES = ["a b", "Ġ a", "量 变", "ab b", "ab x", "x y", "abx xy", "  a"];

test("asking for pairs one by one, and all at once, finds what a table of all has", () => {
  const [extra, lazyExtra]: string[][] = [[], []];
  const table = mergesOf(MERGES, new Vocabulary(TOKENS, undefined, "test"), extra, "test");
  const lazy = mergesOf(TextList.of(MERGES), new Vocabulary(TOKENS, undefined, "test"), lazyExtra, "test");
  assert.deepEqual(extra, ["x", "abx", "y", "xy", "abxxy"]);
  const spelling = (id: number, more: readonly string[]): string => TOKENS[id] ?? more[id - TOKENS.length];
  const found = (of: MergeTable, more: readonly string[], left: string, right: string) => {
    const idOf = (text: string): number => [...TOKENS, ...more].indexOf(text);
    const row = idOf(left) < 0 || idOf(right) < 0 ? -1 : of.find(idOf(left), idOf(right));
    return row < 0 ? undefined : [of.rows[row + 2], spelling(of.rows[row + 3], more)];
  };
  const compare = (): void => {
    for (const left of TOKENS) {
      for (const right of TOKENS) {
        const pair = `${left}|${right}`;
        assert.deepEqual(found(lazy, lazyExtra, left, right), found(table, extra, left, right), pair);
      }
    }
  };
  compare();
  for (let i = 0; i < 20_000; i++) lazy.find(i % TOKENS.length, 1_000_000 + i); // unknown symbols: asked for, not there
  compare();
  assert.deepEqual(found(lazy, lazyExtra, "abx", "xy"), [6, "abxxy"]);
});

test("an entry that is no pair, or spells what nothing lists, is refused by its number", () => {
  const vocabulary = new Vocabulary(TOKENS, undefined, "test");
  for (const list of [(merges: string[]) => merges, (merges: string[]) => TextList.of(merges)]) {
    assert.throws(() => mergesOf(list(["a b", "ab"]), vocabulary, [], "f"), /merge 1 is "ab"/);
    assert.throws(() => mergesOf(list(["a x"]), vocabulary, undefined, "f"), FormatError);
  }
});

test("a spelling is found by its bytes, whatever its length; one that repeats is refused", () => {
  const long = "量".repeat(200);
  const vocabulary = new Vocabulary([...TOKENS, long], undefined, "test");
  assert.deepEqual(
    [...TOKENS, long].map((text) => vocabulary.idOf(text)),
    Array.from({ length: 12 }, (_, id) => id),
  );
  assert.equal(vocabulary.idOf("abc"), undefined);
  assert.throws(() => new Vocabulary(["a", "b", "a"], undefined, "f").idOf("a"), /token 0 is "a"/);
});
