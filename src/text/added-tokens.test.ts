import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AddedToken, AddedTokens } from "./added-tokens.ts";

const TOKENS: readonly AddedToken[] = [
  { id: 1, text: "<|end|>", special: true },
  { id: 2, text: "<tool>", special: false },
  { id: 3, text: "<tool>s", special: false },
  { id: 4, text: "<mask>", special: true, stripLeft: true, stripRight: true },
  { id: 5, text: "cat", special: true, singleWord: true },
];

function split(text: string, special: boolean): (string | number)[] {
  const parts: (string | number)[] = [];
  new AddedTokens(TOKENS).split(text, special, (start, end, id) => parts.push(id >= 0 ? id : text.slice(start, end)));
  return parts;
}

describe("added tokens in a text", () => {
  test("control tokens are plain text unless specials are parsed; user-defined ones are found either way", () => {
    assert.deepEqual(split("a<|end|>b<tool>c", false), ["a<|end|>b", 2, "c"]);
    assert.deepEqual(split("a<|end|>b<tool>c", true), ["a", 1, "b", 2, "c"]);
  });

  test("the longest of those that begin at a place is taken", () => {
    assert.deepEqual(split("<tool>s<tool><tool", false), [3, 2, "<tool"]);
  });

  test("white space beside a stripping token goes with it", () => {
    assert.deepEqual(split("a \t<mask>\n b", true), ["a", 4, "b"]);
    assert.deepEqual(split("<tool> <mask> <mask>", true), [2, 4, 4]);
  });

  test("a whole-word token is not found inside a word", () => {
    assert.deepEqual(split("cat catalogue a_cat 猫cat (cat)", true), [5, " catalogue a_cat 猫cat (", 5, ")"]);
  });

  test("a text without tokens is one section, an empty one is none", () => {
    assert.deepEqual(split("plain", true), ["plain"]);
    assert.deepEqual(split("", true), []);
  });
});
