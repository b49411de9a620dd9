// Values that a cache of f16, or of quantized blocks, has no number for: beyond its range they are its largest, so that rows
// before them, which they weigh nothing in, stay what they are; NaN is seen. In prompts and decoding, on every tier and in
// the reference.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Executor } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type QuantizedType, type StateType, graph } from "../../src/graph/index.ts";
import { attentionTrial } from "./op-trials.ts";
import { memoryStore } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const HEAD = 16;
/** The column of the second row's value that is replaced. */
const COLUMN = 3;

/** The largest number of a block, of the largest f16 and the largest code. */
const BLOCK_MOST: Readonly<Record<QuantizedType, number>> = { q8_0: 127 * 65504, q4_0: 8 * 65504 };
const BLOCK = 32;

/** As near as tiles are, whose numbers are bf16. */
function assertNear(found: number, expected: number): void {
  assert.ok(Math.abs(found / expected - 1) < 2 ** -7, `${found}, not ${expected}`);
}

/** Rows 0 and 1 of an attention whose keys all weigh the same and whose values are 1, but for one of row 1. */
async function rowsAround(
  executor: Executor,
  shape: { readonly headSize: number; readonly length: number; readonly type: StateType },
  precision: "f32" | "fast",
) {
  const { headSize, length, type } = shape;
  const { outputs, inputs, extents } = attentionTrial({
    heads: 1,
    kvHeads: 1,
    headSize,
    pageSize: 16,
    lengths: [length],
    type,
  });
  inputs.q.fill(0);
  const opened = await executor.open(memoryStore({}), { run: graph(outputs) }, { threads: 1, precision });
  const { run } = opened.programs;
  return {
    async with(value: number): Promise<Float32Array[]> {
      for (const [name, values] of Object.entries(inputs)) run.inputs[name].set(values);
      run.inputs.valuesRows.fill(1);
      run.inputs.valuesRows[headSize + COLUMN] = value;
      await run.run(extents);
      return [0, 1].map((row) => run.outputs.y.slice(row * headSize, (row + 1) * headSize));
    },
    [Symbol.asyncDispose]: () => opened.close(),
  };
}

for (const executor of [referenceExecutor, ...cpuTiers()]) {
  describe(`a cached value that f16 does not have on ${executor.tier}`, () => {
    for (const precision of ["f32", "fast"] as const) {
      for (const [kind, length] of Object.entries({ decoding: 5, "a prompt": 40 })) {
        it(`${kind} in ${precision}: is 65504 for rows that see it and nothing for others, NaN is NaN`, async () => {
          await using rows = await rowsAround(executor, { headSize: HEAD, length, type: "f16" }, precision);
          for (const [value, kept] of [
            [1e6, 65504],
            [-70_000, -65504],
            [Infinity, 65504],
          ]) {
            const [before, row] = await rows.with(value);
            for (const found of before) assertNear(found, 1);
            assertNear(row[COLUMN], (1 + kept) / 2);
          }
          const [, row] = await rows.with(NaN);
          assert.deepEqual(
            [...row.keys()].filter((i) => Number.isNaN(row[i])),
            [COLUMN],
          );
        });
        for (const [type, most] of Object.entries(BLOCK_MOST) as [QuantizedType, number][]) {
          it(`${kind} in ${precision}: is the most that a block of ${type} has, NaN is its whole block`, async () => {
            await using rows = await rowsAround(executor, { headSize: 2 * BLOCK, length, type }, precision);
            for (const value of [Infinity, -Infinity, -1e30]) {
              const [before, row] = await rows.with(value);
              for (const found of before) assertNear(found, 1);
              assertNear(row[COLUMN], (1 + Math.sign(value) * most) / 2);
              assertNear(row[COLUMN + 1], 0.5); // nothing is left of its neighbours
              assertNear(row[COLUMN + BLOCK], 1);
            }
            const [, row] = await rows.with(NaN);
            assert.deepEqual(
              [...row.keys()].filter((i) => Number.isNaN(row[i])),
              Array.from({ length: BLOCK }, (_, i) => i),
            );
          });
        }
      }
    }
  });
}
