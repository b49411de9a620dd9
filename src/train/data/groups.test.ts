import assert from "node:assert/strict";
import { test } from "node:test";
import { testStore } from "../../../test/train/memory-store.ts";
import { UsageError } from "../../base/errors.ts";
import { type GroupOptions, createGroups } from "./groups.ts";

/** Documents of so many tokens, all learnt but the first; of 0 there are none. */
const store = (...lengths: number[]) =>
  testStore(
    lengths.map((length) => ({ ids: Array.from({ length }, (_, i) => i), spans: length === 0 ? [] : [[1, length]] })),
  );
const PAIRS: GroupOptions = { members: 2, rows: 10, window: 5, uses: [0, 1], needs: "all" };

test("groups lie whole in batches, an epoch holds each once, and any batch is the same at any time", () => {
  const options = { ...PAIRS, seed: 3 };
  const of = () => createGroups(store(5, 5, 2, 3, 2, 2, 4, 1, 3, 3), options);
  const groups = of();
  const sizes = [10, 5, 4, 5, 6];
  for (const epoch of [0, 1, 2]) {
    const batches = Array.from({ length: groups.batchesOfEpoch }, (_, i) => [
      ...groups.at(epoch * groups.batchesOfEpoch + i),
    ]);
    assert.deepEqual(
      batches.flat().sort((a, b) => a - b),
      [0, 1, 2, 3, 4],
    );
    for (const batch of batches) assert.ok(batch.reduce((sum, group) => sum + sizes[group], 0) <= 10, String(batch));
  }
  assert.deepEqual(of().at(7), groups.at(7));
});

test("what is too long or lacks a side is counted, not cut", () => {
  const documents = store(5, 5, 6, 2, 0, 3, 2, 0);
  const both = createGroups(documents, PAIRS);
  assert.deepEqual([[...both.groups], both.tooLong, both.noUse], [[0], 1, 2]);
  const any = createGroups(documents, { ...PAIRS, needs: "any" });
  assert.deepEqual([[...any.groups], any.tooLong, any.noUse], [[0, 2, 3], 1, 0]);
  assert.equal(createGroups(store(6, 6), PAIRS).batchesOfEpoch, 0);
});

test("a fixed number is drawn anew in each epoch, and members that are not used take no room", () => {
  const lengths = Array.from({ length: 7 }, () => [2, 2, 9]).flat();
  const options: GroupOptions = { ...PAIRS, members: 3, rows: 12, window: 2, perBatch: 3, seed: 1 };
  const groups = createGroups(store(...lengths), options);
  assert.equal(groups.batchesOfEpoch, 2);
  const epochs = [0, 1].map((epoch) => [0, 1].flatMap((i) => [...groups.at(2 * epoch + i)]));
  for (const epoch of epochs) assert.equal(new Set(epoch).size, 6);
  assert.notDeepEqual(epochs[0], epochs[1]);
});

test("a batch that could not hold what it must is refused", () => {
  assert.throws(
    () => createGroups(store(2, 2), { ...PAIRS, perBatch: 2 }),
    (error) => error instanceof UsageError && /batch\.rows is 10, expected at least 20/.test(error.message),
  );
});
