// Single replies on the double: pages, chunks, ends, events, arguments.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ContextLengthError, KernelError, LiangError, UsageError } from "../../src/base/errors.ts";
import { CHUNK_ROWS, expectedLogits, expectedReply, kernelError } from "./double.ts";
import { collect, openDouble, outputRows, read, text } from "./harness.ts";

describe("a reply", () => {
  for (const length of [1, 3, 4, 5, 15, 16, 17, 33, 100]) {
    test(`follows a prompt of ${length} tokens`, async () => {
      await using opened = await openDouble();
      const ids = text(1, length);
      const { ids: reply, events, end } = await read(opened.engine, { ids, maxTokens: 30 });
      assert.deepEqual(reply, expectedReply(ids, 30));
      assert.equal(end.reason, "length");
      assert.equal(end.tokens, 30);
      const prefill = events.filter((event) => event.type === "prefill");
      assert.deepEqual(prefill[0], { type: "prefill", done: 0, total: length, cached: 0 });
      assert.equal(prefill.at(-1)?.done, length);
      assert.equal(prefill.length, 1 + Math.ceil(length / CHUNK_ROWS));
    });
  }

  test("reaches the head with one row a token, and runs no row twice", async () => {
    await using opened = await openDouble();
    await read(opened.engine, { ids: text(1, 50), maxTokens: 20 });
    assert.equal(outputRows(opened.executor), 20);
    const positions = opened.executor.runs.flatMap((run) => run.positions);
    assert.deepEqual(positions, [...Array(69).keys()], "the last id is chosen, not run");
  });

  test("goes on to the window's end and ends with length there", async () => {
    await using opened = await openDouble({ window: 50 });
    const ids = text(2, 20);
    const { ids: reply, end } = await read(opened.engine, { ids, maxTokens: 1000 });
    assert.deepEqual(reply, expectedReply(ids, 30));
    assert.equal(end.reason, "length");
  });

  test("stops at an end id and does not emit it", async () => {
    await using opened = await openDouble();
    const ids = text(3, 10);
    const expected = expectedReply(ids, 40);
    const endId = expected[12];
    const { ids: reply, end } = await read(opened.engine, { ids, endIds: [endId, 999] });
    assert.deepEqual(reply, expected.slice(0, expected.indexOf(endId)));
    assert.equal(end.reason, "stop");
    assert.equal(end.endId, endId);
  });

  test("the same seed gives the same draws, whatever ran before, and another seed others", async () => {
    await using opened = await openDouble();
    const draw = async (seed: number) =>
      (await read(opened.engine, { ids: text(4, 9), maxTokens: 20, sampling: { temperature: 1, seed } })).ids;
    const first = await draw(5);
    assert.notDeepEqual(await draw(6), first);
    assert.deepEqual(await draw(5), first);
  });

  test("log-probabilities are of the raw logits, the best first", async () => {
    await using opened = await openDouble();
    const ids = text(5, 7);
    const request = { ids, maxTokens: 1, logprobs: 3, sampling: { temperature: 0.01, topK: 1 } };
    const { events } = await read(opened.engine, request);
    const [token] = events.filter((event) => event.type === "token");
    const logits = Array.from(expectedLogits(ids));
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const best = [...logits.keys()].sort((a, b) => logits[b] - logits[a]).slice(0, 3);
    assert.deepEqual(
      token.top?.map(({ id }) => id),
      best,
    );
    for (const { id, logprob } of token.top ?? []) assert.ok(Math.abs(logprob - (logits[id] - total)) < 1e-9);
    assert.equal(token.logprob, token.top?.[0].logprob);
  });

  test("penalties see the prompt and the reply", async () => {
    await using opened = await openDouble();
    const { ids } = await read(opened.engine, { ids: [1, 2, 3], maxTokens: 40, sampling: { presencePenalty: 100 } });
    assert.equal(new Set([1, 2, 3, ...ids]).size, 43, "no id comes twice");
  });

  test("stop() ends it with its numbers; what was not read is dropped", async () => {
    await using opened = await openDouble();
    const generation = opened.engine.generate({ ids: text(6, 20) });
    const seen: string[] = [];
    for await (const event of generation) {
      seen.push(event.type);
      if (event.type === "token" && seen.filter((type) => type === "token").length === 5) generation.stop();
      if (event.type === "end") assert.equal(event.reason, "stop");
    }
    assert.deepEqual(seen.slice(-6), ["token", "token", "token", "token", "token", "end"]);
    const before = opened.engine.generate({ ids: [1] });
    before.stop();
    assert.equal((await collect(before)).length, 1, "stopped before it began: only the end");
  });

  test("timings count what was computed", async () => {
    await using opened = await openDouble();
    const { timings } = (await read(opened.engine, { ids: text(7, 40), maxTokens: 5 })).end;
    assert.ok(timings.queuedMs >= 0 && timings.prefillMs > 0 && timings.decodeMs > 0);
    assert.ok(timings.firstTokenMs >= timings.prefillMs);
    assert.ok(Math.abs(timings.prefillTokensPerSecond - 40_000 / timings.prefillMs) < 1e-6);
    assert.ok(Math.abs(timings.decodeTokensPerSecond - 4000 / timings.decodeMs) < 1e-6);
  });
});

