// Matrix products by real quantized weights, held against the reference data's own dot products: eight rows of 2048
// weights from published models, random blocks with every scale bit set, and freshly quantized ones.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Executor, OpenOptions } from "../../src/device/executor.ts";
import { type Graph, graph, input, linear, parameter } from "../../src/graph/index.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { readData } from "../safetensors-data.ts";
import { sharedData } from "../shared-data.ts";
import { type TestParameter, memoryStore } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const COLUMNS = 2048;
const OUTER = 8;
/** Of rows: a decode and a prompt program. */
const BOUNDS = [1, 16];
const formats: readonly FormatName[] = [
  ...(["f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "iq4_nl", "mxfp4"] as const),
  ...(["q4_k", "q5_k", "q6_k", "iq4_xs"] as const),
];

/** What README of the data allows, as shares of the sum of absolute products: f32 activations, rounded ones. */
const F32_SHARE = 1e-6;
const INT8_SHARE = 1e-2;

const data = sharedData(`quants/${formats[0].toUpperCase()}.safetensors`);

async function readFormats() {
  const read = formats.map(async (format) => {
    const { blocks, x, dot, dot_abs } = await readData(sharedData(`quants/${format.toUpperCase()}.safetensors`).path);
    return [format, { bytes: blocks.bytes, x: x.f32, dot: dot.f32, size: dot_abs.f32 }] as const;
  });
  return new Map(await Promise.all(read));
}
const vectors = data.skip === false ? await readFormats() : new Map<FormatName, never>();

/** Dot products by the weights of every format, by a decode and a prompt program, in one open model. */
async function dotsOf(executor: Executor, options: OpenOptions): Promise<Map<FormatName, Float32Array[]>> {
  const parameters: Record<string, TestParameter> = {};
  const graphs: Record<string, Graph> = {};
  for (const [format, { bytes }] of vectors) {
    parameters[format] = { rows: OUTER, columns: COLUMNS, format, bytes };
    for (const bound of BOUNDS) {
      const x = input("x", [{ name: "rows", bound }, COLUMNS], "f32");
      graphs[`${format} ${bound}`] = graph({ y: linear(x, parameter(format, [OUTER, COLUMNS])) });
    }
  }
  await using opened = await executor.open(memoryStore(parameters), graphs, { threads: 1, ...options });
  const results = new Map<FormatName, Float32Array[]>();
  for (const [format, { x }] of vectors) {
    const found: Float32Array[] = [];
    for (const bound of BOUNDS) {
      const program = opened.programs[`${format} ${bound}`];
      program.inputs.x.set(x);
      await program.run({ rows: 1 });
      found.push(program.outputs.y.slice(0, OUTER));
    }
    results.set(format, found);
  }
  return results;
}

for (const executor of cpuTiers()) {
  describe(`dot products by real weights on ${executor.tier}`, { skip: data.skip }, async () => {
    if (data.skip !== false) return;
    const exact = await dotsOf(executor, { precision: "f32" });
    const fast = await dotsOf(executor, { precision: "fast" });
    for (const [format, { dot, size }] of vectors) {
      it(`in ${format}, decode and prompt, with f32 and with rounded activations`, () => {
        for (const [precision, dots, share] of [
          ["f32", exact, F32_SHARE],
          ["fast", fast, INT8_SHARE],
        ] as const) {
          for (const found of dots.get(format)!) {
            for (let row = 0; row < OUTER; row++) {
              const off = Math.abs(found[row] - dot[row]) / size[row];
              assert.ok(off <= share, `${precision}, row ${row}: ${found[row]}, not ${dot[row]}, off by ${off}`);
            }
          }
        }
      });
    }
  });
}
