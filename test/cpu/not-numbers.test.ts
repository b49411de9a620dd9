// One activation that is NaN, or infinite, among others: whatever products round it to, it is seen in every output, as in
// the reference. On every tier, decoding and in prompts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Tensor, graph, input, linear, parameter, rmsNorm, silu } from "../../src/graph/index.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { memoryStore, randomFloats, randomParameter } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const [COLUMNS, OUTER, ROWS] = [256, 48, 3];
const formats: readonly FormatName[] = ["q8_0", "q4_k"];
const gain = { rows: 1, columns: COLUMNS, format: "f32" as const };
const stored = {
  ...Object.fromEntries(formats.map((format, i) => [format, randomParameter(i, format, OUTER, COLUMNS)])),
  square: randomParameter(9, "q4_k", COLUMNS, COLUMNS),
  gain: { ...gain, bytes: new Uint8Array(randomFloats(8, COLUMNS).buffer) },
};

/** Products of x, and of what rounds it on its way: a norm, an activation of a product. */
function graphOf(bound: number) {
  const x = input("x", [{ name: "rows", bound }, COLUMNS], "f32");
  const weights = formats.map((format) => parameter(format, [OUTER, COLUMNS]));
  const products = weights.map((weight, i): [string, Tensor] => [formats[i], linear(x, weight)]);
  const [last] = weights;
  const normed = linear(rmsNorm(x, parameter("gain", [COLUMNS]), 1e-5), last);
  const activated = linear(silu(linear(x, parameter("square", [COLUMNS, COLUMNS]))), last);
  return graph({ ...Object.fromEntries(products), normed, activated });
}

for (const executor of [referenceExecutor, ...cpuTiers()]) {
  describe(`products of what is no number on ${executor.tier}`, () => {
    for (const bound of [8, 40]) {
      it(`${bound} rows at most: all outputs of its row, no others`, async () => {
        const options = { threads: 1, precision: "fast" } as const;
        await using opened = await executor.open(memoryStore(stored), { run: graphOf(bound) }, options);
        const { run } = opened.programs;
        // one of each half of a block, of its ends, and of each part of a register
        for (const [column, value] of [0, 5, 15, 16, 31, 100, COLUMNS - 1].flatMap((column) =>
          [NaN, Infinity, -Infinity].map((value) => [column, value]),
        )) {
          run.inputs.x.set(randomFloats(column, ROWS * COLUMNS));
          run.inputs.x[COLUMNS + column] = value;
          await run.run({ rows: ROWS });
          for (const [name, y] of Object.entries(run.outputs)) {
            const lost = [...y.subarray(0, ROWS * OUTER)].findIndex(
              (found, i) => Number.isFinite(found) !== (Math.floor(i / OUTER) !== 1),
            );
            assert.equal(lost, -1, `${name} of ${value} in column ${column}`);
          }
        }
      });
    }
  });
}
