// The families from GGUF: files made of the golden cases under llama.cpp's conventions give the golden logits.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { uniform } from "../../src/base/random.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type CaseName, caseFiles, readGolden } from "./cases.ts";
import { type HfConfig, ggufTwin } from "./gguf-twin.ts";
import { assertClose, largestDifference } from "./golden.ts";
import { type Tensors, type Values, allTensors, ggufFiles, hfFiles, openFiles } from "./memory-files.ts";
import { createRunner } from "./runner.ts";

// As on safetensors (reference.test.ts), and epsilon, rope base and divisors are f32 in GGUF, which moves little.
const FACTOR = 1.25;

const twins: Readonly<Partial<Record<CaseName, string>>> = {
  llama: "llama",
  "llama-3": "llama",
  yi: "llama",
  mistral: "mistral",
  gemma: "gemma",
  gemma2: "gemma2",
  phi3: "phi3",
  "phi3-longrope": "phi3",
  qwen2: "qwen2",
  qwen3: "qwen3",
  gemma3_text: "gemma3_text",
  gpt2: "gpt2",
  "baichuan-7b": "baichuan",
  "baichuan-13b": "baichuan",
  "baichuan2-7b": "baichuan",
  chatglm3: "chatglm",
  glm: "glm",
  glm4: "glm4",
  hunyuan_v1_dense: "hunyuan_v1_dense",
  hunyuan_v1_moe: "hunyuan_v1_moe",
  mixtral: "mixtral",
  qwen2_moe: "qwen2_moe",
};

async function logitsOf(files: Parameters<typeof openFiles>[0], ids: Int32Array): Promise<Float32Array> {
  const { model, store } = await openFiles(files);
  await using runner = await createRunner(referenceExecutor, store, model);
  return (await runner.run([{ sequence: 0, ids }])).logits;
}

describe("a GGUF file made as llama.cpp's converter makes it", () => {
  for (const [name, family] of Object.entries(twins) as [CaseName, string][]) {
    test(`gives the golden logits of ${name}`, async () => {
      await using files = await caseFiles(name, "config.legacy.json");
      const { entries, tensors } = ggufTwin(family, files.config as HfConfig, await allTensors(files));
      const golden = await readGolden(name);
      const logits = await logitsOf(await ggufFiles(entries, tensors), golden.i32.input_ids_a);
      assertClose(logits, golden.f32.logits_a, FACTOR * golden.logitTolerance, "logits_a");
    });
  }

  test("gives the folder's logits of gpt_oss, with the gate's limit that GGUF takes for granted", async () => {
    await using files = await caseFiles("gpt_oss", "config.legacy.json", { swiglu_limit: 7 });
    const { entries, tensors } = ggufTwin("gpt_oss", files.config as HfConfig, await allTensors(files));
    const golden = await readGolden("gpt_oss");
    const ids = golden.i32.input_ids_a;
    const fromGguf = await logitsOf(await ggufFiles(entries, tensors), ids);
    assertClose(fromGguf, await logitsOf(files, ids), golden.logitTolerance, "logits_a");
  });

  test("holds biases of q and k in the order of their rows: attention_bias and mlp_bias equal the HF folder's", async () => {
    await using files = await caseFiles("llama", "config.legacy.json");
    const config: Readonly<Record<string, unknown>> = { ...files.config, attention_bias: true, mlp_bias: true };
    const tensors = withBiases(await allTensors(files));
    const ids = Int32Array.from({ length: 12 }, (_, i) => 17 * i);
    const fromHf = await logitsOf(hfFiles(config, tensors), ids);
    const twin = ggufTwin("llama", config as HfConfig, tensors);
    const fromGguf = await logitsOf(await ggufFiles(twin.entries, twin.tensors), ids);
    // epsilon is rounded to f32 in GGUF; a bias in the wrong place moves logits by whole units
    assert.ok(largestDifference(fromGguf, fromHf) < 1e-6);
    assert.ok(largestDifference(fromHf, await logitsOf(files, ids)) > 0.1, "the biases matter");
  });
});

/** The tensors with a random bias beside every projection of every layer. */
function withBiases(tensors: Tensors): Map<string, Values> {
  const all = new Map(tensors);
  let stream = 0;
  for (const [name, { shape }] of tensors) {
    if (!name.endsWith("_proj.weight")) continue;
    stream++;
    const values = Float32Array.from({ length: shape[0] }, (_, i) => uniform(1, stream, i) - 0.5);
    all.set(name.replace(/weight$/, "bias"), { shape: [shape[0]], values });
  }
  return all;
}
