// What threads cost. Three tables: a program step, empty and small, by thread count and kind of code, with the way conductor
// -> threads -> conductor (a hop); throughput beside one busy process, against one thread fewer; and with --model FILE how
// late the event loop is while that model writes at full speed.
// Run: node bench/threads.ts [--model FILE] [--pin]
// On a 2-core Xeon guest (Node 26) a step of one part costs 0.13-0.19 µs in WASM and 0.17-0.26 µs in machine code, of
// eight parts 0.6-1.1 µs; a hop 6-30 µs. A model has 200-300 steps a token: less than 0.1 ms, so the loop that walks them
// stays JavaScript, which can be read.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { load } from "../src/chat/load.ts";
import { CONTROL_ADDRESS, CONTROL_BYTES, STEP_WORDS } from "../src/device/cpu/control.ts";
import { ComputePool, type PoolOptions } from "../src/device/cpu/pool.ts";
import type { ThreadCode } from "../src/device/cpu/thread-code.ts";
import { ThreadGovernor } from "../src/device/cpu/thread-governor.ts";
import { native } from "../src/platform/node/index.ts";

// Counts the record's first word down, 32 bits wide; by hand, so that this bench needs nothing but the threads.
// (module (import "host" "memory") (func (export "spin") (param record part parts)))
const WASM_SPIN = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0, 2, 17, 1, 4, 104, 111, 115, 116, 6, 109, 101,
  109, 111, 114, 121, 2, 3, 1, 1, 3, 2, 1, 0, 7, 8, 1, 4, 115, 112, 105, 110, 0, 0, 10, 33, 1, 31, 1, 1, 0x7f, 0x20, 0,
  0x28, 2, 0, 0x21, 3, 0x02, 0x40, 0x03, 0x40, 0x20, 3, 0x45, 0x0d, 1, 0x20, 3, 0x41, 1, 0x6b, 0x21, 3, 0x0c, 0, 0x0b,
  0x0b, 0x0b,
]);
const X64_SPIN = Uint8Array.from(
  [
    [0x8b, 0x07], // mov eax, [rdi]
    [0x85, 0xc0], // test eax, eax
    [0x74, 0x04], // jz to the end
    [0xff, 0xc8], // dec eax
    [0x75, 0xfc], // jnz to dec
    [0xc3], // ret
  ].flat(),
);

const STEPS = 200;
const RUNS = 200;
const TABLE = CONTROL_ADDRESS + CONTROL_BYTES;
const BUSY_SECONDS = 6;

const { values } = parseArgs({ options: { model: { type: "string" }, pin: { type: "boolean", default: false } } });
const host = native();
const cores = availableParallelism();

const codes: Record<string, ThreadCode> = {
  wasm: { kind: "wasm", module: new WebAssembly.Module(WASM_SPIN), names: ["spin"] },
  ...(!("reason" in host) && { x64: { kind: "native", addresses: [host.makeExecutable(X64_SPIN).address] } }),
};

/** A pool whose program has STEPS steps of so many parts, each of which counts down from `turns`. */
function openPool(kind: string, threads: number, parts: number, turns: number, governor?: PoolOptions["governor"]) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  const record = TABLE + STEPS * STEP_WORDS * 4;
  words[record / 4] = turns;
  for (let step = 0; step < STEPS; step++) words.set([0, record, parts, 0], TABLE / 4 + step * STEP_WORDS);
  const base = kind === "x64" && !("reason" in host) ? host.addressOf(memory.buffer) : 0;
  const scratch = Array<number>(threads).fill(0);
  return new ComputePool({ memory, code: codes[kind], base, kernels: ["spin"], scratch, pin: values.pin, governor });
}

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1];

async function timesOf(run: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const from = performance.now();
    await run();
    times.push(performance.now() - from);
  }
  return times;
}

async function steps(): Promise<void> {
  for (const kind of Object.keys(codes)) {
    for (const threads of new Set([1, 2, cores])) {
      for (const [parts, turns] of [
        [1, 0],
        [2, 0],
        [8, 0],
        [8, 4000],
        [32, 1000],
      ]) {
        await using pool = openPool(kind, threads, parts, turns);
        const times = await timesOf(() => pool.run(TABLE, STEPS));
        const hops = await timesOf(() => pool.run(TABLE, 1));
        const best = Math.min(...times.slice(RUNS / 2));
        const [least, middle] = [best, median(times)].map((ms) => Math.round((ms / STEPS) * 1e6));
        const hop = Math.round(median(hops) * 1000);
        console.log(
          `${kind} threads ${threads} parts ${parts} turns ${turns}: ${least} ns a step (median ${middle}), hop ${hop} µs`,
        );
      }
    }
  }
}

/** Programs of 200 steps of about 100 µs in eight parts, a second, in turns of a second; best and median turn. */
async function throughput(threads: number, governor?: PoolOptions["governor"]): Promise<number> {
  const kind = "x64" in codes ? "x64" : "wasm";
  await using pool = openPool(kind, threads, 8, 40_000, governor);
  await pool.ready();
  const until = performance.now() + BUSY_SECONDS * 1000;
  const from = performance.now();
  let runs = 0;
  while (performance.now() < until) {
    await pool.run(TABLE, STEPS);
    runs++;
  }
  return (runs * 1000) / (performance.now() - from);
}

async function besideBusyProcess(): Promise<void> {
  if (cores < 2) return;
  const all = { active: cores, ran() {} };
  const measured: Record<string, number> = {};
  const busy = spawn(process.execPath, ["-e", "for (;;);"]);
  try {
    measured[`${cores - 1} threads`] = await throughput(cores - 1);
    measured[`${cores} threads, always all`] = await throughput(cores, all);
    measured[`${cores} threads, one fewer where they wait`] = await throughput(cores, new ThreadGovernor(cores));
  } finally {
    busy.kill();
  }
  const fewer = Object.values(measured)[0];
  console.log("beside one busy process, programs a second:");
  for (const [name, rate] of Object.entries(measured)) {
    console.log(`  ${name}: ${rate.toFixed(1)} (${(rate / fewer).toFixed(2)})`);
  }
}

/** How late timers of the conductor's thread are while a model writes. */
async function eventLoop(file: string): Promise<void> {
  await using model = await load(file, { window: 1024, slots: 1, pin: values.pin });
  const settings = { temperature: 0, ignoreEnd: true, maxTokens: 256 };
  const write = async (): Promise<number> => {
    for await (const event of model.generate("Once upon a time", settings)) {
      if (event.type === "end") return event.timings.decodeTokensPerSecond;
    }
    return 0;
  };
  await write();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const speed = await write();
  delay.disable();
  const [p50, p99, most] = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => (ns / 1e6).toFixed(2));
  const { tier, threads } = model.info;
  console.log(
    `${tier}, ${threads} threads, ${speed.toFixed(1)} tok/s: event loop p50 ${p50}, p99 ${p99}, max ${most} ms`,
  );
}

await steps();
await besideBusyProcess();
if (values.model !== undefined) await eventLoop(values.model);
