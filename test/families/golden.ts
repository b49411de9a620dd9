// The golden suite of one executor: cases of every family, held against what transformers computed. Chunks and company must
// not change a single byte of a row's result within one program, and every form of a config means the same model.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Executor } from "../../src/device/executor.ts";
import { type CaseName, type Golden, caseNames, configsOf, openCase, readGolden } from "./cases.ts";
import { type Chunk, type Runner, createRunner } from "./runner.ts";

/** Largest difference of two arrays; throws when their lengths differ or a number is none. */
export function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(found.length, expected.length);
  let largest = 0;
  for (let i = 0; i < found.length; i++) {
    const difference = Math.abs(found[i] - expected[i]);
    assert.ok(!Number.isNaN(difference), `element ${i} is ${found[i]}`);
    largest = Math.max(largest, difference);
  }
  return largest;
}

export function assertClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  const difference = largestDifference(found, expected);
  assert.ok(difference <= tolerance, `${what}: differs by ${difference}, allowed is ${tolerance}`);
}

/** The first id of the largest logit in the last row. */
export function bestId(logits: Float32Array, vocabularySize: number): number {
  const last = logits.subarray(logits.length - vocabularySize);
  return last.indexOf(last.reduce((a, b) => Math.max(a, b), -Infinity));
}

/** Cuts `ids` into chunks of the given lengths, over and over. */
function cut(sequence: number, ids: Int32Array, lengths: readonly number[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 0; at < ids.length;) {
    const length = lengths[chunks.length % lengths.length];
    chunks.push({ sequence, ids: ids.subarray(at, at + length), total: ids.length });
    at += length;
  }
  return chunks;
}

async function logitsOf(runner: Runner, runs: readonly (readonly Chunk[])[]): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  for (const chunks of runs) results.push((await runner.run(chunks)).logits);
  return results;
}

const joined = (arrays: readonly Float32Array[]): Float32Array =>
  Float32Array.from(arrays.flatMap((array) => Array.from(array)));

export interface SuiteOptions<N> {
  /** Default: all cases. */
  readonly names?: readonly N[];
  /** Whether only golden numbers are asked for, and nothing of chunks and company. Default false. */
  readonly numbersAlone?: boolean;
}

/**
 * Tests `executor` on cases. `factor` times a case's natural tolerance (how far a float32 forward is from a float64 one) is
 * what its results may differ by: the caller says why.
 */
export function goldenSuite(
  executor: Executor,
  factor: number,
  { names = caseNames, numbersAlone = false }: SuiteOptions<CaseName> = {},
): void {
  for (const name of names) {
    describe(`${executor.name} (${executor.tier}) on ${name}`, () => caseSuite(executor, factor, name, numbersAlone));
  }
}

/** The other forms of a case's config mean the same model: one executor tells, to the byte. */
export function otherFormsSuite(executor: Executor): void {
  for (const name of caseNames) {
    for (const configName of configsOf(name).slice(1)) {
      test(`${name} by ${configName} gives the bytes that it gives by config.json`, async () => {
        const { i32 } = await readGolden(name);
        const [first, other] = await Promise.all(
          (["config.json", configName] as const).map(async (config) => {
            await using opened = await openCase(name, config);
            await using runner = await createRunner(executor, opened.store, opened.model, {});
            return (await runner.run([{ sequence: 0, ids: i32.input_ids_a }])).logits;
          }),
        );
        assert.deepEqual(other, first);
      });
    }
  }
}

function caseSuite(executor: Executor, factor: number, name: CaseName, numbersAlone: boolean): void {
  let golden: Golden;
  let taps: string[];
  let runner: Runner;
  let vocabularySize: number;

  before(async () => {
    golden = await readGolden(name);
    await using opened = await openCase(name);
    vocabularySize = opened.model.vocabularySize;
    taps = Array.from({ length: opened.model.layers + 1 }, (_, i) => `hidden.${i}`);
    runner = await createRunner(executor, opened.store, opened.model, { taps });
  });
  after(() => runner[Symbol.asyncDispose]());

  test("gives the golden logits and hidden states of both prompts", async () => {
    runner.reset();
    const { input_ids_a: a, input_ids_b: b } = golden.i32;
    const long = await runner.run([{ sequence: 0, ids: a }]);
    const short = await runner.run([{ sequence: 1, ids: b }]);
    assertClose(long.logits, golden.f32.logits_a, factor * golden.logitTolerance, "logits_a");
    assertClose(short.logits, golden.f32.logits_b, factor * golden.logitTolerance, "logits_b");
    for (const [i, tap] of taps.entries()) {
      assertClose(long.taps[tap], golden.f32[`hidden_a_${i}`], factor * golden.hiddenTolerance, `hidden_a_${i}`);
    }
  });

  if (numbersAlone) return;

  test("gives the golden greedy ids one by one", async () => {
    runner.reset();
    const ids = Array.from(golden.i32.input_ids_b);
    let fresh = ids.slice();
    while (ids.length < golden.i32.greedy_a.length) {
      const { logits } = await runner.run([{ sequence: 0, ids: fresh }]);
      fresh = [bestId(logits, vocabularySize)];
      ids.push(...fresh);
    }
    assert.deepEqual(ids, Array.from(golden.i32.greedy_a));
  });

  test("cutting the prompt in any way, down to single ids, changes no byte of the logits", async () => {
    const ids = golden.i32.input_ids_a;
    runner.reset();
    const [whole] = await logitsOf(runner, [[{ sequence: 0, ids }]]);
    for (const lengths of [[1], [7], [16, 1, 3], [39, 1]]) {
      runner.reset();
      const parts = await logitsOf(
        runner,
        cut(1, ids, lengths).map((chunk) => [chunk]),
      );
      assert.deepEqual(joined(parts), whole, `cut into ${lengths.join(", ")}`);
    }
  });

  test("two sequences interleaved in one run give the bytes that each gives alone", async () => {
    const { input_ids_a: a, input_ids_b: b } = golden.i32;
    runner.reset();
    const [aloneA, aloneB] = await logitsOf(runner, [[{ sequence: 0, ids: a }], [{ sequence: 1, ids: b }]]);
    runner.reset();
    const [chunksA, chunksB] = [cut(0, a, [5, 1, 4]), cut(1, b, [1, 2, 3])];
    const together: { readonly a: Float32Array[]; readonly b: Float32Array[] } = { a: [], b: [] };
    for (let i = 0; i < chunksA.length; i++) {
      // whose rows come first changes from run to run
      const pair = [
        { of: "a" as const, chunk: chunksA[i] },
        ...(chunksB[i] ? [{ of: "b" as const, chunk: chunksB[i] }] : []),
      ];
      if (i % 2 === 1) pair.reverse();
      const { logits } = await runner.run(pair.map(({ chunk }) => chunk));
      let at = 0;
      for (const { of, chunk } of pair) {
        const end = at + chunk.ids.length * vocabularySize;
        together[of].push(logits.slice(at, end));
        at = end;
      }
    }
    assert.deepEqual(joined(together.a), aloneA);
    assert.deepEqual(joined(together.b), aloneB);
  });
}
