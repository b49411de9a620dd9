import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { untilAborted } from "./abort.ts";

const never = new Promise<never>(() => {});

test("gives what the work gives, or its failure, and leaves no listener", async () => {
  const { signal } = new AbortController();
  assert.equal(await untilAborted(Promise.resolve(7), signal), 7);
  assert.equal(await untilAborted(Promise.resolve(7), undefined), 7);
  await assert.rejects(untilAborted(Promise.reject(new Error("broken")), signal), /broken/);
  assert.deepEqual(getEventListeners(signal, "abort"), []);
});

test("rejects with the signal's reason while the work goes on, also when it was aborted before", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const waiting = untilAborted(never, controller.signal);
  setImmediate(() => controller.abort(reason));
  await assert.rejects(waiting, reason);
  await assert.rejects(untilAborted(never, controller.signal), reason);
  assert.deepEqual(getEventListeners(controller.signal, "abort"), []);
});

test("work that fails after the abort is no unhandled rejection", async () => {
  const work = Promise.withResolvers<never>();
  await assert.rejects(untilAborted(work.promise, AbortSignal.abort()), { name: "AbortError" });
  work.reject(new Error("too late"));
  await new Promise((resolve) => setImmediate(resolve));
});
