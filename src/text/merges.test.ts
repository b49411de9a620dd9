// Merges read as bytes give the table that merges read as texts give, spellings that the vocabulary lacks included.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../base/errors.ts";
import { TextList } from "../base/text-list.ts";
import { mergesOf } from "./merges.ts";
import { Vocabulary } from "./vocabulary.ts";

const TOKENS = ["a", "b", "ab", "Ġ", "Ġa", "量", "变", "量变", "abb", " ", " a"];
const MERGES = ["a b", "Ġ a", "量 变", "ab b", "ab x", "x y", "abx xy", "  a"];

test("bytes and texts give one table and the same symbols besides the vocabulary's", () => {
  const made = [MERGES, TextList.of(MERGES)].map((merges) => {
    const extra: string[] = [];
    const table = mergesOf(merges, new Vocabulary(TOKENS, undefined, "test"), extra, "test");
    return { rows: table.rows, extra };
  });
  assert.deepEqual(made[1], made[0]);
  assert.deepEqual(made[0].extra, ["x", "abx", "y", "xy", "abxxy"]);
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
