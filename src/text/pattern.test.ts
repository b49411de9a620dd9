import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UnsupportedError } from "../base/errors.ts";
import { translatePattern } from "./pattern.ts";

const matches = (pattern: string, text: string, anchors?: "line") =>
  [...text.matchAll(translatePattern(pattern, anchors))].map(([match]) => match);

describe("patterns of tokenizer files", () => {
  test("\\s is White_Space: U+0085 is in, U+FEFF is not", () => {
    assert.deepEqual(matches(String.raw`\s+`, "a\u0085 b\ufeffc\u3000"), ["\u0085 ", "\u3000"]);
    assert.deepEqual(matches(String.raw`[^\s\p{L}]+|\S`, "a\u0085\ufeff1"), ["a", "\ufeff1"]);
  });

  test("$ and ^ are the text's ends, or each line's", () => {
    assert.deepEqual(matches(String.raw`\s+$`, "a \nb "), [" "]);
    assert.deepEqual(matches(String.raw`\s+$`, "a \nb ", "line"), [" ", " "]);
    assert.deepEqual(matches("^b", "a\nb", "line"), ["b"]);
  });

  test("a dot is every character but a line feed", () => {
    assert.deepEqual(matches(".+", "a\r\u2028b\nc"), ["a\r\u2028b", "c"]);
    assert.deepEqual(matches(String.raw`[.]|\.`, "a.b"), ["."]);
  });

  test("a possessive quantifier gives nothing back", () => {
    assert.deepEqual(matches("a++a|b", "aaab"), ["b"]);
    assert.deepEqual(matches(String.raw`\p{N}{1,3}+1|x`, "1111x111"), ["1111", "x"]);
    assert.deepEqual(matches("(?:ab)++ab|c", "ababc"), ["c"]);
  });

  test("case is ignored where the pattern says so, for the long s too", () => {
    assert.deepEqual(matches("(?i:'s|'LL)|x", "'S 'ſ 'll X"), ["'S", "'ſ", "'ll"]);
  });

  test("escapes, scripts and code points are understood", () => {
    assert.deepEqual(matches(String.raw`[\-\#\.]|\"|\u4e00|\x{4e8c}|\p{Han}`, '-#."一二三a'), Array.from('-#."一二三'));
    assert.deepEqual(matches(String.raw`\pL\d/`, "a1/"), ["a1/"]);
  });

  for (const pattern of [
    "[a[bc]]",
    "[a&&b]",
    String.raw`\A`,
    "(?<name>a)",
    "(?#note)",
    String.raw`[\S]`,
    "(?i)a",
    "a)",
  ]) {
    test(`${pattern} is refused, not guessed`, () => {
      assert.throws(() => translatePattern(pattern), UnsupportedError);
    });
  }
});