describe("what is refused", () => {
  test("a prompt that fills the window, with the numbers", async () => {
    await using opened = await openDouble({ window: 50 });
    await assert.rejects(read(opened.engine, { ids: text(1, 50) }), (error) => {
      return error instanceof ContextLengthError && error.promptTokens === 50 && error.window === 50;
    });
    assert.equal((await read(opened.engine, { ids: text(1, 49) })).ids.length, 1);
  });

  const wrong: [string, object][] = [
    ["ids", { ids: [] }],
    ["ids", { ids: [1, 64] }],
    ["ids", { ids: [1.5] }],
    ["maxTokens", { ids: [1], maxTokens: 0 }],
    ["logprobs", { ids: [1], logprobs: 65 }],
    ["topP", { ids: [1], sampling: { topP: 2 } }],
  ];
  for (const [field, request] of wrong) {
    test(`${JSON.stringify(request)}, naming ${field}`, async () => {
      await using opened = await openDouble();
      const reading = read(opened.engine, request as { ids: number[] });
      await assert.rejects(reading, (error) => error instanceof UsageError && error.field === field);
      assert.equal(opened.executor.runs.length, 0);
    });
  }

  test("a second iteration, and any after close", async () => {
    const { engine } = await openDouble();
    const generation = engine.generate({ ids: [1], maxTokens: 1 });
    await collect(generation);
    await assert.rejects(collect(generation), UsageError);
    await engine.close();
    await assert.rejects(read(engine, { ids: [1] }), UsageError);
  });
});

describe("failures", () => {
  test("a failed kernel fails the replies of its run; the engine lives and loses nothing else", async () => {
    await using opened = await openDouble();
    const { engine, executor } = opened;
    const ids = text(1, 20);
    executor.beforeRun = ({ program, positions }) => {
      if (program === "decode" && positions.includes(25)) throw kernelError();
    };
    await assert.rejects(read(engine, { ids }), KernelError);
    executor.beforeRun = () => {};
    const { ids: reply, end } = await read(engine, { ids, maxTokens: 30 });
    assert.deepEqual(reply, expectedReply(ids, 30));
    assert.equal(end.cached, 19);
  });

  test("a failed kernel in a chunk leaves the chunks before it usable", async () => {
    await using opened = await openDouble();
    const { engine, executor } = opened;
    const ids = text(1, 60);
    executor.beforeRun = ({ positions }) => {
      if (positions.includes(40)) throw kernelError();
    };
    await assert.rejects(read(engine, { ids }), KernelError);
    executor.beforeRun = () => {};
    const { ids: reply, end } = await read(engine, { ids, maxTokens: 10 });
    assert.deepEqual(reply, expectedReply(ids, 10));
    assert.equal(end.cached, 32);
  });

  test("a bias that forbids everything fails its own reply only", async () => {
    await using opened = await openDouble();
    const logitBias = Object.fromEntries(Array.from({ length: 64 }, (_, id) => [id, -Infinity]));
    const [bad, good] = await Promise.allSettled([
      read(opened.engine, { ids: [1, 2], sampling: { logitBias } }),
      read(opened.engine, { ids: [3, 4], maxTokens: 8 }),
    ]);
    assert.ok(bad.status === "rejected" && bad.reason instanceof LiangError && bad.reason.code === "bad_logits");
    assert.ok(good.status === "fulfilled");
    assert.deepEqual(good.value.ids, expectedReply([3, 4], 8));
  });
});

describe("reading a text", () => {
  test("logits of every position", async () => {
    await using opened = await openDouble();
    const ids = text(8, 45);
    const logits = await opened.engine.logits(ids);
    for (let i = 0; i < ids.length; i++) {
      assert.deepEqual(logits.subarray(i * 64, (i + 1) * 64), expectedLogits(ids.slice(0, i + 1)), `position ${i}`);
    }
  });

  test("log-probabilities of every next id, with progress", async () => {
    await using opened = await openDouble({ window: 45 });
    const ids = text(8, 45);
    const done: number[] = [];
    const score = await opened.engine.score(ids, { onProgress: (progress) => done.push(progress.done) });
    assert.equal(score.length, 44);
    for (const [i, logprob] of score.entries()) {
      const logits = Array.from(expectedLogits(ids.slice(0, i + 1)));
      const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
      assert.ok(Math.abs(logprob - (logits[ids[i + 1]] - total)) < 1e-9);
    }
    assert.equal(done[0], 0);
    assert.equal(done.at(-1), 44);
    assert.equal((await opened.engine.score([5])).length, 0);
  });

  test("a progress callback that throws fails its own reading only", async () => {
    await using opened = await openDouble();
    for (const at of [0, 16]) {
      const onProgress = ({ done }: { done: number }): void => {
        if (done === at) throw new Error("the caller's");
      };
      await assert.rejects(opened.engine.score(text(1, 40), { onProgress }), /the caller's/);
    }
    assert.deepEqual((await read(opened.engine, { ids: [3], maxTokens: 5 })).ids, expectedReply([3], 5));
  });

  test("too long a text, an abort and a failed kernel reject", async () => {
    await using opened = await openDouble({ window: 45 });
    const { engine, executor } = opened;
    await assert.rejects(engine.logits(text(1, 46)), ContextLengthError);
    await assert.rejects(engine.score(text(1, 46)), ContextLengthError);
    const controller = new AbortController();
    executor.beforeRun = ({ positions }) => {
      if (positions.includes(20)) controller.abort();
    };
    await assert.rejects(engine.logits(text(1, 40), { signal: controller.signal }), { name: "AbortError" });
    await assert.rejects(engine.score(text(1, 40), { signal: controller.signal }), { name: "AbortError" });
    executor.beforeRun = () => {
      throw kernelError();
    };
    await assert.rejects(engine.score(text(1, 40)), KernelError);
  });
});
