// Quantized keys and values behind the whole engine, of a real model (the built-in one has heads of 64 columns): what they
// take and cost, that company, chunks and history change nothing, and that models they do not fit are refused.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { UsageError } from "../../src/base/errors.ts";
import { cpuExecutor } from "../../src/device/cpu/executor.ts";
import {
  type Engine,
  type EngineOptions,
  openEngine,
  openFileStore,
  plan,
  readModelFiles,
} from "../../src/engine/index.ts";
import { type ModelFiles, openModelFiles } from "../../src/format/open-model-files.ts";
import { type StateType, stateTypes } from "../../src/graph/index.ts";
import type { Model } from "../../src/models/model.ts";
import { openCase } from "../families/cases.ts";
import { read } from "./harness.ts";

const MODEL = join(import.meta.dirname, "../../models/liang-shi.gguf");
const OPTIONS = { window: 160, slots: 3, threads: 2, pageSize: 16, chunkRows: 24 } as const satisfies EngineOptions;
/** Bytes of a number. */
const SIZES: Readonly<Record<StateType, number>> = { f32: 4, f16: 2, q8_0: 34 / 32, q4_0: 18 / 32 };
/**
 * The most that a predicted token's log-probability may be off by in the mean: a few times what f16 and f32 are apart, and
 * what 4 bits cost.
 */
const COST = { q8_0: 0.03, q4_0: 0.3 } as const;

let files: ModelFiles;
let model: Model;
before(async () => {
  files = await openModelFiles(MODEL);
  model = await readModelFiles(files);
});
after(() => files[Symbol.asyncDispose]());

const open = (kvType: StateType, precision: "fast" | "f32" = "fast"): Promise<Engine> =>
  openEngine(model, openFileStore(files, model), cpuExecutor, { ...OPTIONS, kvType, precision });

/** Ids that the model finds likely: its own reply. */
async function ownText(length: number): Promise<number[]> {
  await using engine = await open("f16");
  const sampling = { temperature: 1, topK: 40, seed: 5 };
  return [1, ...(await read(engine, { ids: [1], maxTokens: length - 1, sampling })).ids];
}

test("each type takes what its blocks take, as planned, to the byte", async () => {
  for (const kvType of stateTypes) {
    const planned = await plan(model, openFileStore(files, model), cpuExecutor, { ...OPTIONS, kvType }, 2 ** 32);
    await using engine = await open(kvType);
    assert.equal(planned.kvType, kvType);
    assert.equal(planned.kvBytes, engine.memory.stateBytes);
    const [{ layers, kvHeads, headSize }] = model.cacheGroups;
    assert.equal(planned.kvBytesPerToken, 2 * layers * kvHeads * headSize * SIZES[kvType]);
  }
});

for (const kvType of ["q8_0", "q4_0"] as const) {
  describe(`an engine whose keys and values are ${kvType}`, () => {
    let engine: Engine;
    let ids: number[];
    before(async () => {
      ids = await ownText(100);
      engine = await open(kvType);
    });
    after(() => engine.close());

    test("predicts a text about as one of f16 does, and not the same", async () => {
      await using plain = await open("f16");
      const [expected, found] = [await plain.score(ids), await engine.score(ids)];
      const off = found.reduce((sum, logprob, i) => sum + Math.abs(logprob - expected[i]), 0) / found.length;
      assert.ok(off > 0 && off < COST[kvType], `off by ${off} in the mean`);
    });

    test("predicts the same step by step as in chunks, where nothing but the cache is rounded", async () => {
      await using exact = await open(kvType, "f32");
      const prompt = ids.slice(0, 30);
      const { events, ids: reply } = await read(exact, { ids: prompt, maxTokens: 60, logprobs: 0 });
      const stepwise = events.flatMap((event) => (event.type === "token" ? [event.logprob!] : []));
      const chunked = (await exact.score([...prompt, ...reply])).subarray(prompt.length - 1);
      assert.equal(stepwise.length, chunked.length);
      // a number between two codes may be rounded to the other one
      const off = stepwise.reduce((sum, logprob, i) => sum + Math.abs(logprob - chunked[i]), 0) / stepwise.length;
      assert.ok(off < 0.005, `off by ${off} in the mean`);
    });

    test("gives sequences at once, drawn and greedy, what each gets alone", async () => {
      const requests = [
        { ids: ids.slice(0, 50), maxTokens: 30, logprobs: 2, reproducible: true },
        {
          ids: ids.slice(20, 45),
          maxTokens: 40,
          logprobs: 2,
          sampling: { temperature: 0.9, seed: 3 },
          reproducible: true,
        },
        { ids: ids.slice(0, 1), maxTokens: 20, logprobs: 2, reproducible: true },
      ];
      const together = await Promise.all(requests.map((request) => read(engine, request)));
      for (const [i, request] of requests.entries()) {
        const alone = await read(engine, request);
        const tokens = [alone, together[i]].map(({ events }) => events.filter(({ type }) => type === "token"));
        assert.deepEqual(tokens[1], tokens[0], `request ${i}, down to the bits of its log-probabilities`);
      }
    });

    test("goes on from what it has, and shares the pages of a prefix with another sequence", async () => {
      const first = await read(engine, { ids: ids.slice(0, 60), maxTokens: 10, logprobs: 0 });
      const [own, forked] = [
        [...ids.slice(0, 60), ...first.ids, 7, 8],
        [...ids.slice(0, 33), 7, 8, 9],
      ];
      const ends = [own, forked].map(async (ids) => await read(engine, { ids, maxTokens: 10 }));
      const [goesOn, shares] = await Promise.all(ends);
      assert.ok(goesOn.end.cached >= 69, `${goesOn.end.cached} were cached`);
      assert.ok(shares.end.cached >= 32, `${shares.end.cached} were cached`);
      const again = await read(engine, { ids: forked, maxTokens: 10 });
      assert.deepEqual(again.ids, shares.ids);
    });
  });
}

test("is refused by name of a model whose heads are no whole blocks, and of a type that nobody knows", async () => {
  await using opened = await openCase("qwen2");
  const refusal = (kvType: string, message: RegExp): Promise<void> =>
    assert.rejects(
      plan(opened.model, opened.store, cpuExecutor, { window: 16, kvType: kvType as StateType }, 2 ** 32),
      (error: unknown) => error instanceof UsageError && error.field === "kvType" && message.test(error.message),
    );
  await refusal("q8_0", /q8_0 are blocks of 32 columns, and heads of this model \(qwen2\) have 12/);
  await refusal("q4_0", /q4_0 are blocks of 32/);
  await refusal("q6_k", /kvType is "q6_k", expected one of f32, f16, q8_0, q4_0/);
});
