// Speed of the decode class's products by weight format: weight bytes a second from memory, in turns with a kernel that
// only reads, and from a cache by one thread. Decoding does little else. Prompts' products: prompt-speed.ts.
import { KernelRun } from "../device/cpu/kernel-run.ts";
import type { Core } from "../device/cpu/kernels/core.ts";
import { decodeKernel } from "../device/cpu/kernels/linear-decode.ts";
import { decodedCores } from "../device/cpu/kernels/core-decoded.ts";
import { floatCores } from "../device/cpu/kernels/core-float.ts";
import { int8Cores } from "../device/cpu/kernels/core-int8.ts";
import { FLOAT_BYTES } from "../device/cpu/kernels/loops.ts";
import { isFloatFormat } from "../device/cpu/kernels/packed-blocks.ts";
import { GROUP_ROWS, type PackedFormat, packedBytes } from "../device/cpu/packed-layouts.ts";
import type { Tier } from "../device/cpu/tiers.ts";
import type { Kernel } from "../lanes/index.ts";
import { type Bound, type KernelSpeed, fillWithWeights, kernelSpeed, roundsFor, timeOf } from "./kernel-share.ts";
import { OwnRun } from "./own-run.ts";
import { readKernel } from "./peak-kernels.ts";

export interface DecodeSpeedOptions {
  readonly tier: Tier;
  readonly threads: number;
  readonly formats: readonly PackedFormat[];
  readonly precision?: "fast" | "f32";
  /** Of activations; default 1. */
  readonly rows?: readonly number[];
  /** A multiple of 256. */
  readonly columns?: number;
  /** More than caches hold; default 512 MiB. */
  readonly memoryBytes?: number;
  /** For each format. */
  readonly ms?: number;
}

const MEMORY_BYTES = 512 << 20;
/** From memory, a run reads at most so much: some milliseconds, so that some runs meet a quiet machine. */
const RUN_BYTES_MOST = 64 << 20;
/** Fits the second cache of a core. */
const CACHE_BYTES = 1 << 20;
const PARTS = 256;
const SUMS_BYTES = PARTS * 64;

/** Speeds from memory, each format's by all row counts: told at the end, when the ceiling is known. */
export async function* decodeFromMemory(options: DecodeSpeedOptions): AsyncGenerator<KernelSpeed> {
  const { tier, threads, formats, rows = [1], columns = 1536, memoryBytes = MEMORY_BYTES, ms = 150 } = options;
  const kernels = formats.map((format) => kernelOf(format, options));
  const runBytes = Math.min(RUN_BYTES_MOST, memoryBytes >> 2);
  const space = spaceOf(formats, rows, columns, runBytes);
  await using block = new KernelRun({ tier, kernels: [readKernel, ...kernels], threads, bytes: space + memoryBytes });
  fillWithWeights(block.data);
  let place = 0;
  const speed = async (bytes: number, run: (weights: number) => Promise<void>): Promise<number> => {
    place = place + 2 * runBytes > memoryBytes ? 0 : place + runBytes;
    const weights = block.address + space + place;
    return bytes / (await timeOf(() => run(weights))) / 1e6;
  };
  const reading = (): Promise<number> =>
    speed(runBytes, (data) => block.run(readKernel, { data, bytes: runBytes, sums: block.address }, PARTS));
  for (let at = 0; at < memoryBytes; at += runBytes) await reading(); // threads start, pages are entered
  // all in turns, so that all have the same chance of a quiet moment
  const found = formats.map(() => rows.map(() => 0));
  let read = 0;
  await roundsFor(ms * formats.length, async () => {
    for (const [i, format] of formats.entries()) {
      read = Math.max(read, await reading());
      for (const [j, count] of rows.entries()) {
        const { bytes, words } = product(format, count, columns, runBytes, block.address);
        const run = (weight0: number): Promise<void> => block.run(kernels[i], { ...words, weight0 }, PARTS);
        found[i][j] = Math.max(found[i][j], await speed(bytes, run));
      }
    }
  });
  for (const [i, format] of formats.entries()) {
    for (const [j, count] of rows.entries()) yield speedOf("memory", format, count, found[i][j], read);
  }
}

/** Speeds of one thread from its cache, one by one. */
export async function* decodeFromCache(options: DecodeSpeedOptions): AsyncGenerator<KernelSpeed> {
  const { tier, formats, rows = [1], columns = 1536, ms = 150 } = options;
  const kernels = formats.map((format) => kernelOf(format, options));
  const space = spaceOf(formats, rows, columns, CACHE_BYTES);
  using own = new OwnRun(tier, [readKernel, ...kernels], space + 2 * CACHE_BYTES);
  const weights = own.address + space;
  const readWords = { data: weights, bytes: CACHE_BYTES, sums: own.address };
  const read = CACHE_BYTES / (await own.time(readKernel, readWords, ms)) / 1e6;
  for (const [i, format] of formats.entries()) {
    for (const count of rows) {
      const { bytes, words } = product(format, count, columns, CACHE_BYTES, own.address);
      const time = await own.time(kernels[i], { ...words, weight0: weights }, ms / rows.length);
      yield speedOf("cache", format, count, bytes / time / 1e6, read);
    }
  }
}

const speedOf = (bound: Bound, kernel: string, rows: number, measured: number, ceiling: number): KernelSpeed =>
  kernelSpeed({ class: "decode", kernel, rows, bound }, measured, ceiling);

const coreOf = (format: PackedFormat, precision: "fast" | "f32"): Core =>
  isFloatFormat(format) ? floatCores[format] : (precision === "f32" ? decodedCores : int8Cores)[format];

const kernelOf = (format: PackedFormat, { precision = "fast" }: DecodeSpeedOptions): Kernel =>
  decodeKernel({ cores: [coreOf(format, precision)], epilogue: { kind: "none" }, floats: true, rounded: false });

/** Weights of about `bytes` bytes by rows at `x`, and where results go: behind the rows. */
function product(
  format: PackedFormat,
  rows: number,
  columns: number,
  bytes: number,
  x: number,
): { readonly words: Record<string, number>; readonly bytes: number } {
  const groupBytes = packedBytes(format, GROUP_ROWS, columns);
  const groups = Math.max(1, Math.floor(bytes / groupBytes));
  const out0 = x + rows * columns * FLOAT_BYTES;
  return { words: { x, rows, columns, bias0: 0, outer0: groups * GROUP_ROWS, out0 }, bytes: groups * groupBytes };
}

/** Bytes that activations and results take at most, or what the reading kernel leaves behind. */
function spaceOf(formats: readonly PackedFormat[], rows: readonly number[], columns: number, bytes: number): number {
  const outer = formats.map((format) => product(format, 1, columns, bytes, 0).words.outer0);
  return Math.max(SUMS_BYTES, Math.max(...rows) * (columns + Math.max(...outer)) * FLOAT_BYTES);
}
