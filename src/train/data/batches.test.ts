import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { UsageError } from "../../base/errors.ts";
import { philox, uniform } from "../../base/random.ts";
import { readData } from "../../../test/safetensors-data.ts";
import { type BatchOptions, type PackedBatch, createBatches } from "./batches.ts";
import { bestFit } from "./packing.ts";
import { type TokenDocument, type TokenStore, createTokenStore, documentsOf, openTokenStore } from "./token-store.ts";

const folder = mkdtempSync(join(tmpdir(), "liang-tokens-"));
after(() => rmSync(folder, { recursive: true }));
let made = 0;

async function storeOf(documents: readonly TokenDocument[], vocabularySize = 50_000, map = true): Promise<TokenStore> {
  const path = join(folder, `${made++}.tokens`);
  await using writer = await createTokenStore(path, vocabularySize);
  for (const document of documents) await writer.add(document);
  await writer.finish();
  return await openTokenStore(path, { map });
}

/** Document d is d*100, d*100 + 1, …: any id tells where it comes from. Up to 99 tokens. */
const numbered = (lengths: readonly number[], spansOf?: (length: number) => [number, number][]): TokenDocument[] =>
  lengths.map((length, d) => ({
    ids: Array.from({ length }, (_, i) => d * 100 + i),
    spans: spansOf?.(length) ?? [[1, length]],
    source: d % 3,
  }));
const lengthsOf = (seed: number, count: number, most: number): number[] =>
  Array.from({ length: count }, (_, i) => 2 + Math.floor(uniform(seed, 0, i) * (most - 2)));

/** Checks what every batch promises; gives [id, target] of the rows that are learnt. */
function checkBatch(batch: PackedBatch, options: BatchOptions): [number, number][] {
  const { ids, targets, weights, positions, starts, ends } = batch;
  assert.ok(ids.length <= options.rows && ids.length > 0);
  const pairs: [number, number][] = [];
  for (let row = 0; row < ids.length; row++) {
    assert.ok(starts[row] <= row && row < ends[row] && ends[row] - starts[row] <= (options.window ?? options.rows));
    assert.equal(positions[row], row - starts[row]);
    // all rows from the start on are the same document, one token after the other
    assert.equal(ids[row] - ids[starts[row]], row - starts[row]);
    assert.equal(Math.floor(ids[row] / 100), Math.floor(ids[starts[row]] / 100));
    if (row > starts[row]) assert.equal(starts[row], starts[row - 1]);
    else assert.ok(row === 0 || ends[row - 1] === row);
    assert.equal(weights[row], targets[row] >= 0 ? 1 : 0);
    if (targets[row] < 0) continue;
    assert.equal(targets[row], ids[row] + 1);
    pairs.push([ids[row], targets[row]]);
  }
  return pairs;
}

const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);

describe("a token store", () => {
  test("gives back what was written, mapped or read in, with ids of two bytes or four", async () => {
    for (const vocabularySize of [65_536, 65_537]) {
      const documents: TokenDocument[] = [
        { ids: [1, 65_535, 3], spans: [[1, 3]], source: 0 },
        { ids: [], spans: [], source: 7 },
        {
          ids: [vocabularySize - 1, 5, 6, 7, 8],
          spans: [
            [1, 2],
            [4, 5],
          ],
          source: 2,
        },
      ];
      for (const map of [true, false]) {
        using store = await storeOf(documents, vocabularySize, map);
        assert.equal(documentsOf(store), 3);
        assert.deepEqual(
          [...store.ids],
          documents.flatMap(({ ids }) => [...ids]),
        );
        assert.equal(store.ids.BYTES_PER_ELEMENT, vocabularySize > 65_536 ? 4 : 2);
        assert.deepEqual([...store.starts], [0, 3, 3, 8]);
        assert.deepEqual([...store.firstSpans], [0, 1, 1, 3]);
        assert.deepEqual([...store.spans], [1, 3, 1, 2, 4, 5]);
        assert.deepEqual([...store.sources], [0, 7, 2]);
      }
    }
  });

  test("is there whole or not at all", async () => {
    const path = join(folder, "half.tokens");
    {
      await using writer = await createTokenStore(path, 100);
      await writer.add({ ids: [1, 2], spans: [[1, 2]], source: 0 });
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("half")),
      [],
    );
  });

  test("a file that is cut or is something else is refused by name", async () => {
    using store = await storeOf(numbered([5, 6]));
    truncateSync(store.path, readFileSync(store.path).length - 4);
    await assert.rejects(openTokenStore(store.path), /tokens: size is .* expected .* Write the tokens again/);
    const other = join(folder, "other.tokens");
    writeFileSync(other, new Uint8Array(200));
    await assert.rejects(openTokenStore(other), /magic is 0, expected a token store/);
  });
});

