// Matrix products by real quantized weights, held against the reference data's own dot products: eight rows of 2048
// weights from published models, random blocks with every scale bit set, and freshly quantized ones.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Executor, OpenOptions } from "../../src/device/executor.ts";
import { graph, input, linear, parameter } from "../../src/graph/index.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { readData } from "../safetensors-data.ts";
import { sharedData } from "../shared-data.ts";
import { memoryStore } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const COLUMNS = 2048;
const OUTER = 8;
const formats: readonly FormatName[] = ["f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k"];

/** What README of the data allows, as shares of the sum of absolute products: f32 activations, rounded ones. */
const F32_SHARE = 1e-6;
const INT8_SHARE = 1e-2;

async function dots(executor: Executor, format: FormatName, bytes: Uint8Array, x: Float32Array, options: OpenOptions) {
  const store = memoryStore({ w: { rows: OUTER, columns: COLUMNS, format, bytes } });
  const make = (bound: number) =>
    graph({ y: linear(input("x", [{ name: "rows", bound }, COLUMNS], "f32"), parameter("w", [OUTER, COLUMNS])) });
  await using opened = await executor.open(store, { decode: make(1), prompt: make(16) }, { threads: 1, ...options });
  const results: Float32Array[] = [];
  for (const program of [opened.programs.decode, opened.programs.prompt]) {
    program.inputs.x.set(x);
    await program.run({ rows: 1 });
    results.push(program.outputs.y.slice(0, OUTER));
  }
  return results;
}

for (const executor of cpuTiers()) {
  describe(`dot products by real weights on ${executor.tier}`, () => {
    for (const format of formats) {
      const { path, skip } = sharedData(`quants/${format.toUpperCase()}.safetensors`);
      it(`in ${format}, decode and prompt, with f32 and with rounded activations`, { skip }, async () => {
        const { blocks, x, dot, dot_abs: size } = await readData(path);
        for (const [precision, share] of [
          ["f32", F32_SHARE],
          ["fast", INT8_SHARE],
        ] as const) {
          for (const found of await dots(executor, format, blocks.bytes, x.f32, { precision })) {
            for (let row = 0; row < OUTER; row++) {
              const off = Math.abs(found[row] - dot.f32[row]) / size.f32[row];
              assert.ok(off <= share, `${precision}, row ${row}: ${found[row]}, not ${dot.f32[row]}, off by ${off}`);
            }
          }
        }
      });
    }
  });
}
