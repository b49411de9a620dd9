// Configs of published checkpoints, with the options that these have (but for what concerns training alone): no option of
// theirs may be refused, and each must mean what it says.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Model } from "./model.ts";
import { newModel } from "./registry.ts";

const llama = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  attention_bias: false,
  attention_dropout: 0.0,
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: "silu",
  initializer_range: 0.02,
  pretraining_tp: 1,
  rope_scaling: null,
  tie_word_embeddings: false,
  use_cache: true,
  transformers_version: "4.40.0",
};
const size = (
  hidden_size: number,
  intermediate_size: number,
  num_hidden_layers: number,
  heads: number,
  kv: number,
) => ({
  hidden_size,
  intermediate_size,
  num_hidden_layers,
  num_attention_heads: heads,
  num_key_value_heads: kv,
});
const sevenB = size(4096, 11008, 32, 32, 32);
const mistral7B = { ...size(4096, 14336, 32, 32, 8), rms_norm_eps: 1e-5 };
const llama3Scaling = { high_freq_factor: 4.0, low_freq_factor: 1.0, original_max_position_embeddings: 8192 };
const qwen2 = { ...llama, model_type: "qwen2", architectures: ["Qwen2ForCausalLM"], use_sliding_window: false };
const gemma = {
  ...llama,
  attention_bias: false,
  hidden_act: "gelu_pytorch_tanh",
  hidden_activation: "gelu_pytorch_tanh",
  pad_token_id: 0,
  rms_norm_eps: 1e-6,
  rope_theta: 10000.0,
  tie_word_embeddings: undefined,
};
const phi3 = {
  ...llama,
  model_type: "phi3",
  architectures: ["Phi3ForCausalLM"],
  embd_pdrop: 0.0,
  resid_pdrop: 0.0,
  rms_norm_eps: 1e-5,
  rope_theta: 10000.0,
  ...size(3072, 8192, 32, 32, 32),
};
const factors = (count: number, last: number) => Array.from({ length: count }, (_, i) => 1 + (i * (last - 1)) / count);
const longrope = (count: number) => ({
  type: "longrope",
  short_factor: factors(count, 2),
  long_factor: factors(count, 64),
});

