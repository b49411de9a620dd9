// How an open model of the cpu executor lives, fails, stops and goes away.
import assert from "node:assert/strict";
import { it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { KernelError, MemoryError, ShapeError, UsageError, isAbort } from "../../src/base/errors.ts";
import type { ModelCode } from "../../src/device/cpu/code.ts";
import { Word } from "../../src/device/cpu/control.ts";
import { createCpuExecutor } from "../../src/device/cpu/executor.ts";
import { ModelMemory } from "../../src/device/cpu/model-memory.ts";
import { openModel } from "../../src/device/cpu/open-model.ts";
import { type Tier, chooseTier } from "../../src/device/cpu/tiers.ts";
import {
  type Graph,
  add,
  gather,
  graph,
  input,
  linear,
  parameter,
  silu,
  state,
  writeRows,
} from "../../src/graph/index.ts";
import { memoryStore, randomFloats, randomParameter } from "./stores.ts";

const executor = createCpuExecutor();
const rows = { name: "rows", bound: 64 };
const COLUMNS = 64;

const table = { table: randomParameter(1, "f32", 32, COLUMNS) };
/** Reads rows of a table by ids, which are trusted: a wild one makes the kernel fault. */
const lookup = (): Graph => graph({ y: silu(gather(parameter("table", [32, COLUMNS]), input("ids", [rows], "i32"))) });

// a fault in machine code ends the process; the checking mode has a test of that
it("rejects the run in which a WASM kernel faults, says where, and serves the next run", async () => {
  await using opened = await createCpuExecutor({ tier: "wasm" }).open(
    memoryStore(table),
    { run: lookup() },
    { threads: 2 },
  );
  const { run } = opened.programs;
  for (let round = 0; round < 3; round++) {
    run.inputs.ids[0] = 1;
    run.inputs.ids[1] = 12345678; // 3 GB past the table
    const error: unknown = await run.run({ rows: 2 }).catch((reason: unknown) => reason);
    assert.ok(error instanceof KernelError, String(error));
    assert.equal(error.step, 0);
    assert.match(error.message, /gather/);
    run.inputs.ids[1] = 5;
    await run.run({ rows: 2 });
    assert.ok(run.outputs.y.subarray(0, 2 * COLUMNS).every((value) => Number.isFinite(value)));
  }
});

/** Many products one after another: some hundred milliseconds. */
function longGraph(): Graph {
  const w = parameter("w", [512, 512]);
  let x = input("x", [rows, 512], "f32");
  for (let i = 0; i < 400; i++) x = silu(linear(x, w));
  return graph({ y: x });
}

it("leaves a run within 50 ms of an abort, rejects with its reason, and runs again", async () => {
  const store = memoryStore({ w: randomParameter(2, "f32", 512, 512) });
  await using opened = await executor.open(store, { run: longGraph() }, { threads: 2 });
  const { run } = opened.programs;
  run.inputs.x.set(randomFloats(1, 64 * 512));
  const from = performance.now();
  await run.run({ rows: 64 });
  const wholeMs = performance.now() - from;
  // On a busy machine a thread may be off its core when the abort comes, but not every time.
  let lateMs = Infinity;
  for (let attempt = 0; attempt < 5 && lateMs >= 50; attempt++) {
    const controller = new AbortController();
    let abortedAt = 0;
    setTimeout(() => {
      abortedAt = performance.now();
      controller.abort();
    }, wholeMs / 8);
    const error: unknown = await run.run({ rows: 64 }, controller.signal).catch((reason: unknown) => reason);
    lateMs = performance.now() - abortedAt;
    assert.ok(isAbort(error), String(error));
  }
  // 50 ms on a machine that does nothing else; on a busy one, still long before the run's end
  assert.ok(lateMs < Math.max(50, wholeMs / 4), `${lateMs} ms after the abort, of a run of ${wholeMs} ms`);
  await assert.rejects(run.run({ rows: 1 }, AbortSignal.abort()), isAbort);
  await run.run({ rows: 1 });
});

it("rejects a run that is on when the model is closed", async () => {
  const store = memoryStore({ w: randomParameter(2, "f32", 512, 512) });
  const opened = await executor.open(store, { run: longGraph() }, { threads: 2 });
  const run = assert.rejects(opened.programs.run.run({ rows: 64 }), UsageError);
  await opened.close();
  await run;
});

it("stops loading when it is aborted, and when weights cannot be read", async () => {
  const store = memoryStore({ w: randomParameter(2, "f32", 512, 512) });
  const program = graph({ y: linear(input("x", [rows, 512], "f32"), parameter("w", [512, 512])) });
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  const { signal } = controller;
  // one chunk is all there is, so the second load meets the abort of the first
  await (await executor.open(store, { program }, { onProgress, signal })).close();
  await assert.rejects(executor.open(store, { program }, { signal }), isAbort);
  const broken = { ...store, readRows: () => Promise.reject(new Error("disk gone")) };
  await assert.rejects(executor.open(broken, { program }), /disk gone/);
});

it("refuses extents beyond their bounds, a second run at a time, and runs after closing", async () => {
  const opened = await executor.open(memoryStore(table), { run: lookup() }, { threads: 1 });
  const { run } = opened.programs;
  for (const value of [65, -1, 1.5, NaN]) await assert.rejects(run.run({ rows: value }), ShapeError);
  await assert.rejects(run.run({}), ShapeError);
  const first = run.run({ rows: 1 });
  await assert.rejects(run.run({ rows: 1 }), UsageError);
  await first;
  await opened.close();
  await opened.close();
  await assert.rejects(run.run({ rows: 1 }), UsageError);
});

it("refuses a number of threads that is none, and a model beyond 16 GB before it allocates", async () => {
  for (const threads of [0, -1, 1.5]) {
    await assert.rejects(executor.open(memoryStore(table), { run: lookup() }, { threads }), UsageError);
  }
  const huge = state("huge", [2 ** 22, 2048], "f32");
  const program = graph({ y: silu(input("x", [rows, 8], "f32")), z: gather(huge, input("ids", [rows], "i32")) });
  const error: unknown = await executor.open(memoryStore({}), { run: program }).catch((reason: unknown) => reason);
  assert.ok(error instanceof MemoryError, String(error));
  assert.ok(error.neededBytes > 2 ** 35);
});

it("keeps state from run to run and program to program", async () => {
  const make = (bound: number): Graph => {
    const n = { name: "rows", bound };
    const kept = writeRows(state("kept", [8, 3], "f32"), input("slots", [n], "i32"), input("x", [n, 3], "f32"));
    return graph({ y: gather(kept, input("ids", [n], "i32")) });
  };
  await using opened = await executor.open(memoryStore({}), { one: make(1), four: make(4) }, { threads: 2 });
  const { one, four } = opened.programs;
  four.inputs.slots.set([7, 0, 2, 5]);
  four.inputs.x.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  four.inputs.ids.set([5, 2, 1, 7]);
  await four.run({ rows: 4 });
  assert.deepEqual([...four.outputs.y], [10, 11, 12, 7, 8, 9, 0, 0, 0, 1, 2, 3]);
  one.inputs.slots.set([3]);
  one.inputs.ids.set([0]);
  await one.run({ rows: 1 });
  assert.deepEqual([...one.outputs.y], [4, 5, 6]);
});

it("leaves nothing on the heap: 1,000 runs do not make it grow", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const x = input("x", [{ name: "rows", bound: 1 }, 64], "f32");
  const program = graph({ y: add(linear(x, parameter("w", [64, 64])), x) });
  const store = memoryStore({ w: randomParameter(2, "q8_0", 64, 64) });
  await using opened = await executor.open(store, { run: program }, { threads: 1 });
  const { run } = opened.programs;
  const heapAfter = async (runs: number): Promise<number> => {
    for (let i = 0; i < runs; i++) await run.run({ rows: 1 });
    collect();
    return process.memoryUsage().heapUsed;
  };
  // A thousand runs that leave anything leave it every time; the engine's own compiling does not come back.
  let before = await heapAfter(4000);
  let growth = Infinity;
  for (let attempt = 0; attempt < 4; attempt++) {
    const after = await heapAfter(1000);
    growth = Math.min(growth, after - before);
    before = after;
  }
  assert.ok(growth < 50_000, `${growth} bytes stay after 1,000 runs`);
});

