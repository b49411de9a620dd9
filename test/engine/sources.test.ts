// The engine with models that read a source: golden replies and logits, company and history change nothing, and what is not
// theirs is refused.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ContextLengthError, UsageError } from "../../src/base/errors.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type Engine, openEngine } from "../../src/engine/index.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { type Golden, encoderDecoderNames, openCase, readGolden } from "../families/cases.ts";
import { assertClose } from "../families/golden.ts";
import { read } from "./harness.ts";

const fastest = tinyExecutor();

for (const executor of [referenceExecutor, fastest]) {
  for (const name of encoderDecoderNames) {
    describe(`the engine on ${executor.name} (${executor.tier}), ${name}`, () => {
      let golden: Golden;
      let engine: Engine;
      let start: number;
      let [long, short, reply]: number[][] = [];

      before(async () => {
        golden = await readGolden(name);
        const { input_ids_a: a, input_ids_b: b, greedy_b: greedy } = golden.i32;
        [long, short, reply] = [a, b, greedy].map((ids) => Array.from(ids));
        start = reply.shift()!;
        await using opened = await openCase(name);
        const options = { window: 48, slots: 3, kvType: "f32", pageSize: 4, chunkRows: 4, precision: "f32" } as const;
        engine = await openEngine(opened.model, opened.store, executor, options);
      });
      after(() => engine.close());

      test("gives the golden reply, and counts the source as read", async () => {
        const { ids, events } = await read(engine, { source: short, ids: [start], maxTokens: reply.length });
        assert.deepEqual(ids, reply);
        const total = short.length + 1;
        const prefills = events.filter(({ type }) => type === "prefill");
        assert.deepEqual(
          prefills,
          [0, total].map((done) => ({ type: "prefill", done, total, cached: 0 })),
        );
      });

      test("gives the golden logits of a given reply", async () => {
        const ids = golden.i32.decoder_input_ids_a;
        const factor = executor === referenceExecutor ? 1.25 : 4; // as in test/families
        const logits = await engine.logits(ids, { source: long });
        assertClose(logits, golden.f32.logits_a, factor * golden.logitTolerance, "logits_a");
      });

      test("gives several at once what each gets alone, more of them than there are places", async () => {
        const requests = [
          { source: short, ids: [start], maxTokens: 16 },
          { source: long, ids: [start], maxTokens: 12, sampling: { temperature: 1, seed: 3 } },
          { source: long.slice(3, 20), ids: [start, 7, 8, 9, 10, 11], maxTokens: 9 },
          { source: short.slice(2), ids: [start], maxTokens: 20, sampling: { temperature: 1.3, seed: 4 } },
          { source: long, ids: [start, 5], maxTokens: 7 },
        ].map((request) => ({ ...request, logprobs: 1, reproducible: true }));
        const together = await Promise.all(requests.map((request) => read(engine, request)));
        for (const [i, request] of requests.entries()) {
          const alone = await read(engine, request);
          const tokens = [alone, together[i]].map(({ events }) => events.filter(({ type }) => type === "token"));
          assert.deepEqual(tokens[1], tokens[0], `request ${i}`);
        }
      });

      test("goes on with a reply to the same source, never with one to another", async () => {
        const ids = [start, ...reply.slice(0, 9)];
        const first = await read(engine, { source: short, ids, maxTokens: 4 });
        assert.deepEqual(first.ids, reply.slice(9, 13));
        const again = await read(engine, { source: short, ids: [...ids, ...first.ids], maxTokens: 3 });
        assert.deepEqual(again.ids, reply.slice(13, 16));
        assert.ok(again.end.cached >= short.length + ids.length, `${again.end.cached} were cached`);
        const other = { source: long.slice(0, short.length), ids, maxTokens: 4 };
        const fresh = await read(engine, { ...other, reproducible: true });
        const reused = await read(engine, other);
        assert.equal(reused.end.cached, short.length + ids.length - 1, "of its own");
        assert.deepEqual(reused.ids, fresh.ids);
      });

      test("asks for a source, and for one that fits", async () => {
        const refuses = (request: Parameters<Engine["generate"]>[0], error: unknown): Promise<void> =>
          assert.rejects(read(engine, request), error as Error);
        await refuses({ ids: [start] }, UsageError);
        await refuses({ ids: [start], source: [] }, UsageError);
        await refuses({ ids: [start], source: Array(49).fill(3) }, ContextLengthError);
        await assert.rejects(engine.score([start, 4]), UsageError);
      });
    });
  }
}

test("a model that reads no source refuses one", async () => {
  await using opened = await openCase("gpt2");
  await using engine = await openEngine(opened.model, opened.store, referenceExecutor, { window: 16 });
  await assert.rejects(read(engine, { ids: [1], source: [2] }), { name: "UsageError", message: /reads no source/ });
});
