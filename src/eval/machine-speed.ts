// How many operations a second this machine does at most, by every kernel set of the cpu executor. Prompts are bound by
// that. Not here: how fast memory is read (read-bandwidth.ts), which bounds decoding.
import { KernelRun } from "../device/cpu/kernel-run.ts";
import { type Tier, findTier, tierInUse, tierNames } from "../device/cpu/tiers.ts";
import { now } from "#platform";
import { PEAK_DATA_BYTES, type PeakKernel, bytePeak, floatPeak, tilePeak } from "./peak-kernels.ts";

export { isChecking } from "../device/cpu/check.ts";

/** Operations a second at most, in 10^9: multiplications and additions count one each. */
export interface Peaks {
  readonly f32: number;
  /** In vectors: no kernel uses tiles of int8. */
  readonly int8: number;
  /** In tiles, where there are any. */
  readonly bf16?: number;
}

/** By default a round takes about so long: long beside waking threads, short beside what else the machine does. */
const PEAK_MS = 8;
const PEAK_ROUNDS = 8;

/** What `threads` threads reach with one tier's instructions, the best of rounds of `ms` or more. */
export async function measurePeaks(tier: Tier, threads: number, ms = PEAK_MS): Promise<Peaks> {
  const peaks = [floatPeak, bytePeak, ...(tier.machine.tiles ? [tilePeak] : [])];
  const kernels = peaks.map(({ kernel }) => kernel);
  await using run = new KernelRun({ tier, kernels, threads, bytes: PEAK_DATA_BYTES });
  fillWithNumbers(run.data);
  const [f32, int8, bf16] = await inTurn(peaks, (peak) => measurePeak(run, peak, tier, threads, ms));
  return { f32, int8, ...(bf16 !== undefined && { bf16 }) };
}

async function measurePeak(
  run: KernelRun,
  peak: PeakKernel,
  tier: Tier,
  threads: number,
  roundMs: number,
): Promise<number> {
  const operations = peak.operationsPerTurn(tier.machine) * threads;
  const bestMs = async (turns: number, rounds: number): Promise<number> => {
    let best = Infinity;
    for (let round = 0; round < rounds; round++) {
      const start = now();
      await run.run(peak.kernel, { data: run.address, turns }, threads);
      best = Math.min(best, now() - start);
    }
    return best;
  };
  let turns = 1000;
  let ms = await bestMs(turns, PEAK_ROUNDS); // threads start, code is compiled once more
  while (ms < roundMs) {
    turns = Math.ceil(turns * Math.min(16, (1.25 * roundMs) / ms));
    ms = await bestMs(turns, 2);
  }
  const giga = (turns * operations) / (await bestMs(turns, PEAK_ROUNDS)) / 1e6;
  return Number(giga.toPrecision(3));
}

/** Pairs of bf16 near 1, no two alike: zeros are multiplied at less cost, subnormals at more. */
function fillWithNumbers(bytes: Uint8Array): void {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
  for (let i = 0; i < halves.length; i++) halves[i] = 0x3f00 + ((i * 0x9e37) & 0x80ff);
}

async function inTurn<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await each(item));
  return results;
}

/** One kernel set on this host. */
export interface TierSpeed {
  readonly tier: string;
  /** Whether models are run with it. */
  readonly inUse: boolean;
  /** Why it is not here. */
  readonly missing?: string;
  readonly peaks?: Peaks;
}

/** All kernel sets, best first; those that are here measured with `threads` threads. */
export async function measureTiers(threads: number): Promise<TierSpeed[]> {
  const used = tierInUse().name;
  return await inTurn(tierNames, async (name) => {
    const tier = findTier(name);
    const inUse = name === used;
    if (typeof tier === "string") return { tier: name, inUse, missing: tier };
    return { tier: name, inUse, peaks: await measurePeaks(tier, threads) };
  });
}
