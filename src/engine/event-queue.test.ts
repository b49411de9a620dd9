import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EventQueue } from "./event-queue.ts";

const noSpace = (): void => {};

describe("an event queue", () => {
  test("hands on in order, then ends for good", async () => {
    const queue = new EventQueue<number>(4, noSpace);
    queue.push(1);
    queue.push(2);
    queue.end();
    queue.push(3);
    assert.deepEqual(await queue.next(), { done: false, value: 1 });
    assert.deepEqual(await queue.next(), { done: false, value: 2 });
    assert.deepEqual(await queue.next(), { done: true, value: undefined });
    assert.deepEqual(await queue.next(), { done: true, value: undefined });
  });

  test("a waiting reader gets what comes, the end or the failure", async () => {
    for (const [act, expected] of [
      [(queue: EventQueue<number>) => queue.push(0), { done: false, value: 0 }],
      [(queue: EventQueue<number>) => queue.end(), { done: true, value: undefined }],
    ] as const) {
      const queue = new EventQueue<number>(4, noSpace);
      const waiting = queue.next();
      act(queue);
      assert.deepEqual(await waiting, expected);
      assert.equal(queue.full, false);
    }
    const queue = new EventQueue<number>(4, noSpace);
    const waiting = queue.next();
    queue.fail(new Error("gone"));
    await assert.rejects(waiting, /gone/);
  });

  test("a failure overtakes what is left, and is told once", async () => {
    const queue = new EventQueue<number>(4, noSpace);
    queue.push(1);
    queue.fail(new Error("gone"));
    queue.fail(new Error("late"));
    await assert.rejects(queue.next(), /gone/);
    assert.equal((await queue.next()).done, true);
  });

  test("is full at its capacity and tells when a reader makes room", async () => {
    let told = 0;
    const queue = new EventQueue<number>(2, () => told++);
    queue.push(1);
    assert.equal(queue.full, false);
    queue.push(2);
    assert.equal(queue.full, true);
    await queue.next();
    assert.deepEqual([queue.full, told], [false, 1]);
    await queue.next();
    assert.equal(told, 1, "only when it was full");
  });
});
