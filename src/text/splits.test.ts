import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { patternSplit, Ranges, sequenceSplit, type Split, type SplitBehavior } from "./splits.ts";

function cut(split: Split, text: string, start = 0, end = text.length): string[] {
  const ranges = new Ranges();
  split(text, start, end, ranges);
  return Array.from({ length: ranges.length / 2 }, (_, i) =>
    text.slice(ranges.bounds[2 * i], ranges.bounds[2 * i + 1]),
  );
}

// What tokenizers 0.23.3 gives for Split("-", behavior, invert) on "--a-b--c-".
const EXPECTED: Readonly<Record<SplitBehavior, readonly [plain: string, inverted: string]>> = {
  removed: ["a b c", "- - - - - -"],
  isolated: ["- - a - b - - c -", "- - a - b - - c -"],
  "merged-with-previous": ["- - a- b- - c-", "- -a -b - -c -"],
  "merged-with-next": ["- -a -b - -c -", "- - a- b- - c-"],
  contiguous: ["-- a - b -- c -", "-- a - b -- c -"],
};

describe("splits", () => {
  for (const [behavior, [plain, inverted]] of Object.entries(EXPECTED)) {
    test(`${behavior} leaves the pieces that the tokenizers library leaves`, () => {
      const of = (invert: boolean) => cut(patternSplit("-", behavior as SplitBehavior, invert), "--a-b--c-").join(" ");
      assert.equal(of(false), plain);
      assert.equal(of(true), inverted);
    });
  }

  test("a later split sees only the pieces of the earlier one", () => {
    const split = sequenceSplit([patternSplit(String.raw`\d`), patternSplit(String.raw`\p{L}+(?!\p{N})`)]);
    assert.deepEqual(cut(split, "ab1cd 2e"), ["ab", "1", "cd", " ", "2", "e"]);
  });

  test("a range is cut as if nothing stood beside it", () => {
    assert.deepEqual(cut(patternSplit(String.raw`\s+(?!\S)|\S+`), "xx  a  yy", 2, 7), [
      "  a  ".slice(0, 1),
      " ",
      "a",
      "  ",
    ]);
  });

  test("an empty match cuts nothing", () => {
    assert.deepEqual(cut(patternSplit("x*"), "axb"), ["a", "x", "b"]);
  });
});
