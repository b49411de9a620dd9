import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { uniform } from "../base/random.ts";
import { BpeMerger } from "./bpe-merge.ts";
import { MergeTable, NO_MERGE, RANK_MAX } from "./merge-table.ts";

/** Random merges over the symbols 0..3 and what they make, as training would: each of two earlier symbols. */
function randomMerges(seed: number): MergeTable {
  const table = new MergeTable(16);
  for (let rank = 0; rank < 60; rank++) {
    const left = Math.floor(uniform(seed, 0, 2 * rank) * (4 + rank));
    const right = Math.floor(uniform(seed, 0, 2 * rank + 1) * (4 + rank));
    table.add(left, right, rank >> 1, 4 + rank); // ranks in pairs: equal ranks go by place
  }
  return table;
}

/** The definition, word for word: look for the best pair, merge it, begin again. */
function mergeSlowly(table: MergeTable, given: readonly number[]): number[] {
  const symbols = [...given];
  for (;;) {
    let best = NO_MERGE;
    let at = -1;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const row = table.find(symbols[i], symbols[i + 1]);
      if (row !== NO_MERGE && (at < 0 || table.rows[row + 2] < table.rows[best + 2])) [best, at] = [row, i];
    }
    if (at < 0) return symbols;
    symbols.splice(at, 2, table.rows[best + 3]);
  }
}

describe("byte-pair merging", () => {
  for (const [name, scanLimit] of [
    ["by scan", 96],
    ["by heap", 0],
  ] as const) {
    test(`${name} merges as the definition says, on 300 random tables and pieces`, () => {
      for (let seed = 0; seed < 300; seed++) {
        const table = randomMerges(seed);
        const length = Math.floor(uniform(seed, 1, 0) * 90);
        const symbols = Array.from({ length }, (_, i) => Math.floor(uniform(seed, 2, i) * 4));
        const work = Int32Array.from(symbols);
        const count = new BpeMerger(table, scanLimit).merge(work, length);
        assert.deepEqual([...work.subarray(0, count)], mergeSlowly(table, symbols), `seed ${seed}`);
      }
    });
  }

  test("the highest ranks that a table takes are told apart by the heap, and a higher one is refused", () => {
    const table = new MergeTable(4);
    table.add(0, 1, RANK_MAX - 1, 2);
    table.add(1, 0, RANK_MAX, 3);
    const symbols = Int32Array.from({ length: 200 }, (_, i) => (i + 1) % 2); // 1 0 1 0 ...
    const count = new BpeMerger(table, 0).merge(symbols, symbols.length);
    assert.deepEqual([...symbols.subarray(0, count)], [1, ...Array.from({ length: 99 }, () => 2), 0]);
    assert.throws(() => table.add(1, 1, RANK_MAX + 1, 4), /rank 4194304, Liang takes ranks up to 4194303/);
  });

  test("merges rightly while the table learns pairs and grows", () => {
    const known = randomMerges(5);
    for (const scanLimit of [96, 0]) {
      const learning = new MergeTable(1, (left, right) => {
        const row = known.find(left, right);
        return row === NO_MERGE ? undefined : [known.rows[row + 2], known.rows[row + 3]];
      });
      const merger = new BpeMerger(learning, scanLimit);
      for (let piece = 0; piece < 50; piece++) {
        const symbols = Array.from({ length: 80 }, (_, i) => Math.floor(uniform(5, piece, i) * 4));
        const work = Int32Array.from(symbols);
        const count = merger.merge(work, work.length);
        assert.deepEqual([...work.subarray(0, count)], mergeSlowly(known, symbols));
      }
    }
  });

  test("a piece longer than the scan takes gives the same symbols", () => {
    const table = randomMerges(7);
    const symbols = Array.from({ length: 500 }, (_, i) => Math.floor(uniform(7, 3, i) * 4));
    const work = Int32Array.from(symbols);
    const count = new BpeMerger(table).merge(work, symbols.length);
    assert.deepEqual([...work.subarray(0, count)], mergeSlowly(table, symbols));
  });
});

describe("the merge table", () => {
  test("keeps every pair while it grows, and the first of two equal pairs", () => {
    const table = new MergeTable(1);
    for (let i = 0; i < 5000; i++) table.add(i, i * 7, i, i + 1);
    table.add(3, 21, 99, 99);
    for (let i = 0; i < 5000; i++) {
      const row = table.find(i, i * 7);
      assert.notEqual(row, NO_MERGE);
      assert.deepEqual([...table.rows.subarray(row, row + 4)], [i, i * 7, i, i + 1]);
      assert.equal(table.find(i, i * 7 + 1), NO_MERGE);
    }
  });

  test("asks for an unknown pair once, whether it merges or not", () => {
    const asked: string[] = [];
    const table = new MergeTable(4, (left, right) => {
      asked.push(`${left} ${right}`);
      return left < right ? [left, right] : undefined;
    });
    for (let round = 0; round < 3; round++) {
      assert.notEqual(table.find(1, 2), NO_MERGE);
      assert.equal(table.find(2, 1), NO_MERGE);
    }
    assert.deepEqual(asked, ["1 2", "2 1"]);
  });
});
