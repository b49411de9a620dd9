// How fast this machine reads memory: N threads sum a block far larger than any cache, by the kernels of the tier in use.
// Decoding is bound by this, so speeds are told beside it.
import { KernelRun } from "../device/cpu/kernel-run.ts";
import { tierInUse } from "../device/cpu/tiers.ts";
import { now } from "#platform";
import { readKernel } from "./peak-kernels.ts";

/** Ten times the largest last-level cache of a desktop. */
const READ_BLOCK_BYTES = 512 << 20;
/** Parts a thread claims in a reading: one that is off its core for a while leaves its share to the others. */
const READ_PARTS = 16;
const READ_ROUNDS = 5;

/** Best of some reads of a block by `threads` threads, in 10^9 bytes a second. A smaller block says nothing of memory: for tests. */
export async function readBandwidth(
  threads: number,
  { rounds = READ_ROUNDS, block = READ_BLOCK_BYTES }: { rounds?: number; block?: number } = {},
): Promise<number> {
  const tier = tierInUse();
  const parts = threads * READ_PARTS;
  const bytes = block + parts * 64; // the sums lie behind
  await using run = new KernelRun({ tier, kernels: [readKernel], threads, bytes });
  new Uint32Array(run.data.buffer, run.data.byteOffset, bytes >> 2).fill(0x9e3779b9); // else all pages are one of zeros
  const words = { data: run.address, bytes: block, sums: run.address + block };
  let best = 0;
  for (let round = 0; round <= rounds; round++) {
    const start = now();
    await run.run(readKernel, words, parts);
    if (round > 0) best = Math.max(best, block / 1e6 / (now() - start));
  }
  return best;
}
