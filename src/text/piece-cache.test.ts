import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LiteralTrie } from "./literal-trie.ts";
import { PieceCache } from "./piece-cache.ts";

describe("the piece cache", () => {
  test("never gives another piece's ids, over more pieces than it holds", () => {
    const cache = new PieceCache();
    const pieces = Array.from({ length: 150_000 }, (_, i) => `piece${i * 7919}中`);
    let found = 0;
    for (const [i, piece] of pieces.entries()) {
      const text = `<${piece}>`;
      const ids: number[] = [];
      assert.equal(cache.get(text, 1, text.length - 1, ids), false);
      cache.put(text, 1, text.length - 1, [9, i, i + 1], 1);
      for (const earlier of [i, i >> 1, i - 1000]) {
        if (earlier < 0) continue;
        const known: number[] = [];
        const key = pieces[earlier];
        if (!cache.get(key, 0, key.length, known)) continue;
        found++;
        assert.deepEqual(known, [earlier, earlier + 1]);
      }
    }
    assert.ok(found > pieces.length, "most recent pieces are remembered");
  });
});

describe("the literal trie", () => {
  const trie = new LiteralTrie();
  for (const [value, text] of ["a", "ab", "abcd", "中", "😀", "a"].entries()) trie.add(text, value);

  test("finds the longest string at a place, inside the bound", () => {
    const longest = (text: string, at = 0, end = text.length) => [trie.longestMatch(text, at, end), trie.matched];
    assert.deepEqual(longest("abcde"), [4, 2]);
    assert.deepEqual(longest("abcx"), [2, 1]);
    assert.deepEqual(longest("abcd", 0, 3), [2, 1]);
    assert.deepEqual(longest("x😀", 1), [2, 4]);
    assert.equal(trie.longestMatch("b", 0, 1), 0);
  });

  test("the first of equal strings stays", () => {
    assert.equal(trie.valueOf("a", 0, 1), 0);
    assert.equal(trie.valueOf("abc", 0, 3), -1);
    assert.equal(trie.size, 5);
  });
});
