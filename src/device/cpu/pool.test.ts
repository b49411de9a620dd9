// Threads that claim parts: every part of every step runs exactly once, steps run in order, whatever the threads.
import assert from "node:assert/strict";
import { it } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { defineKernel, wasmMachine } from "../../lanes/index.ts";
import { compileWasm } from "./code.ts";
import { CONTROL_ADDRESS, CONTROL_BYTES, PARTS_MAX, STEP_WORDS, Status, TAG_MASK, Word } from "./control.ts";
import { ComputePool } from "./pool.ts";

const TABLE = CONTROL_ADDRESS + CONTROL_BYTES;
const STEPS = 200;
const COUNTERS = 4 * 65536;
const PARTS_MOST = 17;

/**
 * Adds 1 to the part's counter of this step, if all counters of the step before hold what they should (a step that began
 * too early finds them behind), and burns some turns so that threads meet in every way.
 */
const count = defineKernel("count", ["counters", "before", "partsBefore", "turns"], (k, w) => {
  const own = w.counters.add(k.part.mul(4));
  const next = own.loadInt().add(1);
  k.range(0, w.turns.mul(k.part), 1, (i) => k.scratch.store(i));
  const late = k.variable(k.int(0));
  k.range(0, w.partsBefore, 1, (i) => {
    late.value = late.value.add(w.before.add(i.mul(4)).loadInt().less(next));
  });
  own.store(next.add(late.value.mul(1 << 20)));
});

for (const threads of [1, 2, 3, 5]) {
  it(`runs every part once and every step after the one before, with ${threads} threads`, async () => {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
    const words = new Int32Array(memory.buffer);
    const code = compileWasm([count], wasmMachine, memory).threadCode;
    const records = TABLE + STEPS * STEP_WORDS * 4;
    const parts = Array.from({ length: STEPS }, (_, i) => (i * 7) % (PARTS_MOST + 1)); // some steps have none
    const countersOf = (step: number): number => COUNTERS + step * PARTS_MOST * 4;
    for (let step = 0, before = 0; step < STEPS; step++) {
      const record = records + step * 16;
      words.set([0, record, parts[step], 0], TABLE / 4 + step * STEP_WORDS);
      words.set([countersOf(step), countersOf(before), step === 0 ? 0 : parts[before], (step % 5) * 50], record / 4);
      if (parts[step] > 0) before = step;
    }
    const scratch = Array.from({ length: threads }, (_, i) => (8 + i) * 65536);
    const pool = new ComputePool({ memory, code, base: 0, kernels: ["count"], scratch });
    const RUNS = 40;
    for (let run = 0; run < RUNS; run++) await pool.run(TABLE, STEPS);
    await pool.run(TABLE, 0); // nothing to do
    await pool.close();
    for (const [step, many] of parts.entries()) {
      const found = [...words.subarray(countersOf(step) / 4, countersOf(step) / 4 + PARTS_MOST)];
      const expected = Array.from({ length: PARTS_MOST }, (_, part) => (part < many ? RUNS : 0));
      assert.deepEqual(found, expected, `step ${step}`);
    }
  });
}

/** The first part turns `turns` times, the others a hundredth of that. */
const uneven = defineKernel("uneven", ["turns"], (k, { turns }) => {
  k.range(0, turns, k.part.less(1).select(1, 100), (i) => k.scratch.store(i));
});

it("counts as waiting what is longer than parts take, and nothing where one thread runs", async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const words = new Int32Array(memory.buffer);
  const code = compileWasm([uneven], wasmMachine, memory).threadCode;
  words.set([0, TABLE + 64, 8, 0], TABLE / 4);
  words[TABLE / 4 + 16] = 2e7; // tens of milliseconds
  const waitedShare = async (threads: number): Promise<number> => {
    let [ranMs, waitedMs] = [0, 0];
    const governor = {
      active: threads,
      ran(fromMs: number, endMs: number, waited: number): void {
        ranMs += endMs - fromMs;
        waitedMs += waited;
      },
    };
    const scratch = Array.from({ length: threads }, (_, i) => (8 + i) * 65536);
    await using pool = new ComputePool({ memory, code, base: 0, kernels: ["uneven"], scratch, governor });
    await pool.ready();
    for (let run = 0; run < 4; run++) await pool.run(TABLE, 1);
    return waitedMs / ranMs;
  };
  assert.equal(await waitedShare(1), 0);
  // where other processes share the cores a thread may find the work done when it comes: the clearest of some tries counts
  const shares: number[] = [];
  while (shares.length < 5 && !shares.some((share) => share > 0.3)) shares.push(await waitedShare(2));
  assert.ok(Math.max(...shares) > 0.3, `a thread waited for ${shares.join(", ")} of the time`);
  assert.ok(shares.every((share) => share < 1));
});