/** A tier that tells what became of what it compiled. */
function watchedTier(change: (code: ModelCode) => ModelCode = (code) => code) {
  const tier = chooseTier();
  const seen: { released: number; words: Int32Array } = { released: 0, words: new Int32Array(0) };
  const compile: Tier["compile"] = (kernels, machine, memory, kept) => {
    const code = tier.compile(kernels, machine, memory, kept);
    seen.words = new Int32Array(memory.buffer);
    const release = (): void => {
      seen.released++;
      code.release();
    };
    return change({ ...code, release });
  };
  return { tier: { ...tier, compile }, seen };
}

it("leaves nothing open when a program cannot be encoded, or threads cannot be given its code", async ({ mock }) => {
  const encoding = watchedTier();
  const released = mock.method(ModelMemory.prototype, "release"); // still does what it does
  const base = mock.getter(ModelMemory.prototype, "weightBase", () => {
    throw new Error("no such place");
  });
  const open = (tier: Tier) => openModel(tier, memoryStore(table), { run: lookup() }, { threads: 2 });
  await assert.rejects(open(encoding.tier), /no such place/);
  base.mock.restore();
  assert.equal(encoding.seen.words[Word.gone], 2, "threads have ended");
  assert.equal(encoding.seen.released, 1);
  assert.ok(released.mock.callCount() > 0);

  const starting = watchedTier((code) => ({ ...code, threadCode: { kind: "native", addresses: [() => 0] as never } }));
  await assert.rejects(open(starting.tier), /could not be cloned/);
  assert.equal(starting.seen.released, 1);
});

it("gives everything back at close: 50 models one after another", async () => {
  const store = memoryStore({ w: randomParameter(2, "f32", 4096, 1024) }); // 16 MB
  const x = input("x", [rows, 1024], "f32");
  const program = graph({ y: linear(x, parameter("w", [4096, 1024])) });
  const cycle = async (): Promise<void> => {
    await using opened = await executor.open(store, { run: program }, { threads: 1 });
    await opened.programs.run.run({ rows: 1 });
  };
  for (let i = 0; i < 5; i++) await cycle();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 45; i++) await cycle();
  const growthMb = (process.memoryUsage.rss() - before) / 1e6;
  assert.ok(growthMb < 100, `resident memory grew by ${growthMb} MB, of 45 models of 17 MB`);
});

it("counts the weight bytes that decoding a token reads: matrices whole, embeddings by row, vectors as f32", async () => {
  const x = gather(parameter("table", [32, COLUMNS]), input("ids", [rows], "i32"));
  const tied = graph({ y: linear(x, x.inputs[0], parameter("bias", [32])) });
  const store = memoryStore({ ...table, bias: randomParameter(1, "f16", 1, 32) });
  await using opened = await executor.open(store, { tied }, { threads: 1 });
  const row = COLUMNS * 4;
  assert.equal(opened.memory.bytesPerToken.tied, row + 32 * row + 32 * 4);
  const wholePages = Math.ceil((32 * row + 32 * 4 + 256) / 4096) * 4096;
  assert.ok(opened.memory.weightBytes <= wholePages, "a tied weight is packed once");
});