describe("packed batches", () => {
  for (const packing of ["best-fit", "stream"] as const) {
    test(`${packing}: every epoch has every token to learn once, and documents stay apart`, async () => {
      using store = await storeOf(numbered(lengthsOf(1, 400, 99)));
      for (const options of [
        { rows: 128, window: 64, packing, seed: 3 },
        { rows: 99, packing, seed: 4 },
        { rows: 256, window: 17, packing },
      ]) {
        const batches = createBatches(store, options);
        const count = batches.report.batchesOfEpoch;
        const all = Array.from(store.ids).filter((_, i) => !store.starts.includes(i));
        for (const epoch of [0, 1, 5]) {
          const targets: number[] = [];
          for (let i = 0; i < count; i++)
            targets.push(...checkBatch(batches.at(epoch * count + i), options).map(([, id]) => id));
          assert.deepEqual(sorted(targets), sorted(all));
        }
      }
    });

    test(`${packing}: a batch is a function of seed and index alone`, async () => {
      using store = await storeOf(numbered(lengthsOf(2, 300, 60)));
      const options = { rows: 100, packing, seed: 9 };
      const one = createBatches(store, options);
      const count = one.report.batchesOfEpoch;
      const indices = Array.from({ length: 40 }, (_, i) => philox(5, 0, i)[0] % (count * 4));
      const there = indices.map((index) => one.at(index));
      for (const [i, index] of indices.entries()) assert.deepEqual(createBatches(store, options).at(index), there[i]);
      assert.notDeepEqual(one.at(0).ids, one.at(count).ids, "epochs have orders of their own");
      assert.notDeepEqual(createBatches(store, { ...options, seed: 10 }).at(0).ids, one.at(0).ids);
    });
  }

  test("best fit never cuts a document that fits, fills its batches and mixes lengths", async () => {
    const lengths = lengthsOf(3, 3000, 60);
    using store = await storeOf(numbered(lengths.map((length) => Math.min(length, 99))), 400_000);
    const options = { rows: 512, window: 64, seed: 1 };
    const batches = createBatches(store, options);
    assert.equal(batches.report.cutDocuments, 0);
    assert.ok(batches.report.utilisation > 0.97, `${batches.report.utilisation} of rows are used`);
    const means: number[] = [];
    for (const batch of batches.once()) {
      const documents = new Set(batch.starts).size;
      for (const start of new Set(batch.starts)) assert.equal(batch.ids[start] % 100, 0, "a piece begins its document");
      if (batch.ids.length > 400) means.push(batch.ids.length / documents);
    }
    const mean = means.reduce((a, b) => a + b) / means.length;
    assert.ok(
      means.every((value) => value > mean / 2 && value < mean * 2),
      "no batch is of long documents alone",
    );
  });

  test("the batch that best fit chooses is the fullest with room, as trying all of them finds", () => {
    const sizes = Uint32Array.from(lengthsOf(8, 500, 90));
    const order = Uint32Array.from(sizes.keys());
    const batchOf = bestFit(sizes, order, 100);
    const room: number[] = [];
    for (const item of order) {
      const fitting = room.filter((left) => left >= sizes[item]);
      const before = room[batchOf[item]] ?? 100;
      assert.equal(before, fitting.length === 0 ? 100 : Math.min(...fitting));
      if (fitting.length === 0) assert.equal(batchOf[item], room.length);
      room[batchOf[item]] = before - sizes[item];
    }
    assert.ok(Math.min(...room) >= 0);
  });

  test("documents longer than the window are cut evenly, none of their tokens is lost", async () => {
    using store = await storeOf(numbered([99, 10]));
    const packed = createBatches(store, { rows: 40, window: 40 });
    assert.deepEqual([packed.report.cutDocuments, packed.report.count, packed.report.totalRows], [1, 4, 98 + 9]);
    const sizes = [...packed.once()].flatMap(({ starts, ends }) =>
      [...new Set(starts)].map((start) => ends[start] - start),
    );
    assert.deepEqual(sorted(sizes), [9, 32, 33, 33]);
  });

  test("only spans are learnt; rows behind the last one, and pieces without one, are left out and counted", async () => {
    using store = await storeOf([
      ...numbered([20], () => [
        [3, 5],
        [10, 12],
      ]),
      { ids: Array.from({ length: 60 }, (_, i) => 100 + i), spans: [[55, 60]], source: 0 },
      { ids: [201, 202], spans: [], source: 0 },
    ]);
    const packed = createBatches(store, { rows: 32, window: 32 });
    assert.equal(packed.report.emptyDocuments, 1);
    assert.equal(packed.report.rowsLeftOut, 29);
    const pairs = [...packed.once()].flatMap((batch) => checkBatch(batch, { rows: 32 }));
    assert.deepEqual(sorted(pairs.map(([, target]) => target)), [3, 4, 10, 11, 155, 156, 157, 158, 159]);
    assert.equal(packed.report.totalRows, 11 + 30);
  });

  test("targets equal the golden labels: prompts and padding are not learnt", () => goldenLabels());

  test("what cannot be packed is refused", async () => {
    using store = await storeOf(numbered([5, 5]));
    assert.throws(() => createBatches(store, { rows: 10, window: 11 }), UsageError);
    using nothing = await storeOf([{ ids: [1], spans: [], source: 0 }]);
    assert.throws(() => createBatches(nothing, { rows: 10 }), /has no token to learn/);
  });
});

async function goldenLabels(): Promise<void> {
  const path = new URL("../../../test/golden/training/finetune/label_mask.safetensors", import.meta.url).pathname;
  const tensors = await readData(path);
  const [ids, labels, promptLengths, lengths] = ["ids", "labels", "prompt_len", "length"].map((name) => [
    ...tensors[`in.${name}`].i32,
  ]);
  const width = ids.length / lengths.length;
  using store = await storeOf(
    lengths.map((length, row) => ({
      ids: ids.slice(row * width, row * width + length),
      spans: [[promptLengths[row], length] as [number, number]],
      source: 0,
    })),
  );
  const expected = lengths.flatMap((length, row) =>
    labels.slice(row * width + 1, row * width + length).map((label) => Math.max(label, -1)),
  );
  const [batch, ...more] = createBatches(store, { rows: 64 }).once();
  assert.equal(more.length, 0);
  assert.deepEqual([...batch.targets], expected);
  assert.ok(expected.includes(-1) && expected.some((label) => label >= 0));
}
