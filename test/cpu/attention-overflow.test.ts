// Values that a cache of f16 has no number for: beyond its range they are its largest, so that rows before them, which they
// weigh nothing in, stay what they are; NaN is seen. In prompts and decoding, on every tier and in the reference.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { graph } from "../../src/graph/index.ts";
import { attentionTrial } from "./op-trials.ts";
import { memoryStore } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const HEAD = 16;
/** The column of the second row's value that is replaced. */
const COLUMN = 3;

/** As near as tiles are, whose numbers are bf16. */
function assertNear(found: number, expected: number): void {
  assert.ok(Math.abs(found / expected - 1) < 2 ** -7, `${found}, not ${expected}`);
}

for (const executor of [referenceExecutor, ...cpuTiers()]) {
  describe(`a cached value that f16 does not have on ${executor.tier}`, () => {
    for (const precision of ["f32", "fast"] as const) {
      for (const [kind, length] of Object.entries({ decoding: 5, "a prompt": 40 })) {
        it(`${kind} in ${precision}: is 65504 for rows that see it and nothing for others, NaN is NaN`, async () => {
          const shape = { heads: 1, kvHeads: 1, headSize: HEAD, pageSize: 16, lengths: [length], type: "f16" } as const;
          const { outputs, inputs, extents } = attentionTrial(shape);
          inputs.q.fill(0); // all keys weigh the same
          await using opened = await executor.open(memoryStore({}), { run: graph(outputs) }, { threads: 1, precision });
          const { run } = opened.programs;
          const rowsWith = async (value: number): Promise<Float32Array[]> => {
            for (const [name, values] of Object.entries(inputs)) run.inputs[name].set(values);
            run.inputs.valuesRows.fill(1);
            run.inputs.valuesRows[HEAD + COLUMN] = value;
            await run.run(extents);
            return [0, 1].map((row) => run.outputs.y.slice(row * HEAD, (row + 1) * HEAD));
          };
          for (const [value, kept] of [
            [1e6, 65504],
            [-70_000, -65504],
            [Infinity, 65504],
          ]) {
            const [before, row] = await rowsWith(value);
            for (const found of before) assertNear(found, 1);
            assertNear(row[COLUMN], (1 + kept) / 2);
          }
          const [, row] = await rowsWith(NaN);
          assert.deepEqual(
            [...row.keys()].filter((i) => Number.isNaN(row[i])),
            [COLUMN],
          );
        });
      }
    }
  });
}
