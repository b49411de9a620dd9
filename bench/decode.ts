// Speed of the decode class's products by format and tier, with 1, 2, 4 and 8 rows: weight bytes a second from cache (1 MB
// over and over, one thread) and from memory (more than caches hold, in turns with a kernel that only reads), and what more
// rows cost beside one. Other work shares the cores, so every number is the best of many short runs.
// Run: node bench/decode.ts [--tiers amx,avx2] [--formats q4_k,q8_0] [--threads 2] [--columns 1536] [--precision f32]
import { parseArgs } from "node:util";
import { kernelFunctions } from "../src/device/cpu/thread-code.ts";
import { KernelRun } from "../src/device/cpu/kernel-run.ts";
import type { Core } from "../src/device/cpu/kernels/core.ts";
import { decodeKernel } from "../src/device/cpu/kernels/linear-decode.ts";
import { decodedCores } from "../src/device/cpu/kernels/linear-f32.ts";
import { floatCores, isFloatFormat } from "../src/device/cpu/kernels/linear-float.ts";
import { int8Cores } from "../src/device/cpu/kernels/linear-int8.ts";
import { type PackedFormat, packedBytes } from "../src/device/cpu/packed-layouts.ts";
import { setWord } from "../src/device/cpu/program.ts";
import { type Tier, findTier, parseTier, tierNames } from "../src/device/cpu/tiers.ts";
import { readKernel } from "../src/eval/peak-kernels.ts";
import type { Kernel } from "../src/lanes/index.ts";
import { createWasmMemory } from "../src/lanes/index.ts";

const { values } = parseArgs({
  options: {
    tiers: { type: "string" },
    formats: { type: "string", default: "q4_k,q6_k,q8_0,q5_0,q5_k,q4_0,f16,bf16,f32" },
    threads: { type: "string", default: "2" },
    columns: { type: "string", default: "1536" },
    precision: { type: "string", default: "fast" },
    memory: { type: "string", default: "768" },
    rows: { type: "string", default: "1,2,4,8" },
  },
});
const columns = Number(values.columns);
const threads = Number(values.threads);
const rowCounts = values.rows.split(",").map(Number);
const MEMORY_BYTES = Number(values.memory) << 20;
/** From memory, a run reads so much: some milliseconds, so that some runs meet a quiet machine. */
const RUN_BYTES = 64 << 20;
const CACHE_BYTES = 1 << 20;
const X_BYTES = 8 << 20;
const OUT_BYTES = 32 << 20;
const PARTS = 256;
const CACHE_MS = Number(process.env.CMS ?? 150);
const MEMORY_ROUNDS = Number(process.env.ROUNDS ?? 24);

const coreOf = (format: PackedFormat): Core =>
  isFloatFormat(format) ? floatCores[format] : (values.precision === "f32" ? decodedCores : int8Cores)[format];

/** Bits that give modest numbers as f16, f32 and scales: subnormal ones are slow. */
function fill(bytes: Uint8Array): void {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
  let state = 1;
  for (let i = 0; i < 1 << 20; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    halves[i] = ((state >>> 16) & 0x0bff) | 0x3000;
  }
  for (let at = 1 << 21; at < bytes.length; at += 1 << 21) {
    bytes.copyWithin(at, 0, Math.min(1 << 21, bytes.length - at));
  }
}

interface Shape {
  readonly words: Record<string, number>;
  readonly bytes: number;
}

/** A record over about `bytes` of weights. */
function shapeOf(format: PackedFormat, rows: number, bytes: number, base: number, weight: number): Shape {
  const group = packedBytes(format, 16, columns);
  const groups = Math.max(1, Math.floor(bytes / group));
  if (rows * groups * 64 > OUT_BYTES) throw new Error("too many outputs");
  const words = { x: base, rows, columns, weight0: weight, bias0: 0, outer0: groups * 16, out0: base + X_BYTES };
  return { words, bytes: groups * group };
}