it("ends a run when all its parts are done, not when a thread of the run before wakes the conductor late", async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const words = new Int32Array(memory.buffer);
  const code = compileWasm([uneven], wasmMachine, memory).threadCode;
  words.set([0, TABLE + 64, 8, 0], TABLE / 4);
  words[TABLE / 4 + 16] = 2e7; // tens of milliseconds
  await using pool = new ComputePool({ memory, code, base: 0, kernels: ["uneven"], scratch: [8 * 65536, 9 * 65536] });
  await pool.ready();
  // where other processes keep this thread off its core, a run may be over before it is waited for: then it tells nothing
  let woken = 0;
  for (let round = 0; round < 100 && woken < 3; round++) {
    const ended = words[Word.finished];
    const run = pool.run(TABLE, 1);
    woken += Atomics.notify(words, Word.finished);
    await run;
    assert.equal(Atomics.load(words, Word.finished), ended + 1);
  }
  assert.equal(woken, 3, "runs whose conductor was woken early");
});

it("runs every part once while threads are left out and taken in again", async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const words = new Int32Array(memory.buffer);
  const code = compileWasm([count], wasmMachine, memory).threadCode;
  words.set([0, TABLE + 64, PARTS_MOST, 0], TABLE / 4);
  words.set([COUNTERS, COUNTERS, 0, 100], TABLE / 4 + 16);
  const scratch = [8 * 65536, 9 * 65536, 10 * 65536];
  let runs = 0;
  const governor = {
    get active(): number {
      return [3, 1, 2, 1, 3, 2][runs % 6];
    },
    ran: () => void runs++,
  };
  await using pool = new ComputePool({ memory, code, base: 0, kernels: ["count"], scratch, governor });
  for (let run = 0; run < 300; run++) await pool.run(TABLE, 1);
  assert.equal(runs, 300);
  assert.ok(words.subarray(COUNTERS / 4, COUNTERS / 4 + PARTS_MOST).every((value) => value === 300));
});

it("keeps its threads at the last tag, in a step of as many parts as there may be", async () => {
  const memory = new WebAssembly.Memory({ initial: 400, maximum: 400, shared: true });
  const words = new Int32Array(memory.buffer);
  const code = compileWasm([count], wasmMachine, memory).threadCode;
  const record = TABLE + TAG_MASK * STEP_WORDS * 4;
  const counters = record + 64;
  words.set([counters, counters, 0, 1], record / 4);
  const scratch = [397 * 65536, 398 * 65536, 399 * 65536];
  const governor = { active: 3, ran() {} };
  await using pool = new ComputePool({ memory, code, base: 0, kernels: ["count"], scratch, governor });
  await pool.ready();
  words.set([0, record, 1, 0], TABLE / 4 + (TAG_MASK - 1) * STEP_WORDS);
  await pool.run(TABLE, TAG_MASK); // all tags but the last; steps of no parts are passed over
  words.set([0, record, PARTS_MAX, 0], TABLE / 4);
  for (let run = 0; run < 3; run++) await pool.run(TABLE, 1);
  await sleep(50); // a thread that leaves has done so by then
  assert.equal(words[Word.gone], 0);
  const counts = words.subarray(counters / 4, counters / 4 + PARTS_MAX);
  assert.equal(counts[0], 4);
  assert.ok(counts.subarray(1).every((value) => value === 3));
});

it("rejects when a thread cannot begin, instead of waiting for it", async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const words = new Int32Array(memory.buffer);
  words.set([0, TABLE + 64, 1, 0], TABLE / 4);
  const larger = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true });
  const code = compileWasm([count], wasmMachine, larger).threadCode;
  const pool = new ComputePool({ memory, code, base: 0, kernels: ["count"], scratch: [8 * 65536] });
  await assert.rejects(pool.run(TABLE, 1), /compute thread ended/);
  await pool.close();
});

for (const [when, scratch] of [
  ["at once", () => 0], // no message can carry it
  ["later", 9n], // no address: the thread itself fails
] as const) {
  it(`ends the threads that it started when another fails to start, ${when}`, async () => {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
    const words = new Int32Array(memory.buffer);
    const code = compileWasm([count], wasmMachine, memory).threadCode;
    const offsets = [8 * 65536, scratch as unknown as number];
    const pool = new ComputePool({ memory, code, base: 0, kernels: ["count"], scratch: offsets });
    await assert.rejects(pool.ready(), /A compute thread (could not start|ended)/);
    await pool.close();
    assert.equal(Atomics.load(words, Word.gone), 1);
  });
}

/** Faults where the divisor is 0. */
const divide = defineKernel("divide", ["divisor", "out"], (k, { divisor, out }) =>
  out.store(k.part.add(1).div(divisor)),
);

it("starts no threads in the place of failed ones when it is closed meanwhile", async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const words = new Int32Array(memory.buffer);
  const code = compileWasm([divide], wasmMachine, memory).threadCode;
  words.set([0, TABLE + 64, 4, 0], TABLE / 4);
  words.set([0, COUNTERS], TABLE / 4 + 16);
  const pool = new ComputePool({ memory, code, base: 0, kernels: ["divide"], scratch: [8 * 65536, 9 * 65536] });
  await pool.ready();
  const run = assert.rejects(pool.run(TABLE, 1), /divide|closed/);
  while (Atomics.load(words, Word.status) !== Status.failed) await setImmediate();
  await setImmediate(); // the run knows by now, and replaces the threads
  await pool.close();
  await run;
  await sleep(300); // a thread begins in less
  assert.equal(Atomics.load(words, Word.gone), 2);
});
