// Mutated headers of every format: each gives an error of ours or a valid listing, never another error, an endless
// wait or a large allocation. LIANG_FUZZ=N sets how many mutants, LIANG_FUZZ_SEED=S repeats a run.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startWorker } from "#platform";
import type { FuzzOutcome, FuzzTask } from "./fuzz.worker.ts";
import { targets } from "./targets.ts";

const MUTANTS = Number(process.env.LIANG_FUZZ ?? 24_000);
const SEED = Number(process.env.LIANG_FUZZ_SEED ?? 2026);
// a mutant takes about 0.2 ms; the rest is for a pause of the garbage collector
const MUTANT_MS_MAX = 500;
const HANG_MS = 20_000;
// a mutant is at most some kilobytes; nothing it holds justifies more
const MUTANT_BYTES_MAX = 64 * 2 ** 20;
const PEAK_BYTES_MAX = 700e6;

const weights = targets.reduce((sum, { weight }) => sum + weight, 0);

/** Runs the mutants of a target; rejects when one makes the thread fail or never ends. */
function fuzz(target: number, mutants: number): Promise<FuzzOutcome> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const task: FuzzTask = {
    target,
    seed: SEED,
    mutants,
    bytesMax: MUTANT_BYTES_MAX,
    millisecondsMax: MUTANT_MS_MAX,
    progress,
  };
  const worker = startWorker({ url: new URL("./fuzz.worker.ts", import.meta.url) }, task, {
    heapBytesMax: PEAK_BYTES_MAX,
  });
  return new Promise<FuzzOutcome>((resolve, reject) => {
    let seen = -1;
    const watch = setInterval(() => {
      const mutant = Atomics.load(progress, 0);
      if (mutant === seen) end(() => reject(new Error(`mutant ${mutant} does not end within ${HANG_MS} ms`)));
      seen = mutant;
    }, HANG_MS);
    const end = (settle: () => void) => {
      clearInterval(watch);
      void worker.terminate().then(settle);
    };
    worker.onMessage((outcome) => end(() => resolve(outcome as FuzzOutcome)));
    worker.onFailure((error) => end(() => reject(new Error(`mutant ${Atomics.load(progress, 0)}`, { cause: error }))));
  });
}

describe(`mutated headers (seed ${SEED})`, () => {
  for (const [i, { name, seeds, parse, weight }] of targets.entries()) {
    test(`${name}: the seeds themselves are valid`, async () => {
      for (const seed of seeds) await parse(seed);
    });

    const mutants = Math.ceil((MUTANTS * weight) / weights);
    test(`${name}: ${mutants} mutants give an error of ours or a valid listing`, async (t) => {
      const { accepted, refused, failure } = await fuzz(i, mutants);
      assert.equal(failure, undefined);
      t.diagnostic(`${name}: ${accepted} accepted, ${refused} refused`);
      assert.equal(accepted + refused, mutants);
      assert.ok(refused > mutants / 20, "so few refusals that the mutations cannot reach the checks");
    });
  }

  test("no more memory was held at any time than a small program needs", () => {
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    assert.ok(peakBytes < PEAK_BYTES_MAX, `${peakBytes} bytes`);
  });
});
