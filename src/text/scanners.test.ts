import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { uniform } from "../base/random.ts";
import { scans } from "./pre-tokenizers.ts";
import { patternSplit, Ranges, type Split } from "./splits.ts";

/** Characters of every class that a pattern tells apart, the seldom ones as often as the common. */
const CHARACTERS = Array.from(
  [
    "aZsStTdDlLvVeErRmMé",
    "019٣½Ⅳ①",
    "    \t\n\r\u0085\u00a0\u3000\u2028",
    "'’.,!?-_/<>|\"#",
    "中文の한ࠀ",
    "\u0301\u0903\u20dd", // marks: Mn, Mc, Me
    "ʰªǅſİß", // modifier, other, title case; long s
    "😀𝒳𠮷\u{e0101}\u{1d7ce}", // beyond the first plane: symbol, letter, CJK, mark, number
    "\u200b\ufeff\u200d\u0000\ue000",
  ].join(""),
);

const PROSE = [
  "I can't believe it's not butter; they'll say we've won, I'd guess you're RIGHT, SHE'S here.",
  "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1)  # ok?!\n\n\n",
  "今天天气怎么样？我想去北京故宫看看。2024年1月23日，共12345678元。",
  "HTTPServer camelCase iPhone's XMLHttpRequest'S /* path/to/file */ https://a.b/c?d=e%20",
  "  leading, trailing  \t\n ",
];

function piecesOf(split: Split, text: string): string[] {
  const ranges = new Ranges();
  split(text, 0, text.length, ranges);
  const pieces: string[] = [];
  for (let i = 0; i < ranges.length; i += 2) pieces.push(text.slice(ranges.bounds[i], ranges.bounds[i + 1]));
  return pieces;
}

function randomText(seed: number): string {
  const length = Math.floor(uniform(seed, 0, 0) * 40);
  return Array.from({ length }, (_, i) => CHARACTERS[Math.floor(uniform(seed, 1, i) * CHARACTERS.length)]).join("");
}

for (const [index, { pattern, split: scan, anchors }] of scans.entries()) {
  describe(`scanner of ${pattern.slice(0, 60)} (${anchors ?? "no"} anchors)`, () => {
    const twin = patternSplit(pattern, "isolated", false, anchors);

    test("cuts prose where the pattern does", () => {
      for (const text of PROSE) assert.deepEqual(piecesOf(scan, text), piecesOf(twin, text));
    });

    test("cuts 1,500 random texts where the pattern does", () => {
      for (let seed = 0; seed < 1500; seed++) {
        const text = randomText(seed * 16 + index);
        assert.deepEqual(piecesOf(scan, text), piecesOf(twin, text), JSON.stringify(text));
      }
    });

    test("looks at nothing outside its range", () => {
      for (let seed = 0; seed < 300; seed++) {
        const text = randomText(seed + 70_000);
        const framed = `'s  a1${text}\n'll 9`;
        const ranges = new Ranges();
        scan(framed, 6, 6 + text.length, ranges);
        const bounds = [...ranges.bounds.subarray(0, ranges.length)].map((at) => at - 6);
        const alone = new Ranges();
        scan(text, 0, text.length, alone);
        assert.deepEqual(bounds, [...alone.bounds.subarray(0, alone.length)], JSON.stringify(text));
      }
    });
  });
}
