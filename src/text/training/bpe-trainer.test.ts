// Merges against a slow twin that counts all pairs anew after each merge.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { learnMerges } from "./bpe-trainer.ts";
import { characterFill } from "./character-cells.ts";
import { PieceCounts } from "./piece-counts.ts";
import { layOutPieces } from "./symbol-cells.ts";

type Words = readonly (readonly [word: string, count: number])[];

interface Merge {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

/** Recounts after every merge. */
function slowMerges(words: Words, alphabet: string, mergesMax: number, countMin: number): Merge[] {
  let symbols = words.map(([word]) => Array.from(word, (character) => alphabet.indexOf(character)));
  const merges: Merge[] = [];
  while (merges.length < mergesMax) {
    const counts = new Map<string, Merge>();
    for (const [index, word] of symbols.entries()) {
      for (let i = 0; i + 1 < word.length; i++) {
        const [left, right] = [word[i], word[i + 1]];
        const count = (counts.get(`${left} ${right}`)?.count ?? 0) + words[index][1];
        counts.set(`${left} ${right}`, { left, right, count });
      }
    }
    const [best] = [...counts.values()].sort((a, b) => b.count - a.count || a.left - b.left || a.right - b.right);
    if (best === undefined || best.count < countMin) break;
    const merged = alphabet.length + merges.length;
    merges.push(best);
    symbols = symbols.map((word) => {
      const rewritten: number[] = [];
      for (let i = 0; i < word.length; i++) {
        if (word[i] === best.left && word[i + 1] === best.right) {
          rewritten.push(merged);
          i++;
        } else rewritten.push(word[i]);
      }
      return rewritten;
    });
  }
  return merges;
}

function fastMerges(words: Words, alphabet: string, mergesMax: number, countMin: number, idCount?: number): Merge[] {
  const pieces = new PieceCounts();
  for (const [word, count] of words) pieces.add(word, 0, word.length, count);
  const corpus = layOutPieces(pieces, characterFill(Array.from(alphabet)), 1, idCount ?? alphabet.length + mergesMax);
  const { lefts, rights, counts } = learnMerges(corpus, { baseCount: alphabet.length, mergesMax, countMin });
  return lefts.map((left, i) => ({ left, right: rights[i], count: counts[i] }));
}

/** Numbers from 0 to 1, the same every time (Park and Miller). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function randomWords(random: () => number, alphabet: string, count: number): Words {
  const words = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const length = 1 + Math.floor(random() * 12);
    // a power of a random number makes some letters common, so that runs and equal counts occur
    const word = Array.from({ length }, () => alphabet[Math.floor(random() ** 2 * alphabet.length)]).join("");
    words.set(word, 1 + Math.floor(random() ** 3 * 40));
  }
  return [...words];
}

describe("merges", () => {
  for (const alphabet of ["a", "ab", "abcde", "0123456789abcdefghij"]) {
    test(`are those of a recount after each (${alphabet.length} letters)`, () => {
      const random = randomNumbers(alphabet.length);
      for (let round = 0; round < 12; round++) {
        const words = randomWords(random, alphabet, 60);
        assert.deepEqual(fastMerges(words, alphabet, 60, 1), slowMerges(words, alphabet, 60, 1));
      }
    });
  }

  test("of a run go from left to right", () => {
    const words: Words = [["aaaaaaa", 3]];
    assert.deepEqual(fastMerges(words, "a", 5, 1), slowMerges(words, "a", 5, 1));
    assert.deepEqual(fastMerges(words, "a", 1, 1), [{ left: 0, right: 0, count: 18 }]);
  });

  test("are the same in cells of four bytes as in those of two", () => {
    const words = randomWords(randomNumbers(9), "abcdef", 80);
    assert.deepEqual(fastMerges(words, "abcdef", 50, 1, 100_000), fastMerges(words, "abcdef", 50, 1));
  });

  test("end where no pair occurs often enough", () => {
    assert.deepEqual(
      fastMerges(
        [
          ["ab", 3],
          ["cd", 2],
        ],
        "abcd",
        9,
        3,
      ),
      [{ left: 0, right: 1, count: 3 }],
    );
    assert.deepEqual(fastMerges([["a", 3]], "a", 9, 1), []);
  });

  test("are found below the first floor, where pairs are collected anew", () => {
    // one pair outweighs all others together a thousand times
    const words: Words = [["xy", 1_000_000], ...randomWords(randomNumbers(3), "abcdef", 50)];
    assert.deepEqual(fastMerges(words, "abcdefxy", 40, 1), slowMerges(words, "abcdefxy", 40, 1));
  });

  test("leave out what may not be a symbol", () => {
    const pieces = new PieceCounts();
    pieces.add("abcabc", 0, 6, 5);
    const corpus = layOutPieces(pieces, characterFill(["a", "b", "c"]), 1, 10);
    const { lefts, rights } = learnMerges(corpus, {
      baseCount: 3,
      mergesMax: 1,
      countMin: 1,
      allows: (left, right) => !(left === 0 && right === 1),
    });
    assert.deepEqual([lefts, rights], [[1], [2]]);
  });

  test("reach across no character outside of the alphabet", () => {
    assert.deepEqual(
      fastMerges(
        [
          ["a?b?a", 7],
          ["ba", 1],
        ],
        "ab",
        9,
        1,
      ),
      [{ left: 1, right: 0, count: 1 }],
    );
  });
});
