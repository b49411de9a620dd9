import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { philox, uniform } from "../../base/random.ts";
import { memorySource } from "../../base/source.ts";
import { bandKeys, createClusters, findClusters } from "./near-duplicates.ts";
import { jaccard, shingleCounts, shinglesOf } from "./shingles.ts";

const CHARACTERS = Array.from("天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜");
const poem = (seed: number, length: number): string[] =>
  Array.from({ length }, (_, i) => CHARACTERS[Math.floor(uniform(seed, 1, i) * CHARACTERS.length)]);

/** A copy in which `changes` characters are others. */
function changed(text: readonly string[], seed: number, changes: number): string[] {
  const copy = [...text];
  for (let i = 0; i < changes; i++) {
    copy[Math.floor(uniform(seed, 2, i) * copy.length)] =
      CHARACTERS[Math.floor(uniform(seed, 3, i) * CHARACTERS.length)];
  }
  return copy;
}

/** Poems, some of them copies of earlier ones with up to six characters changed. */
function corpus(seed: number, count: number): string[] {
  const texts: string[][] = [];
  for (let i = 0; i < count; i++) {
    const isCopy = i > 0 && uniform(seed, 4, i) < 0.4;
    const earlier = texts[Math.floor(uniform(seed, 5, i) * i)];
    texts.push(
      isCopy ? changed(earlier, seed * 1000 + i, philox(seed, 6, i)[0] % 7) : poem(seed * 1000 + i, 20 + (i % 40)),
    );
  }
  return texts.map((text) => text.join(""));
}

async function clustersOf(texts: readonly string[], threshold: number): Promise<{ first: number[]; compared: number }> {
  const shingles = texts.map(shinglesOf);
  const keys = memorySource("keys", Buffer.concat(shingles.map((set) => new Uint8Array(bandKeys(set).buffer))));
  const { clusters, compared } = await findClusters({
    keys,
    shingleCounts: Uint32Array.from(shingles, ({ length }) => length),
    shingles: async (document) => shingles[document],
    threshold,
  });
  return { first: texts.map((_, i) => clusters.first(i)), compared };
}

/** The slow twin: every pair compared. */
function slowClusters(texts: readonly string[], threshold: number): number[] {
  const shingles = texts.map(shinglesOf);
  const clusters = createClusters(texts.length);
  for (let a = 0; a < texts.length; a++) {
    for (let b = 0; b < a; b++) if (jaccard(shingles[a], shingles[b]) >= threshold) clusters.join(a, b);
  }
  return texts.map((_, i) => clusters.first(i));
}

describe("shingles", () => {
  test("are the same for other case, blanks, punctuation and widths", () => {
    assert.deepEqual(shinglesOf("The cat sat, on the MAT."), shinglesOf("the cat\nsat on — the mat"));
    assert.deepEqual(shinglesOf("春眠不觉晓，处处闻啼鸟。"), shinglesOf("春眠不觉晓 处处闻啼鸟"));
    assert.deepEqual(shinglesOf("ＡＢＣ one two"), shinglesOf("abc one two"));
    assert.notDeepEqual(shinglesOf("春眠不觉晓"), shinglesOf("春眠不觉昏"));
  });

  test("are as many as there are runs of three units", () => {
    assert.deepEqual(shingleCounts("a b c d"), { all: 2, distinct: 2 });
    assert.deepEqual(shingleCounts("a a a a a"), { all: 3, distinct: 1 });
    assert.deepEqual(shingleCounts("春眠"), { all: 1, distinct: 1 });
    assert.deepEqual(shingleCounts("……"), { all: 0, distinct: 0 });
  });

  test("the index of two sets equals the one of the definition", () => {
    for (let i = 0; i < 200; i++) {
      const [a, b] = [poem(i, 30), changed(poem(i, 30), i, i % 9)].map((text) => shinglesOf(text.join("")));
      const union = new Set([...a, ...b]);
      const shared = [...a].filter((value) => b.includes(value)).length;
      assert.equal(jaccard(a, b), shared / union.size);
    }
    assert.equal(jaccard(new Int32Array(0), new Int32Array(0)), 0);
  });
});

describe("near-duplicates", () => {
  test("two sets share a band as often as the theory of MinHash says", () => {
    let tried = 0;
    let found = 0;
    let expected = 0;
    for (let i = 0; i < 3000; i++) {
      const text = poem(i, 60);
      const [a, b] = [text, changed(text, i, 4 + (i % 9))].map((words) => shinglesOf(words.join("")));
      const [keysOfA, keysOfB] = [bandKeys(a), bandKeys(b)];
      for (let band = 0; band < keysOfA.length; band++) {
        tried++;
        found += keysOfA[band] === keysOfB[band] ? 1 : 0;
        expected += jaccard(a, b) ** 4;
      }
    }
    // 96,000 bands of 3,000 pairs: the share's deviation is below 0.004
    assert.ok(
      Math.abs(found - expected) / tried < 0.012,
      `${found / tried} of bands agree, expected ${expected / tried}`,
    );
  });

  test("clusters equal those of comparing every pair", async () => {
    for (const seed of [1, 2, 3]) {
      const texts = corpus(seed, 600);
      const { first, compared } = await clustersOf(texts, 0.7);
      assert.deepEqual(first, slowClusters(texts, 0.7));
      assert.ok(new Set(first).size < 560, "there were copies to find");
      assert.ok(compared < (600 * 599) / 20, `${compared} pairs were compared`);
    }
  });

  test("thousands of copies of one text cost a comparison each", async () => {
    const text = poem(1, 40).join("");
    const { first, compared } = await clustersOf(
      Array.from({ length: 5000 }, () => text),
      0.7,
    );
    assert.ok(first.every((document) => document === 0));
    assert.equal(compared, 4999);
  });

  test("texts without words are like none", async () => {
    assert.deepEqual((await clustersOf(["…", "…", "！"], 0.1)).first, [0, 1, 2]);
  });
});
