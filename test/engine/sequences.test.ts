// Many sequences at once on the double: equal to each alone, in turn, with slow readers and readers that leave.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isAbort } from "../../src/base/errors.ts";
import type { Executor, Program } from "../../src/device/executor.ts";
import { Slots } from "../../src/engine/cache/slots.ts";
import { type EngineEvent, openEngine } from "../../src/engine/index.ts";
import { collectGarbage } from "#platform";
import {
  DoubleExecutor,
  type DoubleRun,
  PAGE_SIZE,
  doubleModel,
  doubleStore,
  expectedReply,
  kernelError,
} from "./double.ts";
import { openDouble, read, text } from "./harness.ts";

const decodes = (runs: readonly DoubleRun[]): DoubleRun[] => runs.filter(({ program }) => program === "decode");

/** The next event of that type. */
async function until(events: AsyncIterator<EngineEvent>, type: EngineEvent["type"]): Promise<void> {
  for (;;) {
    const next = await events.next();
    assert.ok(!next.done, `a ${type} event comes`);
    if (next.value.type === type) return;
  }
}

describe("sequences at once", () => {
  test("each gets what it gets alone, and decodes share runs of eight rows at most", async () => {
    await using opened = await openDouble({ slots: 10 });
    const texts = Array.from({ length: 10 }, (_, i) => text(i, 3 + 9 * i));
    const results = await Promise.all(texts.map((ids) => read(opened.engine, { ids, maxTokens: 40 })));
    for (const [i, { ids }] of results.entries()) assert.deepEqual(ids, expectedReply(texts[i], 40), `sequence ${i}`);
    const rows = decodes(opened.executor.runs).map(({ extents }) => extents.rows);
    assert.equal(Math.max(...rows), 8);
    assert.equal(
      rows.reduce((a, b) => a + b),
      10 * 39,
    );
    assert.ok(rows.length < 80, `${rows.length} runs`);
  });

  test("more than there are slots wait in order", async () => {
    await using opened = await openDouble({ slots: 2 });
    const order: number[] = [];
    const texts = Array.from({ length: 6 }, (_, i) => text(i, 10 + i));
    const results = await Promise.all(
      texts.map(async (ids, i) => {
        const result = await read(opened.engine, { ids, maxTokens: 10 });
        order.push(i);
        return result.ids;
      }),
    );
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
    for (const [i, ids] of results.entries()) assert.deepEqual(ids, expectedReply(texts[i], 10));
  });

  test("a long prompt does not hold up who is decoding, nor a short prompt", async () => {
    await using opened = await openDouble({ window: 400 });
    const { engine, executor } = opened;
    const first = engine.generate({ ids: text(1, 5), maxTokens: 100 })[Symbol.asyncIterator]();
    await until(first, "token");
    const started = executor.runs.length;
    const long = read(engine, { ids: text(2, 320), maxTokens: 1 });
    const short = read(engine, { ids: text(3, 20), maxTokens: 1 });
    const reading = (async () => {
      for (let next = await first.next(); !next.done; next = await first.next());
    })();
    await short;
    const chunks = executor.runs.slice(started).filter(({ program }) => program === "prompt");
    assert.ok(chunks.length <= 5, `the short prompt's 2 chunks were among the first ${chunks.length}`);
    await long;
    const during = executor.runs.slice(
      started,
      executor.runs.findLastIndex(({ program }) => program === "prompt"),
    );
    assert.ok(decodes(during).length >= 20, "a row was decoded after every chunk");
    await reading;
  });

  test("who was left out of a full run comes first in the next", async () => {
    await using opened = await openDouble({ slots: 12 });
    const { executor, engine } = opened;
    const progress = new Map<number, number>();
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        for await (const event of engine.generate({ ids: text(i, 4), maxTokens: 60 })) {
          if (event.type !== "token") continue;
          progress.set(i, (progress.get(i) ?? 0) + 1);
          const counts = [...progress.values()];
          if (progress.size === 12) assert.ok(Math.max(...counts) - Math.min(...counts) <= 14, String(counts));
        }
      }),
    );
    assert.ok(decodes(executor.runs).every(({ extents }) => extents.rows <= 8));
  });

  test("a slow reader pauses its own sequence only", async () => {
    await using opened = await openDouble();
    const { engine, executor } = opened;
    const slow = engine.generate({ ids: text(1, 6) })[Symbol.asyncIterator]();
    await until(slow, "token");
    const ids = text(2, 100);
    assert.deepEqual((await read(engine, { ids, maxTokens: 80 })).ids, expectedReply(ids, 80));
    const runs = executor.runs.length;
    await sleep(20);
    assert.equal(executor.runs.length, runs, "nothing runs for a reader that does not read");
    const computed = decodes(executor.runs).reduce((sum, { extents }) => sum + extents.rows, 0) - 79;
    assert.ok(computed <= 17, `${computed} rows were computed ahead of it`);
    const tokens: number[] = [];
    for (let next = await slow.next(); !next.done; next = await slow.next()) {
      if (next.value.type === "token") tokens.push(next.value.id);
    }
    assert.deepEqual(tokens, expectedReply(text(1, 6), 194).slice(1), "it goes on where it was");
  });

  test("a failed run fails those in it; who waits is served", async () => {
    await using opened = await openDouble({ slots: 2 });
    const { engine, executor } = opened;
    executor.beforeRun = ({ extents, program }) => {
      if (program === "decode" && extents.rows === 2) throw kernelError();
    };
    const requests = [5, 6, 7].map((length) => read(engine, { ids: text(length, length), maxTokens: 9 }));
    const [first, second, third] = await Promise.allSettled(requests);
    assert.equal(first.status, "rejected");
    assert.equal(second.status, "rejected");
    assert.ok(third.status === "fulfilled");
    assert.deepEqual(third.value.ids, expectedReply(text(7, 7), 9));
  });

  test("a prompt that cannot be given a sequence fails alone; who asks later is served", async (t) => {
    await using opened = await openDouble({ slots: 1 });
    const acquire = t.mock.method(Slots.prototype, "acquire", () => {
      throw new RangeError("no page");
    });
    await assert.rejects(read(opened.engine, { ids: text(1, 5), maxTokens: 2 }), /no page/);
    acquire.mock.restore();
    const { ids } = await read(opened.engine, { ids: text(2, 5), maxTokens: 9 });
    assert.deepEqual(ids, expectedReply(text(2, 5), 9));
  });
});

