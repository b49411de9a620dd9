// The engine on real arithmetic: tiny models with one cache group, with two and two ropes, with a rope that changes beyond
// some length, and with no rope at all; pages
// and chunks are so small that a reply crosses many. Golden ids are transformers'; every other check is that company,
// chunks and history change nothing. The families themselves are test/families' business.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Executor } from "../../src/device/executor.ts";
import { type Engine, openEngine } from "../../src/engine/index.ts";
import { type CaseName, type Golden, openCase, readGolden } from "../families/cases.ts";
import { assertClose } from "../families/golden.ts";
import { read } from "./harness.ts";

const cases = ["llama-3", "gemma3_text", "phi3-longrope", "gpt2"] as const satisfies CaseName[];
type Case = (typeof cases)[number];
const REPLY = 16; // ids of a golden reply

/** Tests the engine on `executor`; `factor` times a case's natural tolerance is what logits may differ by. */
export function familySuite(executor: Executor, factor: number, names: readonly Case[] = cases): void {
  for (const name of names) {
    describe(`the engine on ${executor.name} (${executor.tier}), ${name}`, () => caseSuite(executor, factor, name));
  }
}

function caseSuite(executor: Executor, factor: number, name: Case): void {
  let golden: Golden;
  let engine: Engine;
  let [long, short, reply]: number[][] = [];

  before(async () => {
    golden = await readGolden(name);
    const { input_ids_a: a, input_ids_b: b, greedy_a: greedy } = golden.i32;
    [long, short, reply] = [a, b, greedy.subarray(b.length)].map((ids) => Array.from(ids));
    await using opened = await openCase(name);
    const window = Math.min(64, opened.model.window);
    const options = { window, slots: 3, kvType: "f32", pageSize: 4, chunkRows: 12 } as const;
    engine = await openEngine(opened.model, opened.store, executor, options);
  });
  after(() => engine.close());

  test("gives the golden reply", async () => {
    const { ids, end } = await read(engine, { ids: short, maxTokens: REPLY });
    assert.deepEqual(ids, reply);
    assert.equal(end.reason, "length");
  });

  test("gives the golden logits of a text, and the probabilities that they mean", async () => {
    const logits = await engine.logits(long);
    assertClose(logits, golden.f32.logits_a, factor * golden.logitTolerance, "logits_a");
    const score = await engine.score(long);
    const vocabularySize = logits.length / long.length;
    for (const [i, logprob] of score.entries()) {
      const row = Array.from(logits.subarray(i * vocabularySize, (i + 1) * vocabularySize));
      const largest = row.reduce((a, b) => Math.max(a, b));
      const total = row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
      assert.ok(Math.abs(logprob - (row[long[i + 1]] - largest - Math.log(total))) < 1e-9, `position ${i}`);
    }
  });

  test("gives sequences at once, drawn and greedy, what each gets alone", async () => {
    const requests = [
      { ids: short, maxTokens: REPLY, logprobs: 2 },
      { ids: long, maxTokens: 12, logprobs: 2, sampling: { temperature: 0.9, topK: 20, topP: 0.95, seed: 3 } },
      { ids: long.slice(0, 23), maxTokens: 20, logprobs: 2, sampling: { temperature: 1.3, seed: 4 } },
      { ids: short.slice(0, 1), maxTokens: 9, logprobs: 2, sampling: { repetitionPenalty: 1.3 } },
    ].map((request) => ({ ...request, reproducible: true }));
    const together = await Promise.all(requests.map((request) => read(engine, request)));
    for (const [i, request] of requests.entries()) {
      const alone = await read(engine, request);
      const tokens = [alone, together[i]].map(({ events }) => events.filter(({ type }) => type === "token"));
      assert.deepEqual(tokens[1], tokens[0], `request ${i}, down to the bits of its log-probabilities`);
    }
  });

  if (name === "phi3-longrope") {
    test("reads all again with the long factors where a reply passes the first window, alone and beside others", async () => {
      const cross = Array.from(golden.i32.greedy_cross);
      const request = { ids: cross.slice(0, -REPLY), maxTokens: REPLY };
      const alone = await read(engine, request);
      assert.deepEqual(alone.ids, cross.slice(-REPLY));
      const others = [request, { ids: short, maxTokens: REPLY }, { ids: long, maxTokens: 8 }, request];
      const together = await Promise.all(others.map((one) => read(engine, { ...one, reproducible: true })));
      assert.deepEqual([together[0].ids, together[3].ids], [alone.ids, alone.ids]);
      assert.deepEqual(together[1].ids, reply);
      const again = await read(engine, { ids: [...cross, ...short], maxTokens: 4 });
      assert.ok(again.end.cached >= cross.length - 1, "what was read again serves the next turn");
      const back = await read(engine, { ids: cross.slice(0, 20), maxTokens: 1 });
      assert.equal(back.end.cached, 0, "long factors are of no use to a short sequence");
    });
  }

  test("gives the same ids when it reuses what it has", async () => {
    const first = await read(engine, { ids: short, maxTokens: REPLY });
    const turns = [
      { ids: [...short, ...reply, ...long.slice(0, 5)], maxTokens: 6, atLeast: short.length + REPLY - 1 },
      { ids: [...short, ...reply, ...long.slice(10, 17)], maxTokens: 6, atLeast: short.length + REPLY - 1 },
      { ids: short, maxTokens: REPLY, atLeast: 0 },
    ];
    assert.deepEqual(first.ids, reply);
    for (const { atLeast, ...request } of turns) {
      const reused = await read(engine, request);
      const afresh = await read(engine, { ...request, reproducible: true });
      assert.deepEqual(reused.ids, afresh.ids);
      assert.ok(reused.end.cached >= atLeast, `${reused.end.cached} were cached`);
      assert.equal(afresh.end.cached, 0);
    }
  });
}
