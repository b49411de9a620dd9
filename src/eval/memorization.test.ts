import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { philox, uniform } from "../base/random.ts";
import { createCorpusIndex } from "./memorization.ts";
import { suffixArray } from "./suffix-array.ts";

/** The slow twin: suffixes compared one with another. */
function slowSuffixArray(units: ArrayLike<number>): number[] {
  const order = Array.from({ length: units.length }, (_, i) => i);
  const compare = (a: number, b: number): number => {
    for (let i = 0; ; i++) {
      if (a + i === units.length || b + i === units.length) return b - a; // the shorter one is the smaller
      if (units[a + i] !== units[b + i]) return units[a + i] - units[b + i];
    }
  };
  return order.sort(compare);
}

const unitsOf = (text: string): Uint16Array => Uint16Array.from(text, (character) => character.charCodeAt(0));

describe("the suffix array", () => {
  test("equals sorting, for texts with many repeats and few", () => {
    for (let seed = 0; seed < 300; seed++) {
      const length = philox(seed, 0, 0)[0] % 80;
      const letters = 1 + (philox(seed, 0, 1)[0] % 6);
      const units = Int32Array.from({ length }, (_, i) => philox(seed, 1, i)[0] % letters);
      assert.deepEqual([...suffixArray(units, letters)], slowSuffixArray(units));
    }
  });

  test("equals sorting for what makes the recursion deep", () => {
    let [word, next] = ["a", "ab"];
    while (next.length < 1200) [word, next] = [next, next + word]; // Fibonacci words
    for (const text of [
      next,
      "a".repeat(500),
      "ab".repeat(300),
      "abcabc".repeat(120) + "abd",
      "mississippi",
      "a",
      "",
    ]) {
      assert.deepEqual([...suffixArray(unitsOf(text), 256)], slowSuffixArray(unitsOf(text)), text.slice(0, 20));
    }
  });

  test("is in order for a large text, checked in linear time", () => {
    const size = 200_000;
    const units = Uint16Array.from({ length: size }, (_, i) => (philox(3, 0, i)[0] % 4) + (i % 1000 < 300 ? 0 : 4));
    const order = suffixArray(units, 8);
    // Burkhardt and Kaerkkaeinen 2003: a permutation in which first units ascend, and ties by the rest's ranks
    const ranks = new Int32Array(size + 1).fill(-1);
    for (const [rank, start] of order.entries()) ranks[start] = rank;
    assert.ok(ranks.subarray(0, size).every((rank) => rank >= 0));
    for (let i = 1; i < size; i++) {
      const [a, b] = [order[i - 1], order[i]];
      assert.ok(units[a] < units[b] || (units[a] === units[b] && ranks[a + 1] < ranks[b + 1]));
    }
  });
});

/** The slow twin: every span tried, the longest first. */
function slowLongest(documents: readonly string[], text: string): string | undefined {
  for (let length = text.length; length > 0; length--) {
    for (let start = 0; start + length <= text.length; start++) {
      const span = text.slice(start, start + length);
      if (documents.some((document) => document.includes(span))) return span;
    }
  }
  return undefined;
}

function slowOccurrences(documents: readonly string[], text: string): number {
  return documents.reduce((sum, document) => {
    for (let at = document.indexOf(text); at >= 0; at = document.indexOf(text, at + 1)) sum++;
    return sum;
  }, 0);
}

describe("what a text has from a corpus", () => {
  test("is the longest span that trying all of them finds, where it lies", () => {
    const LETTERS = "春眠不觉晓ab";
    const random = (seed: number, length: number): string =>
      Array.from({ length }, (_, i) => LETTERS[Math.floor(uniform(seed, 0, i) * LETTERS.length)]).join("");
    for (let seed = 0; seed < 60; seed++) {
      const documents = Array.from({ length: 12 }, (_, i) => random(seed * 100 + i, (seed + i * 7) % 40));
      const index = createCorpusIndex(documents);
      const text = random(seed + 9000, 25) + documents[seed % 12].slice(3, 15) + random(seed + 9500, 5);
      const found = index.longestCopied(text);
      assert.equal(found?.text, slowLongest(documents, text));
      if (found === undefined) continue;
      assert.equal(text.slice(found.start, found.start + found.text.length), found.text);
      assert.equal(documents[found.document].slice(found.offset, found.offset + found.text.length), found.text);
      assert.equal(found.occurrences, slowOccurrences(documents, found.text));
      for (const part of [text.slice(0, 2), text.slice(5, 8), "春"]) {
        assert.equal(index.occurrences(part), slowOccurrences(documents, part));
      }
    }
  });

  test("never reaches from one document into the next, nor cuts a character", () => {
    const index = createCorpusIndex(["白日依山尽", "黄河入海流", "𠀀x"]);
    assert.deepEqual([index.documents, index.units], [3, 13]);
    assert.equal(index.longestCopied("山尽黄河入海")?.text, "黄河入海");
    assert.equal(index.longestCopied("山尽\uffff黄河")?.text, "山尽");
    assert.equal(index.longestCopied("𠀁"), undefined); // the same first half
    assert.equal(index.longestCopied("！？"), undefined);
    assert.equal(index.longestCopied(""), undefined);
    assert.equal(index.occurrences("尽\uffff黄"), 0);
    assert.equal(index.occurrences(""), 0);
  });

  test("of an empty corpus is nothing", () => {
    for (const documents of [[], [""], ["", ""]])
      assert.equal(createCorpusIndex(documents).longestCopied("a"), undefined);
  });
});
