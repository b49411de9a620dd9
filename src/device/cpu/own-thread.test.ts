// Steps on the conductor's own thread, over memory that is not shared: every part once, in order; aborts and failures as
// the pool of threads has them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createWasmMemory, defineKernel, wasmMachine } from "../../lanes/index.ts";
import { compileWasm } from "./code.ts";
import { CONTROL_ADDRESS, CONTROL_BYTES, STEP_WORDS } from "./control.ts";
import { OwnThread } from "./own-thread.ts";

const TABLE = CONTROL_ADDRESS + CONTROL_BYTES;
const RECORDS = TABLE + 1024;
const LOG = 65536;
const SCRATCH = 2 * 65536;

/** Appends step * 100 + part to a log whose length is its first word, and burns some turns. */
const note = defineKernel("note", ["log", "step", "turns"], (k, w) => {
  k.range(0, w.turns, 1, (i) => k.scratch.store(i));
  const length = w.log.loadInt();
  w.log.add(length.add(1).mul(4)).store(w.step.mul(100).add(k.part));
  w.log.store(length.add(1));
});
const trap = defineKernel("trap", ["log", "step", "turns"], (k, w) => {
  w.log.store(k.int(1).div(w.turns));
});

function open(parts: readonly number[], turns: number) {
  const memory = createWasmMemory({ pages: 3, word: 32, shared: false });
  const words = new Int32Array(memory.buffer);
  for (const [step, many] of parts.entries()) {
    const record = RECORDS + step * 64;
    words.set([0, record, many, 0], TABLE / 4 + step * STEP_WORDS);
    words.set([LOG, step, turns], record / 4);
  }
  const { threadCode } = compileWasm([note, trap], wasmMachine, memory);
  const thread = new OwnThread({ memory, code: threadCode, base: 0, kernels: ["note", "trap"], scratch: [SCRATCH] });
  return { thread, words, log: () => [...words.subarray(LOG / 4 + 1, LOG / 4 + 1 + words[LOG / 4])] };
}

describe("a conductor's own thread", () => {
  it("runs every part of every step once, in order, and skips steps without parts", async () => {
    const { thread, log } = open([2, 0, 3, 1], 0);
    await thread.run(TABLE, 4);
    assert.deepEqual(log(), [0, 1, 200, 201, 202, 300]);
    await thread.run(TABLE, 0);
    assert.equal(log().length, 6);
    await thread.close();
  });

  it("hears an abort while it runs, and leaves the rest undone", async () => {
    const { thread, log } = open([200], 20_000_000);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 1);
    await assert.rejects(thread.run(TABLE, 1, abort.signal), { name: "AbortError" });
    assert.ok(log().length < 200, `${log().length} parts`);
    await assert.rejects(thread.run(TABLE, 1, abort.signal), { name: "AbortError" });
    await thread.close();
  });

  it("says which kernel failed, in which step and part, and goes on with the next run", async () => {
    const { thread, words, log } = open([1, 1], 0);
    words[TABLE / 4 + STEP_WORDS] = 1; // the second step divides by zero
    await assert.rejects(thread.run(TABLE, 2), { name: "KernelError", step: 1, part: 0, message: /^trap: .*zero/ });
    words[LOG / 4] = 0;
    await thread.run(TABLE, 1);
    assert.deepEqual(log(), [0]);
    await thread.close();
  });

  it("rejects a run that is on when it is closed", async () => {
    const { thread } = open([200], 20_000_000);
    const run = assert.rejects(thread.run(TABLE, 1), /closed while a program ran/);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await thread.close();
    await run;
  });
});
