import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UnsupportedError, UsageError } from "../base/errors.ts";
import type { FileTensor, Model, ModelFacts } from "./model.ts";
import { newModel } from "./registry.ts";
import { type RopeChoice, readScaledModel } from "./rope-override.ts";

const config = {
  model_type: "llama",
  hidden_size: 8,
  intermediate_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  vocab_size: 8,
  max_position_embeddings: 64,
  rope_theta: 1e6,
};
const facts = (more: object = {}): ModelFacts => ({
  file: "folder",
  kind: "hf",
  config: { ...config, ...more },
  tensors: new Map(),
  isNew: true,
});
const read = (choice: RopeChoice, more: object = {}): Model => readScaledModel(facts(more), choice);

const yarnModel = newModel({
  ...config,
  rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 64 },
});

describe("a rope chosen when a model is loaded", () => {
  test("is what the same words in its config would be, and the window grows", () => {
    const chosen = read({ type: "yarn", factor: 4 });
    assert.equal(chosen.window, 256);
    assert.deepEqual(chosen.ropes, yarnModel.ropes);
    const linear = read({ type: "linear", factor: 2 });
    assert.deepEqual([linear.window, Array.from(linear.ropes[0].frequencies)], [128, [0.5, 0.0005]]);
    assert.equal(read({ type: "dynamic", factor: 8 }).ropes[0].longer!.length, 3);
  });

  test("stands in place of the file's own, in each form of the config; the base stays", () => {
    const old = { rope_type: "linear", factor: 4, original_max_position_embeddings: 64 };
    const parameters = { rope_parameters: { ...old, rope_theta: 1e6 }, max_position_embeddings: 256 };
    for (const own of [{ rope_scaling: old, max_position_embeddings: 256 }, parameters]) {
      assert.deepEqual(read({ type: "yarn", factor: 4 }, own).ropes, yarnModel.ropes);
      const plain = read({ type: "none", factor: 1 }, own);
      assert.deepEqual([plain.window, plain.ropes[0].frequencies[0], plain.ropes[0].frequencies[1]], [64, 1, 1e-3]);
    }
  });

  test("stretches the window that it is told, else the one that the file says was there before", () => {
    assert.equal(read({ type: "yarn", factor: 4, originalWindow: 32 }).window, 128);
    assert.equal(read({ type: "yarn", factor: 2 }, { original_max_position_embeddings: 16 }).window, 32);
  });

  test("is the same of a GGUF file, whose own divisors then go", () => {
    const shapes = {
      "token_embd.weight": [8, 8],
      "output_norm.weight": [8],
      ...Object.fromEntries(
        ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"].map((name) => [
          `blk.0.${name}.weight`,
          [8, 8],
        ]),
      ),
      "blk.0.attn_norm.weight": [8],
      "blk.0.ffn_norm.weight": [8],
      "rope_freqs.weight": [2],
    };
    const tensors = Object.entries(shapes).map(([name, shape]): [string, FileTensor] => [
      name,
      { name, shape, format: "f32" },
    ]);
    const metadata = {
      "general.architecture": "llama",
      "llama.embedding_length": 8,
      "llama.feed_forward_length": 8,
      "llama.block_count": 1,
      "llama.attention.head_count": 2,
      "llama.context_length": 64,
      "llama.attention.layer_norm_rms_epsilon": 1e-5,
      "llama.rope.freq_base": 1e6,
    };
    const ropeDivisors = new Map([["rope_freqs.weight", Float32Array.of(1, 8)]]);
    const gguf: ModelFacts = { file: "f", kind: "gguf", config: metadata, tensors: new Map(tensors), ropeDivisors };
    const chosen = readScaledModel(gguf, { type: "yarn", factor: 4 });
    assert.equal(chosen.window, 256);
    assert.deepEqual(chosen.ropes, yarnModel.ropes);
  });

  test("moves only the full layers' rope of a model that has two", () => {
    const gemma = {
      model_type: "gemma3_text",
      head_dim: 4,
      sliding_window: 16,
      num_hidden_layers: 6,
      hidden_act: null,
    };
    const model = read({ type: "linear", factor: 4 }, gemma);
    assert.deepEqual(
      model.ropes.map(({ frequencies }) => frequencies[0]),
      [0.25, 1],
    );
  });

  test("is refused where there is no such scaling, or no rope", () => {
    for (const [type, factor] of [
      ["yarn", 0.5],
      ["none", 2],
      ["llama3", 8],
      ["linear", NaN],
    ] as const) {
      assert.throws(() => read({ type, factor } as RopeChoice), UsageError);
    }
    const gpt2 = { model_type: "gpt2", n_embd: 8, n_layer: 1, n_head: 2, n_positions: 64 };
    assert.throws(() => read({ type: "linear", factor: 2 }, gpt2), UnsupportedError);
  });
});
