import assert from "node:assert/strict";
import { test } from "node:test";
import type { TokenStore } from "./data/token-store.ts";
import { type DataSplit, trainingData } from "./training-data.ts";
import { testStore } from "../../test/train/memory-store.ts";

const recipe = { batch: { window: 4, rows: 8, tokens: 16 }, seed: 3 };
/** Documents whose ids tell where they are: 100 d + i. */
const documents = (...lengths: number[]): TokenStore =>
  testStore(lengths.map((length, d) => ({ ids: Array.from({ length }, (_, i) => 100 * d + i) })));
const split = (store: TokenStore, sha256 = "x"): DataSplit => ({ store, sha256 });

test("a step has as many micro-batches as its tokens ask for, the same at any time", () => {
  const data = trainingData(split(documents(5, 5, 5, 5, 5, 5)), undefined, recipe);
  assert.equal(data.batchesOfEpoch, 3);
  assert.equal(data.batches(0).length, 2);
  const epochs = [0, 1, 2].flatMap((step) => data.batches(step).flatMap(({ targets }) => [...targets]));
  const once = [0, 1, 2, 3, 4, 5].flatMap((d) => [1, 2, 3, 4].map((i) => 100 * d + i));
  assert.deepEqual(
    epochs.slice(0, 24).sort((a, b) => a - b),
    once,
  );
  assert.deepEqual(
    epochs.slice(24).sort((a, b) => a - b),
    once,
  );
  assert.deepEqual(data.batches(7), trainingData(split(documents(5, 5, 5, 5, 5, 5)), undefined, recipe).batches(7));
});

test("only what is learnt reaches the head", () => {
  const store = testStore([{ ids: [7, 8, 9, 10, 11], spans: [[3, 5]] }]);
  const [batch] = trainingData(split(store), undefined, recipe).batches(0);
  assert.deepEqual([...batch.ids], [7, 8, 9, 10]);
  assert.deepEqual([...batch.outputRows], [2, 3]);
  assert.deepEqual([...batch.targets], [10, 11]);
  assert.deepEqual([...batch.weights], [1, 1]);
});

test("the hash is of both splits", () => {
  const [train, held] = [documents(5), documents(3)];
  const hash = (a: string, b: string | undefined): string =>
    trainingData(split(train, a), b === undefined ? undefined : split(held, b), recipe).hash;
  assert.equal(new Set([hash("a", undefined), hash("a", "b"), hash("b", "b"), hash("a", "c")]).size, 4);
  assert.equal(hash("a", "b"), hash("a", "b"));
});
