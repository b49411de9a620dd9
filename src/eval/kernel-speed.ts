// The measurement behind `liang bench kernels`: every class of kernels of one tier, each as a share of what this machine
// does at most, measured in the same minute. The fields never change meaning. Not here: whole models (speed.ts), what
// is measured (decode-speed.ts, prompt-speed.ts, attention-speed.ts, row-speed.ts).
import { UsageError, show } from "../base/errors.ts";
import { type PackedFormat, layouts } from "../device/cpu/packed-layouts.ts";
import { type Tier, chooseTier, parseTier, tierInUse } from "../device/cpu/tiers.ts";
import { withCeilingsAgain } from "./ceiling-again.ts";
import { attentionShapes, attentionSpeeds } from "./attention-speed.ts";
import { decodeFromCache, decodeFromMemory } from "./decode-speed.ts";
import type { KernelSpeed } from "./kernel-share.ts";
import { type Peaks, measurePeaks } from "./machine-speed.ts";
import { promptSpeeds } from "./prompt-speed.ts";
import { rowSpeeds } from "./row-speed.ts";

export type { KernelSpeed } from "./kernel-share.ts";

export interface KernelReport {
  readonly tier: string;
  readonly threads: number;
  /** Decoding's and rows' kernels that a cache bounds run on one thread. */
  readonly kernels: readonly KernelSpeed[];
}

export interface KernelSpeedOptions {
  /** Default: the tier in use. */
  readonly tier?: string;
  /** Weight formats; default: all. */
  readonly formats?: readonly string[];
  readonly threads: number;
  /** How large everything is; "tiny" says nothing of speed: for tests. */
  readonly size?: "whole" | "tiny";
  readonly onKernel?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** For each size what the measurements take. */
const sizes = {
  whole: {
    peakMs: undefined,
    block: undefined,
    decode: { rows: [1, 8], ms: 250 },
    cache: { ms: 100 },
    prompt: { ms: 300 },
    attention: {},
    row: {},
  },
  tiny: {
    peakMs: 0,
    block: 1 << 20,
    decode: { ms: 0, columns: 256, memoryBytes: 1 << 20 },
    cache: { ms: 0, columns: 256 },
    prompt: { ms: 0, columns: 256, outer: 64, rows: [32] },
    attention: { ms: 0, shape: { ...attentionShapes.qwen, layers: 1 }, decode: [64], prompt: [64], chunk: 64 },
    row: { ms: 0 },
  },
};

/** Measures; throws UsageError for a tier or format that is none, UnsupportedError for a tier that is not here. */
export async function measureKernels(options: KernelSpeedOptions): Promise<KernelReport> {
  const { threads, size = "whole", onKernel, signal } = options;
  if (!Number.isInteger(threads) || threads < 1) throw new UsageError(`--threads is ${threads}, expected 1 or more.`);
  const tier = tierOf(options.tier);
  const formats = formatsOf(options.formats);
  const kernels: KernelSpeed[] = [];
  for await (const speed of speedsOf(tier, threads, formats, sizes[size])) {
    kernels.push(speed);
    onKernel?.(kernels.length);
    signal?.throwIfAborted();
  }
  const { peakMs, block, cache } = sizes[size];
  const again = await withCeilingsAgain(kernels, { tier, threads, peakMs, block, ms: cache.ms });
  signal?.throwIfAborted();
  return { tier: tier.name, threads, kernels: again };
}

async function* speedsOf(
  tier: Tier,
  threads: number,
  formats: readonly PackedFormat[],
  size: (typeof sizes)[keyof typeof sizes],
): AsyncGenerator<KernelSpeed> {
  const what = { tier, threads, formats };
  // ceilings are measured more than once: a busy moment would make them low
  const peaks = [await measurePeaks(tier, threads, size.peakMs)];
  let readGigabytes = 0;
  for await (const speed of decodeFromMemory({ ...what, ...size.decode })) {
    readGigabytes = speed.ceiling;
    yield speed;
  }
  peaks.push(await measurePeaks(tier, threads, size.peakMs));
  yield* decodeFromCache({ ...what, ...size.cache });
  peaks.push(await measurePeaks(tier, threads, size.peakMs));
  const most = best(peaks);
  yield* promptSpeeds({ ...what, peaks: most, ...size.prompt });
  yield* attentionSpeeds({ tier, threads, readGigabytes, peaks: most, ...size.attention });
  yield* rowSpeeds({ tier, ...size.row });
}

/** Of each kind the highest. */
function best(peaks: readonly Peaks[]): Peaks {
  const most = (kind: keyof Peaks): number => Math.max(...peaks.map((found) => found[kind] ?? 0));
  return { f32: most("f32"), int8: most("int8"), ...(peaks[0].bf16 !== undefined && { bf16: most("bf16") }) };
}

const tierOf = (name: string | undefined): Tier =>
  name === undefined ? tierInUse() : chooseTier(parseTier(name, "--tier"));

const allFormats = Object.keys(layouts) as PackedFormat[];

function formatsOf(names: readonly string[] = allFormats): PackedFormat[] {
  if (names.length === 0) throw new UsageError(`--formats is empty, expected some of ${allFormats.join(", ")}.`);
  return names.map((name) => {
    const format = allFormats.find((known) => known === name);
    if (format !== undefined) return format;
    throw new UsageError(`--formats has ${show(name)}, expected some of ${allFormats.join(", ")}.`);
  });
}
