import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UnsupportedError } from "../base/errors.ts";
import { linearFinder } from "./linear-pattern.ts";
import { translatePattern } from "./pattern.ts";
import { patterns, preTokenizerNames, preTokenizerOf } from "./pre-tokenizers.ts";

type Ranges = [start: number, end: number][];

function found(pattern: string, text: string): Ranges {
  const ranges: Ranges = [];
  linearFinder(translatePattern(pattern), pattern)(text, (start, end) => ranges.push([start, end]));
  return ranges;
}

/** What the host's own engine finds. */
const twin = (pattern: string, text: string): Ranges =>
  [...text.matchAll(translatePattern(pattern))].map((match) => [match.index, match.index + match[0].length]);

/** A repeatable stream of whole numbers below a bound. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ATOMS = ["a", "b", "[ab]", "[^a]", ".", String.raw`\s`, String.raw`\p{L}`, "😀", "A", String.raw`\n`, "(?i:a)"];
const REPEATS = ["", "", "", "?", "*", "+", "*?", "+?", "??", "{2}", "{1,3}", "{2,}", "?+", "++", "*+"];

function randomPattern(random: (below: number) => number, depth = 0): string {
  const pick = (items: readonly string[]) => items[random(items.length)];
  const group = () => {
    if (depth > 2 || random(3) > 0) return pick(ATOMS);
    return `${pick(["(?:", "(", "(?=", "(?!", "(?<=", "(?<!", "(?i:"])}${randomPattern(random, depth + 1)})`;
  };
  const sequence = () => Array.from({ length: 1 + random(3) }, () => group() + pick(REPEATS)).join("");
  return Array.from({ length: 1 + random(3) }, sequence).join("|") + (random(12) === 0 ? "$" : "");
}

describe("matches in linear time", () => {
  test("are those of the host's engine, on random patterns and texts", () => {
    const random = numbers(3);
    let compared = 0;
    for (let round = 0; round < 4000; round++) {
      const pattern = randomPattern(random);
      const text = Array.from(
        { length: random(14) },
        () => ["a", "b", "A", " ", "\n", "\r", "😀", "c"][random(8)],
      ).join("");
      let expected: Ranges;
      try {
        expected = twin(pattern, text);
        assert.deepEqual(found(pattern, text), expected, `${pattern} on ${JSON.stringify(text)}`);
        compared++;
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
      }
    }
    assert.ok(compared > 1000, `${compared} patterns could be compared`);
  });

  test("are those of the host's engine for every pattern in use", () => {
    const text =
      "Hello, it's   2024!\r\n\n\tDON'T stop 12345  中文，测试 ٣٤ naïve_word /path\r\n  end 😀👍🏽 'LL \u00a0x  ";
    const all = new Set([
      ...Object.values(patterns),
      ...preTokenizerNames().flatMap((name) => preTokenizerOf(name).patterns),
    ]);
    assert.ok(all.size > 20);
    for (const pattern of all) assert.deepEqual(found(pattern, text), twin(pattern, text), pattern);
  });

  for (const [pattern, unit] of [
    ["(a+)+b", "a"],
    ["(?:a|a)*b", "a"],
    ["(?:a|aa)+$", "a"],
    [String.raw`\s*\s*\s*\s*x`, " "],
    ["a(?=.*b)", "a"],
    ["(?:a++)b|a+c", "a"],
    ["(?<!b)a*a*a*b", "a"],
    [String.raw`(?:\p{L}+\s?)+!`, "ab "],
  ] as const) {
    test(`${pattern} reads a hundred thousand characters`, () => {
      const started = performance.now();
      const ranges = found(pattern, `${unit.repeat(100_000 / unit.length)}#`);
      const ms = performance.now() - started;
      assert.ok(ranges.length <= 1);
      assert.ok(ms < 5000, `it took ${ms} ms; ten thousand million steps take minutes`);
    });
  }

  for (const pattern of [
    "(?:a*)*b",
    "(?:a|)+",
    "(?:a?)?",
    "a{2000}",
    "(?:a{100}){100}",
    "(?<=a+)b",
    `${"(".repeat(60)}a${")".repeat(60)}`,
  ]) {
    test(`${pattern.slice(0, 20)} is refused`, () => {
      assert.throws(() => linearFinder(translatePattern(pattern), pattern), UnsupportedError);
    });
  }
});