const published: Readonly<Record<string, [config: object, check: (model: Model) => unknown, expected: unknown]>> = {
  "Llama 2 7B": [
    { ...llama, ...sevenB, max_position_embeddings: 4096, rms_norm_eps: 1e-5, vocab_size: 32000 },
    ({ window, cacheGroups }) => [window, cacheGroups[0].headSize],
    [4096, 128],
  ],
  "Vicuna 7B v1.5": [
    { ...llama, ...sevenB, max_position_embeddings: 4096, rms_norm_eps: 1e-5, vocab_size: 32000, pad_token_id: 0 },
    ({ window }) => window,
    4096,
  ],
  "Vicuna 7B v1.5 16k": [
    {
      ...llama,
      ...sevenB,
      max_position_embeddings: 4096,
      max_sequence_length: 16384,
      rms_norm_eps: 1e-5,
      rope_scaling: { factor: 4.0, type: "linear" },
      vocab_size: 32000,
    },
    ({ window, ropes }) => [window, ropes[0].frequencies[0]],
    [16384, 0.25],
  ],
  "DeepSeek Coder 6.7B": [
    {
      ...llama,
      ...sevenB,
      max_position_embeddings: 16384,
      rms_norm_eps: 1e-6,
      rope_theta: 100000,
      rope_scaling: { factor: 4.0, type: "linear" },
      vocab_size: 32256,
    },
    ({ window, ropes }) => [window, ropes[0].frequencies[0]],
    [16384, 0.25],
  ],
  "Llama 3.2 1B": [
    {
      ...llama,
      ...size(2048, 8192, 16, 32, 8),
      eos_token_id: [128001, 128008, 128009],
      head_dim: 64,
      max_position_embeddings: 131072,
      mlp_bias: false,
      rms_norm_eps: 1e-5,
      rope_scaling: { ...llama3Scaling, factor: 32.0, rope_type: "llama3" },
      rope_theta: 500000.0,
      tie_word_embeddings: true,
      torch_dtype: "bfloat16",
      vocab_size: 128256,
    },
    ({ window, ropes }) => [window, ropes[0].frequencies[31] * 500000 ** (62 / 64)],
    [131072, 1 / 32],
  ],
  "DeepSeek R1 Distill Llama 8B": [
    {
      ...llama,
      ...mistral7B,
      max_position_embeddings: 131072,
      mlp_bias: false,
      rope_scaling: { ...llama3Scaling, factor: 8.0, rope_type: "llama3" },
      rope_theta: 500000.0,
      vocab_size: 128256,
    },
    ({ family, window }) => [family, window],
    ["llama", 131072],
  ],
  "Yi 34B 200K": [
    {
      ...llama,
      ...size(7168, 20480, 60, 56, 8),
      max_position_embeddings: 200000,
      pad_token_id: 0,
      rms_norm_eps: 1e-5,
      rope_theta: 5000000.0,
      vocab_size: 64000,
    },
    ({ window, cacheGroups }) => [window, cacheGroups[0]],
    [200000, { name: "full", layers: 60, kvHeads: 8, headSize: 128 }],
  ],
  "Mistral 7B v0.1, Zephyr 7B, WizardLM 2 7B": [
    {
      ...llama,
      ...mistral7B,
      model_type: "mistral",
      architectures: ["MistralForCausalLM"],
      max_position_embeddings: 32768,
      rope_theta: 10000.0,
      sliding_window: 4096,
      vocab_size: 32000,
    },
    ({ family, window, cacheGroups }) => [family, window, cacheGroups[0].window],
    ["mistral", 32768, 4096],
  ],
  "Mistral 7B Instruct v0.3": [
    {
      ...llama,
      ...mistral7B,
      model_type: "mistral",
      head_dim: null,
      max_position_embeddings: 32768,
      rope_theta: 1000000.0,
      sliding_window: null,
      vocab_size: 32768,
    },
    ({ cacheGroups }) => [cacheGroups[0].name, cacheGroups[0].window],
    ["full", undefined],
  ],
  "Mistral Nemo": [
    {
      ...llama,
      ...size(5120, 14336, 40, 32, 8),
      model_type: "mistral",
      head_dim: 128,
      max_position_embeddings: 131072,
      rms_norm_eps: 1e-5,
      rope_theta: 1000000.0,
      sliding_window: null,
      vocab_size: 131072,
    },
    ({ cacheGroups }) => cacheGroups[0].headSize,
    128,
  ],
  "Qwen 1.5 0.5B Chat": [
    {
      ...qwen2,
      ...size(1024, 2816, 24, 16, 16),
      max_position_embeddings: 32768,
      max_window_layers: 21,
      rms_norm_eps: 1e-6,
      rope_theta: 1000000.0,
      sliding_window: 32768,
      tie_word_embeddings: true,
      vocab_size: 151936,
    },
    ({ cacheGroups, parameters }) => [cacheGroups[0].name, parameters.has("layers.0.attention.query.bias")],
    ["full", true],
  ],
  "Qwen 2.5 7B Instruct with the scaling that its card gives": [
    {
      ...qwen2,
      ...size(3584, 18944, 28, 28, 4),
      max_position_embeddings: 32768,
      max_window_layers: 28,
      rms_norm_eps: 1e-6,
      rope_scaling: { factor: 4.0, original_max_position_embeddings: 32768, type: "yarn" },
      rope_theta: 1000000.0,
      sliding_window: 131072,
      vocab_size: 152064,
    },
    ({ window, ropes }) => [window, ropes[0].magnitude],
    [131072, 0.1 * Math.log(4) + 1],
  ],
  "DeepSeek R1 Distill Qwen 1.5B": [
    {
      ...qwen2,
      ...size(1536, 8960, 28, 12, 2),
      bos_token_id: 151643,
      eos_token_id: 151643,
      max_position_embeddings: 131072,
      max_window_layers: 21,
      rms_norm_eps: 1e-6,
      rope_theta: 10000,
      sliding_window: 4096,
      use_mrope: false,
      vocab_size: 151936,
    },
    ({ family, cacheGroups }) => [family, cacheGroups[0].window],
    ["qwen2", undefined],
  ],
  "Gemma 2B": [
    {
      ...gemma,
      ...size(2048, 16384, 18, 8, 1),
      model_type: "gemma",
      head_dim: 256,
      hidden_act: "gelu",
      hidden_activation: null,
      max_position_embeddings: 8192,
      vocab_size: 256000,
    },
    ({ cacheGroups, parameters }) => [cacheGroups[0].headSize, parameters.has("head.weight")],
    [256, false],
  ],
  "Gemma 2 27B": [
    {
      ...gemma,
      ...size(4608, 36864, 46, 32, 16),
      model_type: "gemma2",
      attn_logit_softcapping: 50.0,
      cache_implementation: "hybrid",
      final_logit_softcapping: 30.0,
      head_dim: 128,
      max_position_embeddings: 8192,
      query_pre_attn_scalar: 144,
      sliding_window: 4096,
      sliding_window_size: 4096,
      vocab_size: 256000,
    },
    ({ cacheGroups }) => cacheGroups.map(({ name, layers, window }) => [name, layers, window]),
    [
      ["window", 23, 4096],
      ["full", 23, undefined],
    ],
  ],
  "Gemma 3 1B": [
    {
      ...gemma,
      ...size(1152, 6912, 26, 4, 1),
      model_type: "gemma3_text",
      attn_logit_softcapping: null,
      cache_implementation: "hybrid",
      final_logit_softcapping: null,
      head_dim: 256,
      hidden_act: undefined,
      max_position_embeddings: 32768,
      query_pre_attn_scalar: 256,
      rope_local_base_freq: 10000,
      rope_theta: 1000000,
      sliding_window: 512,
      sliding_window_pattern: 6,
      vocab_size: 262144,
    },
    ({ cacheGroups }) => cacheGroups.map(({ name, layers, window }) => [name, layers, window]),
    [
      ["window", 22, 512],
      ["full", 4, undefined],
    ],
  ],
  "Phi 3 mini 4k": [
    {
      ...phi3,
      auto_map: {},
      max_position_embeddings: 4096,
      original_max_position_embeddings: 4096,
      sliding_window: 2047,
      vocab_size: 32064,
    },
    ({ window, cacheGroups, ropes }) => [window, cacheGroups[0].window, ropes[0].longer],
    [4096, 2047, undefined],
  ],
  "Phi 3.5 mini": [
    {
      ...phi3,
      max_position_embeddings: 131072,
      original_max_position_embeddings: 4096,
      rope_scaling: longrope(48),
      sliding_window: 262144,
      vocab_size: 32064,
    },
    ({ window, ropes }) => [window, ropes[0].longer![0].beyond, ropes[0].magnitude],
    [131072, 4096, Math.sqrt(1 + Math.log(32) / Math.log(4096))],
  ],
  "Phi 4 mini": [
    {
      ...phi3,
      ...size(3072, 8192, 32, 24, 8),
      full_attn_mod: 1,
      interpolate_factor: 1,
      lm_head_bias: false,
      mlp_bias: false,
      max_position_embeddings: 131072,
      original_max_position_embeddings: 4096,
      partial_rotary_factor: 0.75,
      rope_scaling: longrope(48),
      sliding_window: 262144,
      tie_word_embeddings: true,
      vocab_size: 200064,
    },
    ({ cacheGroups, ropes }) => [cacheGroups[0].headSize, 2 * ropes[0].frequencies.length],
    [128, 96],
  ],
  "Phi 4": [
    {
      ...phi3,
      ...size(5120, 17920, 40, 40, 10),
      max_position_embeddings: 16384,
      original_max_position_embeddings: 16384,
      rope_theta: 250000,
      sliding_window: null,
      vocab_size: 100352,
    },
    ({ cacheGroups }) => cacheGroups[0],
    { name: "full", layers: 40, kvHeads: 10, headSize: 128 },
  ],
};

for (const [name, [config, check, expected]] of Object.entries(published)) {
  test(`the config of ${name} is read as it is meant`, () => {
    const found = check(newModel(config as Readonly<Record<string, unknown>>));
    const rounded = (value: unknown): unknown => (typeof value === "number" ? Number(value.toPrecision(12)) : value);
    const [a, b] = [found, expected].map((value) => (Array.isArray(value) ? value.map(rounded) : value));
    assert.deepEqual(a, b);
  });
}
