// Config options that no golden case sets, held against what they are equal to.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type CaseName, caseFiles } from "./cases.ts";
import { largestDifference } from "./golden.ts";
import { type Tensors, type Values, allTensors, hfFiles, openFiles } from "./memory-files.ts";
import { createRunner } from "./runner.ts";

const ids = Int32Array.from({ length: 20 }, (_, i) => (37 * i) % 320);

/** Logits of a case with some keys of its config, and perhaps its tensors, changed. */
async function logitsOf(
  name: CaseName,
  changes: Readonly<Record<string, unknown>> = {},
  changeTensor: (name: string, values: Values) => Values = (_, values) => values,
): Promise<Float32Array> {
  await using files = await caseFiles(name, "config.legacy.json", changes);
  const tensors: Tensors = new Map(
    [...(await allTensors(files))].map(([tensor, values]) => [tensor, changeTensor(tensor, values)]),
  );
  const { model, store } = await openFiles(hfFiles(files.config, tensors));
  await using runner = await createRunner(referenceExecutor, store, model);
  return (await runner.run([{ sequence: 0, ids }])).logits;
}

/** The fused q, k, v of gpt2 with q multiplied by a factor that depends on the layer. */
function scaledQueries(name: string, { shape, values }: Values, factor: (layer: number) => number): Values {
  const layer = /h\.(\d+)\.attn\.c_attn\./.exec(name)?.[1];
  if (layer === undefined) return { shape, values };
  const columns = shape.at(-1) as number; // q, k and v side by side, in weight and bias alike
  const isQuery = (i: number): boolean => i % columns < columns / 3;
  return { shape, values: values.map((value, i) => (isQuery(i) ? value * factor(Number(layer)) : value)) };
}

describe("options", () => {
  test("llama3 scaling whose bands do not part is refused by field", async () => {
    const scaling = { rope_type: "llama3", factor: 8, original_max_position_embeddings: 64 };
    const equal = { ...scaling, low_freq_factor: 4, high_freq_factor: 4 };
    await assert.rejects(logitsOf("llama-3", { rope_scaling: equal }), /high_freq_factor is 4/);
  });

  test("gpt2: scale_attn_by_inverse_layer_idx is q divided by the layer's number from 1", async () => {
    const scaled = await logitsOf("gpt2", { scale_attn_by_inverse_layer_idx: true });
    const divided = await logitsOf("gpt2", {}, (name, values) =>
      scaledQueries(name, values, (layer) => 1 / (layer + 1)),
    );
    assert.ok(largestDifference(scaled, divided) < 1e-5); // thirds are rounded in the divided weights
    assert.ok(largestDifference(scaled, await logitsOf("gpt2")) > 0.01);
  });

  test("gpt2: without scale_attn_weights q is the root of the head size longer", async () => {
    const unscaled = await logitsOf("gpt2", { scale_attn_weights: false });
    const lengthened = await logitsOf("gpt2", {}, (name, values) => scaledQueries(name, values, () => Math.sqrt(12)));
    assert.ok(largestDifference(unscaled, lengthened) < 1e-5);
  });

  test("gemma3_text: a soft cap far above all scores changes nothing, a near one does", async () => {
    const plain = await logitsOf("gemma3_text");
    for (const key of ["attn_logit_softcapping", "final_logit_softcapping"]) {
      assert.ok(largestDifference(await logitsOf("gemma3_text", { [key]: 1e5 }), plain) < 1e-5, key);
      assert.ok(largestDifference(await logitsOf("gemma3_text", { [key]: 1 }), plain) > 0.01, key);
    }
    const capped = await logitsOf("gemma3_text", { final_logit_softcapping: 0.5 });
    assert.ok(capped.every((logit) => Math.abs(logit) <= 0.5));
  });

  test("gemma3_text: rope scaling moves the full layers' rope only", async () => {
    const linear = { rope_scaling: { rope_type: "linear", factor: 8 } };
    await using files = await caseFiles("gemma3_text", "config.legacy.json", linear);
    const { model } = await openFiles(files);
    const [full, window] = model.ropes.map(({ frequencies }) => frequencies[0]);
    assert.deepEqual([full, window], [1 / 8, 1]);
    const flat = await caseFiles("gemma3_text", "config.json", { rope_parameters: { rope_theta: 1e6 } });
    await assert.rejects(openFiles(flat), /full_attention is "missing"/);
    await flat[Symbol.asyncDispose]();
  });

  test("qwen3: a window on the upper layers changes only rows that are longer than it", async () => {
    const plain = await logitsOf("qwen3");
    const slide = { use_sliding_window: true, max_window_layers: 1 };
    assert.deepEqual(await logitsOf("qwen3", { ...slide, sliding_window: 20 }), plain);
    const short = await logitsOf("qwen3", { ...slide, sliding_window: 4 });
    const vocabulary = 320;
    assert.deepEqual(short.subarray(0, 4 * vocabulary), plain.subarray(0, 4 * vocabulary)); // four rows see all they have
    assert.ok(largestDifference(short.subarray(4 * vocabulary), plain.subarray(4 * vocabulary)) > 0.01);
  });
});
