// What does a program step cost, threads claiming parts over shared memory? Prints ns per step for empty and for small
// steps, by thread count, and the time of one hop conductor -> threads -> conductor.
// Run: node bench/threads.ts
// On a 2-core Xeon guest (Node 26): empty steps 120-190 ns with one part, 400-590 ns with eight; a step of 10 µs in
// eight parts takes 5.8 µs on two threads; a hop 6-30 µs. A model has 200-300 steps a token: 0.1 ms, so the loop that
// walks them stays JavaScript, which can be read.
import { CONTROL_ADDRESS, CONTROL_BYTES, STEP_WORDS } from "../src/device/cpu/control.ts";
import { ComputePool } from "../src/device/cpu/pool.ts";

// (module (import "host" "memory") (func (export "spin") (param record part parts)): counts the record's word 0 down.
// By hand, so that this bench needs nothing but the threads.
const SPIN = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0, 2, 17, 1, 4, 104, 111, 115, 116, 6, 109, 101,
  109, 111, 114, 121, 2, 3, 1, 1, 3, 2, 1, 0, 7, 8, 1, 4, 115, 112, 105, 110, 0, 0, 10, 33, 1, 31, 1, 1, 0x7f, 0x20, 0,
  0x28, 2, 0, 0x21, 3, 0x02, 0x40, 0x03, 0x40, 0x20, 3, 0x45, 0x0d, 1, 0x20, 3, 0x41, 1, 0x6b, 0x21, 3, 0x0c, 0, 0x0b,
  0x0b, 0x0b,
]);
const STEPS = 200;
const RUNS = 200;
const TABLE = CONTROL_ADDRESS + CONTROL_BYTES;

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

for (const threads of [1, 2]) {
  for (const { parts, turns } of [
    { parts: 1, turns: 0 },
    { parts: 2, turns: 0 },
    { parts: 8, turns: 0 },
    { parts: 8, turns: 4000 },
    { parts: 32, turns: 1000 },
  ]) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const words = new Int32Array(memory.buffer);
    const record = TABLE + STEPS * STEP_WORDS * 4;
    words[record / 4] = turns;
    for (let step = 0; step < STEPS; step++) words.set([0, record, parts, 0], TABLE / 4 + step * STEP_WORDS);
    const pool = new ComputePool({
      memory,
      code: { kind: "wasm", module: new WebAssembly.Module(SPIN), names: ["spin"] },
      base: 0,
      kernels: ["spin"],
      scratch: Array<number>(threads).fill(0),
    });
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const from = performance.now();
      await pool.run(TABLE, STEPS);
      times.push(performance.now() - from);
    }
    const hops: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const from = performance.now();
      await pool.run(TABLE, 1);
      hops.push(performance.now() - from);
    }
    await pool.close();
    const best = Math.min(...times.slice(RUNS / 2));
    const [least, middle] = [best, median(times)].map((ms) => Math.round((ms / STEPS) * 1e6));
    const hop = Math.round(median(hops) * 1000);
    console.log(
      `threads ${threads} parts ${parts} turns ${turns}: ${least} ns a step (median ${middle}), hop ${hop} µs`,
    );
  }
}