describe("leaving", () => {
  test("an abort in the middle of a prompt ends its run; what was read stays usable", async () => {
    await using opened = await openDouble({ slots: 1 });
    const { engine, executor } = opened;
    const controller = new AbortController();
    executor.beforeRun = ({ positions }) => {
      if (positions.includes(50)) controller.abort();
    };
    const ids = text(1, 120);
    await assert.rejects(read(engine, { ids, signal: controller.signal }), isAbort);
    executor.beforeRun = () => {};
    const { ids: reply, end } = await read(engine, { ids, maxTokens: 10 });
    assert.deepEqual(reply, expectedReply(ids, 10));
    assert.equal(end.cached, 48, "the chunk that was under way does not count");
  });

  for (const at of [0, 1, 7, 20]) {
    test(`an abort after ${at} tokens leaves the sequence whole and the others alone`, async () => {
      await using opened = await openDouble({ slots: 2 });
      const { engine } = opened;
      const other = read(engine, { ids: text(9, 30), maxTokens: 60 });
      const controller = new AbortController();
      const ids = text(1, 20);
      let tokens = 0;
      const aborted = (async () => {
        for await (const event of engine.generate({ ids, signal: controller.signal })) {
          if (event.type === "token") tokens++;
          if (event.type !== "prefill" || event.done === ids.length) if (tokens === at) controller.abort();
        }
      })();
      await assert.rejects(aborted, isAbort);
      assert.equal(tokens, at);
      const all = [...ids, ...expectedReply(ids, at)];
      const { ids: reply, end } = await read(engine, { ids: all, maxTokens: 12 });
      assert.deepEqual(reply, expectedReply(all, 12));
      assert.ok(end.cached >= all.length - 2, `${end.cached} of ${all.length} were cached`);
      assert.deepEqual((await other).ids, expectedReply(text(9, 30), 60));
    });
  }

  test("an aborted signal is refused before anything runs, and one that aborts in the queue leaves it", async () => {
    await using opened = await openDouble({ slots: 1 });
    const { engine, executor } = opened;
    await assert.rejects(read(engine, { ids: [1], signal: AbortSignal.abort() }), isAbort);
    assert.equal(executor.runs.length, 0);
    const running = read(engine, { ids: text(1, 5), maxTokens: 20 });
    const controller = new AbortController();
    const queued = read(engine, { ids: text(2, 5), signal: controller.signal });
    const behind = read(engine, { ids: text(3, 5), maxTokens: 5 });
    await sleep(1);
    controller.abort();
    await assert.rejects(queued, isAbort);
    assert.deepEqual((await running).ids, expectedReply(text(1, 5), 20));
    assert.deepEqual((await behind).ids, expectedReply(text(3, 5), 5));
  });

  test("leaving the loop frees the slot", async () => {
    await using opened = await openDouble({ slots: 1 });
    const { engine } = opened;
    for (let i = 0; i < 3; i++) {
      for await (const event of engine.generate({ ids: text(i, 5) })) if (event.type === "token") break;
    }
    assert.deepEqual((await read(engine, { ids: [7], maxTokens: 3 })).ids, expectedReply([7], 3));
  });

  test("a signal that outlives its request is let go", async () => {
    await using opened = await openDouble();
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...parameters: Parameters<typeof add>) => (listeners++, add(...parameters));
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => (listeners--, remove(...parameters));
    await read(opened.engine, { ids: [1], maxTokens: 3, signal });
    await opened.engine.score([1, 2, 3], { signal });
    assert.equal(listeners, 0);
  });

  test("closing aborts what runs and what waits, and closes the executor after the run", async () => {
    const { engine, executor } = await openDouble({ slots: 2 });
    const requests = [1, 2, 3, 4].map((seed) => read(engine, { ids: text(seed, 40) }));
    const settled = Promise.allSettled([...requests, engine.logits(text(5, 40))]);
    await sleep(2);
    await Promise.all([engine.close(), engine.close()]);
    assert.ok(executor.closed);
    for (const result of await settled) assert.ok(result.status === "rejected" && isAbort(result.reason));
    assert.deepEqual(executor.faults, []);
  });

  test("who keeps a closed engine keeps none of the executor's memory", async () => {
    const double = new DoubleExecutor();
    const logits: WeakRef<Float32Array>[] = [];
    const executor: Executor = {
      name: double.name,
      tier: double.tier,
      plan: () => double.plan(),
      async open(store, graphs) {
        const opened = await double.open(store, graphs);
        for (const { outputs } of Object.values<Program>(opened.programs)) logits.push(new WeakRef(outputs.logits));
        return opened;
      },
    };
    const engine = await openEngine(doubleModel(200, true), doubleStore, executor, {
      window: 200,
      pageSize: PAGE_SIZE,
    });
    await read(engine, { ids: [1], maxTokens: 3, sampling: { temperature: 1 } });
    await engine.close();
    // on a busy machine what V8's own threads do at that moment may hold a thing once more
    for (let turn = 0; turn < 10 && logits.some((held) => held.deref() !== undefined); turn++) await collectGarbage();
    assert.deepEqual(
      logits.map((held) => held.deref()),
      ["prompt", "decode", "everyRow"].map(() => undefined),
    );
    assert.equal(engine.window, 200);
  });
});
