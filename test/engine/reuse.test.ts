// Prefix reuse on the double: what is found of a prompt, and that it never changes a reply.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { uniform } from "../../src/base/random.ts";
import { CHUNK_ROWS, PAGE_SIZE, SLIDING_WINDOW, expectedReply } from "./double.ts";
import { type Opened, openDouble, read, text } from "./harness.ts";

const REACH = SLIDING_WINDOW + 8;
/** The most pages that so many rows lie in. */
const pagesOf = (rows: number): number => Math.ceil((rows - 1) / PAGE_SIZE) + 1;
const random = (i: number, below: number): number => Math.floor(uniform(11, 0, i) * below);

/** Sends a prompt, checks the reply, and returns what was cached and the whole conversation. */
async function send(opened: Opened, ids: number[], maxTokens: number): Promise<{ cached: number; all: number[] }> {
  const result = await read(opened.engine, { ids, maxTokens });
  assert.deepEqual(result.ids, expectedReply(ids, maxTokens));
  return { cached: result.end.cached, all: [...ids, ...result.ids] };
}

describe("prefix reuse", () => {
  test("a conversation that goes on reads only what is new", async () => {
    await using opened = await openDouble();
    const first = await send(opened, text(1, 30), 20);
    const second = await send(opened, [...first.all, ...text(2, 15)], 20);
    assert.equal(second.cached, 49, "all but the last id of the reply, which was chosen and never run");
    const third = await send(opened, [...second.all, ...text(3, 15)], 20);
    assert.equal(third.cached, 84);
  });

  test("another reply to the same prompt reads its last token again, though sliding rows have moved on", async () => {
    await using opened = await openDouble();
    const ids = text(1, 30);
    await send(opened, ids, 100);
    for (let i = 0; i < 3; i++) assert.equal((await send(opened, ids, 100)).cached, 29);
  });

  test("an edited last message goes on from where the message began", async () => {
    await using opened = await openDouble();
    const first = await send(opened, text(1, 30), 30);
    await send(opened, [...first.all, ...text(2, 30)], 50);
    for (const seed of [3, 4]) {
      const edited = await send(opened, [...first.all, ...text(seed, 25)], 50);
      assert.equal(edited.cached, 60);
    }
  });

  test("what sliding groups no longer hold is read again from the start, with the same reply", async () => {
    await using opened = await openDouble();
    const first = await send(opened, text(1, 100), 20);
    const early = await send(opened, first.all.slice(0, 50), 20);
    assert.equal(early.cached, 0);
  });

  test("reproducible reuses nothing", async () => {
    await using opened = await openDouble();
    const ids = text(1, 40);
    await send(opened, ids, 5);
    const result = await read(opened.engine, { ids, maxTokens: 5, reproducible: true });
    assert.equal(result.end.cached, 0);
    assert.deepEqual(result.ids, expectedReply(ids, 5));
  });

  test("two conversations with one beginning share its whole pages and keep their ends", async () => {
    await using opened = await openDouble({ sliding: false });
    const system = text(1, 41);
    const one = await send(opened, [...system, ...text(2, 9)], 60);
    const other = await send(opened, [...system, ...text(3, 9)], 60);
    assert.equal(other.cached, 40);
    assert.equal((await send(opened, [...one.all, 5], 2)).cached, 109, "the first one is whole");
    assert.equal((await send(opened, [...other.all, 5], 2)).cached, 109, "and so is the second");
  });

  test("without sliding groups any earlier length serves, once its page is not shared", async () => {
    await using opened = await openDouble({ sliding: false, slots: 1 });
    const first = await send(opened, text(1, 100), 20);
    assert.equal((await send(opened, first.all.slice(0, 50), 20)).cached, 49);
    assert.equal((await send(opened, [...first.all.slice(0, 33), 1, 2], 20)).cached, 33);
  });

  test("a running sequence lends its pages too", async () => {
    await using opened = await openDouble();
    const ids = text(1, 41);
    const running = opened.engine.generate({ ids, maxTokens: 60 })[Symbol.asyncIterator]();
    for (let next = await running.next(); next.value?.type !== "token"; next = await running.next());
    const second = await send(opened, [...ids, ...text(2, 9)], 60);
    assert.equal(second.cached, 40, "whole pages of it");
    await running.return?.();
  });

  test("the conversation used least recently makes room", async () => {
    await using opened = await openDouble({ slots: 2 });
    const a = await send(opened, text(1, 30), 10);
    const b = await send(opened, text(2, 30), 10);
    assert.equal((await send(opened, [...a.all, 1], 3)).cached, 39);
    await send(opened, text(3, 30), 10); // takes b's place
    assert.equal((await send(opened, [...a.all, 2], 3)).cached, 40);
    assert.equal((await send(opened, [...b.all, 1], 3)).cached, 0);
  });

  test("the state holds the pages of the window group's reach, not of the window", async () => {
    await using opened = await openDouble({ window: 200, slots: 3 });
    const shapes = opened.executor.graphs.prompt.states;
    const slotsOf = (group: string): unknown => shapes.get(`kv.${group}.0.keys`)?.shape[0];
    assert.equal(slotsOf("full"), 3 * 200);
    assert.equal(slotsOf("sliding"), 3 * PAGE_SIZE * pagesOf(REACH + CHUNK_ROWS));
  });

  for (const sliding of [true, false])
    test(`random conversations at once, edits and readers that leave never change a reply, ${sliding ? "with" : "without"} a sliding group`, async () => {
      await using opened = await openDouble({ slots: 3, window: 160, sliding });
      let draw = 0;
      let cached = 0;
      const texts: number[][] = [text(0, 12)];
      for (let round = 0; round < 60; round++) {
        const requests = Array.from({ length: 1 + random(draw++, 5) }, async () => {
          const base = texts[random(draw++, texts.length)];
          const kept = base.slice(0, 1 + random(draw++, base.length));
          const ids = [...kept, ...text(draw++, random(draw++, 30))].slice(0, 120);
          const leaveAt = random(draw++, 3) === 0 ? random(draw++, 20) : Infinity;
          const reply: number[] = [];
          for await (const event of opened.engine.generate({ ids, maxTokens: 1 + random(draw++, 30) })) {
            if (event.type === "token") reply.push(event.id);
            if (event.type === "end") cached += event.cached;
            if (reply.length === leaveAt) break;
          }
          assert.deepEqual(reply, expectedReply(ids, reply.length));
          texts.push([...ids, ...reply].slice(0, 120));
        });
        await Promise.all(requests);
      }
      assert.ok(cached > 300, `${cached} tokens were found in the cache`);
    });
});
