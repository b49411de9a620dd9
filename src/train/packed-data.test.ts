import assert from "node:assert/strict";
import { test } from "node:test";
import { packedData, permutation } from "./packed-data.ts";
import type { MicroBatch } from "./trainer.ts";

const options = { window: 4, rows: 8, batchesPerStep: 2, seed: 3 };
/** Documents whose ids tell where they are: 100 d + i. */
const documents = [3, 9, 2, 5, 1, 4].map((length, d) => ({
  ids: Array.from({ length }, (_, i) => 100 * d + i),
}));
const plain = ({ ids, positions, starts, outputRows, targets }: MicroBatch) =>
  [ids, positions, starts, outputRows, targets].map((values) => [...values]);

test("cuts documents into pieces that do not see each other, and leaves no target out", () => {
  const data = packedData([documents[1]], [documents[0], documents[3]], options);
  assert.deepEqual(data.batches(0).map(plain)[0], [
    [100, 101, 102, 103, 104, 105, 106, 107],
    [0, 1, 2, 3, 0, 1, 2, 3],
    [0, 0, 0, 0, 4, 4, 4, 4],
    [0, 1, 2, 3, 4, 5, 6, 7],
    [101, 102, 103, 104, 105, 106, 107, 108],
  ]);
  assert.deepEqual([...data.validation()].map(plain), [
    [
      [0, 1, 300, 301, 302, 303],
      [0, 1, 0, 1, 2, 3],
      [0, 0, 2, 2, 2, 2],
      [0, 1, 2, 3, 4, 5],
      [1, 2, 301, 302, 303, 304],
    ],
  ]);
});

test("an epoch has every target once, each epoch in another order, the same at any time", () => {
  const data = packedData(documents, [], options);
  const targetsFrom = (first: number): number[] => {
    const places = Array.from({ length: data.batchesOfEpoch }, (_, i) => first + i);
    return places.flatMap((place) => [...data.batches(Math.floor(place / 2))[place % 2].targets]);
  };
  const all = documents.flatMap(({ ids }) => ids.slice(1)).sort((a, b) => a - b);
  const [first, second] = [targetsFrom(0), targetsFrom(data.batchesOfEpoch)];
  assert.deepEqual(
    first.toSorted((a, b) => a - b),
    all,
  );
  assert.deepEqual(
    second.toSorted((a, b) => a - b),
    all,
  );
  assert.notDeepEqual(first, second);
  const again = packedData(documents, [], options);
  assert.deepEqual(again.batches(7), data.batches(7));
  assert.deepEqual(again.batches(1), data.batches(1));
  assert.equal(again.hash, data.hash);
  assert.notEqual(packedData(documents, [documents[0]], options).hash, data.hash);
  assert.notDeepEqual(packedData(documents, [], { ...options, seed: 4 }).batches(0), data.batches(0));
});

test("only what has a weight reaches the head, and what teaches nothing is not read", () => {
  const weights = [1, 0, 0, 1, 0.5, 0, 0, 0, 0];
  const [batch] = packedData([{ ids: documents[1].ids, weights }], [], options).batches(0);
  assert.deepEqual([...batch.ids], [100, 101, 102, 103]);
  assert.deepEqual([...batch.outputRows], [2, 3]);
  assert.deepEqual([...batch.targets], [103, 104]);
  assert.deepEqual([...batch.weights], [1, 0.5]);
  assert.throws(() => packedData([{ ids: [5] }], [], options), /no token to learn/);
});

test("a permutation has every number once", () => {
  assert.deepEqual(
    permutation(1000, 1, 1).sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  );
});
