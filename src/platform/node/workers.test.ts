// Threads: data in, messages both ways, shared and moved memory, failures, termination of an endless loop.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Worker, currentWorker, startWorker, type WorkerHandle } from "./index.ts";

const fixture = new Worker(new URL("./workers.fixture.ts", import.meta.url), { type: "module" });
const nextMessage = (worker: WorkerHandle) => new Promise<unknown>((resolve) => worker.onMessage(resolve));
const nextFailure = (worker: WorkerHandle) => new Promise<Error>((resolve) => worker.onFailure(resolve));

describe("worker threads", () => {
  test("echo what they are given and what they are sent", async () => {
    await using worker = startWorker(fixture, { task: "echo", greeting: "量" });
    assert.deepEqual(await nextMessage(worker), { hello: "量" });
    worker.post({ number: 1 });
    const reply = await new Promise((resolve) => worker.onMessage(resolve));
    assert.deepEqual(reply, { echo: { number: 1 } });
  });

  test("share shared memory and take over moved memory", async () => {
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const moved = new ArrayBuffer(4);
    await using worker = startWorker(fixture, { task: "add", shared, moved }, { transfer: [moved], name: "adder" });
    assert.equal(moved.byteLength, 0);
    assert.deepEqual(await nextMessage(worker), { movedBytes: 4 });
    assert.equal(Atomics.load(shared, 0), 42);
  });

  test("report what they throw, once, also to a late listener", async () => {
    await using worker = startWorker(fixture, { task: "throw" });
    assert.match((await nextFailure(worker)).message, /broken on purpose/);
    assert.match((await nextFailure(worker)).message, /broken on purpose/);
  });

  test("fail beyond their heap cap while this thread lives on", async () => {
    await using worker = startWorker(fixture, { task: "fill" }, { heapBytesMax: 32 * 2 ** 20 });
    assert.match((await nextFailure(worker)).message, /memory/i);
  });

  test("end in the middle of an endless loop, without a failure", async () => {
    const worker = startWorker(fixture, { task: "loop" });
    let failed = false;
    worker.onFailure(() => (failed = true));
    await nextMessage(worker);
    const before = (await worker.processorMs())!;
    while ((await worker.processorMs())! < before + 20); // it computes, and tells so
    await worker.terminate();
    assert.equal(failed, false);
  });

  test("the main thread is no worker", () => assert.equal(currentWorker(), undefined));
});
