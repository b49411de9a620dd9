// A kernel cannot be faster than what the machine can do at most: where it seems so, something else disturbed the ceiling.
// It is then measured once more, and the higher one counts. Not here: what the ceilings are (machine-speed.ts, own-run.ts).
import type { Tier } from "../device/cpu/tiers.ts";
import { type Bound, type KernelSpeed, kernelSpeed } from "./kernel-share.ts";
import { measurePeaks } from "./machine-speed.ts";
import { OwnRun } from "./own-run.ts";
import { readKernel } from "./peak-kernels.ts";
import { readBandwidth } from "./read-bandwidth.ts";

/** Measurements a few percent apart say the same. */
export const SHARE_MOST = 1.05;

/** Of a cache, smaller than any of the second level. */
const CACHE_BYTES = 1 << 18;

interface AgainOptions {
  readonly tier: Tier;
  readonly threads: number;
  readonly peakMs: number | undefined;
  readonly ms: number;
  /** Bytes that are read from memory: as `readBandwidth` has them. */
  readonly block?: number | undefined;
}

/** The speeds, those above their ceiling beside one that was measured again, by `ms` milliseconds where it is a cache's. */
export async function withCeilingsAgain(
  kernels: readonly KernelSpeed[],
  { tier, threads, peakMs, ms, block }: AgainOptions,
): Promise<KernelSpeed[]> {
  const isAbove = ({ share }: KernelSpeed): boolean => share > SHARE_MOST;
  const bounds = new Set(kernels.filter(isAbove).map(({ bound }) => bound));
  const again: Partial<Record<Bound, number>> = {};
  if (bounds.has("memory")) again.memory = await readBandwidth(threads, block === undefined ? {} : { block });
  if (bounds.has("cache")) again.cache = await cacheBandwidth(tier, ms);
  if (bounds.has("f32") || bounds.has("int8") || bounds.has("bf16")) {
    Object.assign(again, await measurePeaks(tier, threads, peakMs));
  }
  return kernels.map((speed) => {
    if (!isAbove(speed)) return speed;
    return kernelSpeed(speed, speed.measured, Math.max(speed.ceiling, again[speed.bound] ?? 0));
  });
}

/** What one thread reads from its cache, in 10^9 bytes a second. */
async function cacheBandwidth(tier: Tier, ms: number): Promise<number> {
  using own = new OwnRun(tier, [readKernel], CACHE_BYTES + 64);
  const words = { data: own.address, bytes: CACHE_BYTES, sums: own.address + CACHE_BYTES };
  return CACHE_BYTES / (await own.time(readKernel, words, ms)) / 1e6;
}