const kernelOf = (format: PackedFormat): Kernel =>
  decodeKernel({ cores: [coreOf(format)], epilogue: { kind: "none" }, floats: true, rounded: false });

/** GB/s of weights in this thread's nearer caches. */
function fromCache(tier: Tier, format: PackedFormat): (rows: number) => number {
  const { machine, native } = tier;
  const bytes = X_BYTES + OUT_BYTES + 2 * CACHE_BYTES;
  const memory = createWasmMemory({
    pages: (bytes >> 16) + 32,
    word: machine.word === 64 ? 32 : machine.word,
    shared: true,
  });
  const [RECORD, SCRATCH, DATA] = [1024, 65536, 1 << 20];
  fill(new Uint8Array(memory.buffer, DATA, bytes));
  const base = native?.addressOf(memory.buffer) ?? 0;
  const kernel = kernelOf(format);
  const code = tier.compile([kernel], machine, memory);
  const [run] = kernelFunctions(code.threadCode, memory, SCRATCH);
  return (rows) => {
    const { words, bytes } = shapeOf(format, rows, CACHE_BYTES, base + DATA, base + DATA + X_BYTES + OUT_BYTES);
    const wordBytes = machine.word / 8;
    for (const [i, name] of kernel.words.entries()) {
      setWord(new Int32Array(memory.buffer), wordBytes, RECORD + i * wordBytes, words[name]);
    }
    let best = Infinity;
    for (const until = performance.now() + CACHE_MS; performance.now() < until;) {
      const from = performance.now();
      for (let part = 0; part < 8; part++) run(base + RECORD, part, 8, base + SCRATCH);
      best = Math.min(best, performance.now() - from);
    }
    return bytes / best / 1e6;
  };
}

const show = (n: number): string => n.toFixed(1).padStart(6);

for (const name of values.tiers?.split(",").map((name) => parseTier(name, "--tiers")) ?? tierNames) {
  const tier = findTier(name);
  if (typeof tier === "string") {
    console.log(`${name}: ${tier}`);
    continue;
  }
  const formats = values.formats.split(",") as PackedFormat[];
  const kernels = [readKernel, ...formats.map(kernelOf)];
  await using block = new KernelRun({ tier, kernels, threads, bytes: X_BYTES + OUT_BYTES + MEMORY_BYTES });
  fill(block.data);
  const weights = block.address + X_BYTES + OUT_BYTES;
  let next = 0;
  const timed = async (bytes: number, run: (at: number) => Promise<void>): Promise<number> => {
    if ((next += RUN_BYTES) + RUN_BYTES > MEMORY_BYTES) next = 0;
    const from = performance.now();
    await run(weights + next);
    return bytes / (performance.now() - from) / 1e6;
  };
  for (const format of formats) {
    const cached = fromCache(tier, format);
    const inCache = rowCounts.map(cached);
    const best = rowCounts.map(() => 0);
    let read = 0;
    for (let round = 0; round < MEMORY_ROUNDS; round++) {
      read = Math.max(
        read,
        await timed(RUN_BYTES, (data) => block.run(readKernel, { data, bytes: RUN_BYTES, sums: block.address }, PARTS)),
      );
      for (const [i, rows] of rowCounts.entries()) {
        const { words, bytes } = shapeOf(format, rows, RUN_BYTES, block.address, 0);
        const run = (weight0: number) => block.run(kernelOf(format), { ...words, weight0 }, PARTS);
        best[i] = Math.max(best[i], await timed(bytes, run));
      }
    }
    const ratios = rowCounts.map((_, i) => (best[0] / best[i]).toFixed(2));
    console.log(
      `${name} ${format.padEnd(5)} GB/s by rows ${rowCounts.join(" ")} | cache, 1 thread:${inCache.map(show).join("")} | ` +
        `memory, ${threads} threads:${best.map(show).join("")}, read ${read.toFixed(1)}: ` +
        `${((100 * best[0]) / read).toFixed(0)} %, rows cost ${ratios.join(" ")}`,
    );
  }
}
