// Mutated headers of every format: each gives an error of ours or a valid listing, never another error, never a long
// wait or a large allocation. LIANG_FUZZ=N sets how many mutants, LIANG_FUZZ_SEED=S repeats a run.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LiangError } from "../../src/base/errors.ts";
import { drawsOf, mutate } from "./mutate.ts";
import { type Target, targets } from "./targets.ts";

const MUTANTS = Number(process.env.LIANG_FUZZ ?? 24_000);
const SEED = Number(process.env.LIANG_FUZZ_SEED ?? 20_26);
// generous beside what a mutant takes (about 0.2 ms): other work on the machine must not fail the test
const MUTANT_MS_MAX = 2_000;
// a mutant is at most some kilobytes; nothing it holds justifies more
const MUTANT_BYTES_MAX = 64 * 2 ** 20;

const weights = targets.reduce((sum, { weight }) => sum + weight, 0);

/** What went on in one target, for the report. */
interface Outcome {
  accepted: number;
  refused: number;
}

async function fuzz({ name, seeds, parse }: Target, stream: number, mutants: number): Promise<Outcome> {
  const outcome = { accepted: 0, refused: 0 };
  for (let mutant = 0; mutant < mutants; mutant++) {
    const draws = drawsOf(SEED + stream, mutant);
    const bytes = mutate(seeds[draws.below(seeds.length)], seeds[draws.below(seeds.length)], draws);
    const where = `${name}, seed ${SEED}, mutant ${mutant}`;
    const memory = allocated();
    const start = performance.now();
    try {
      await parse(bytes);
      outcome.accepted++;
    } catch (error) {
      if (!(error instanceof LiangError)) throw new Error(`${where}: ${String(error)}`, { cause: error });
      outcome.refused++;
    }
    const took = performance.now() - start;
    assert.ok(took < MUTANT_MS_MAX, `${where} took ${took} ms`);
    const grown = allocated() - memory;
    assert.ok(grown < MUTANT_BYTES_MAX, `${where} took ${grown} bytes`);
  }
  return outcome;
}

/** Heap and buffers, whether in use or not yet collected. */
function allocated(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe(`mutated headers (seed ${SEED})`, () => {
  for (const [stream, target] of targets.entries()) {
    test(`${target.name}: the seeds themselves are valid`, async () => {
      for (const seed of target.seeds) await target.parse(seed);
    });

    const mutants = Math.ceil((MUTANTS * target.weight) / weights);
    test(`${target.name}: ${mutants} mutants give an error of ours or a valid listing`, async (t) => {
      const { accepted, refused } = await fuzz(target, stream, mutants);
      t.diagnostic(`${target.name}: ${accepted} accepted, ${refused} refused`);
      assert.equal(accepted + refused, mutants);
      assert.ok(refused > mutants / 20, "so few refusals that the mutations cannot reach the checks");
    });
  }

  test("no more memory was held at any time than a small program needs", () => {
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    assert.ok(peakBytes < 700e6, `${peakBytes} bytes`);
  });
});
