// The configs of published models, with all their options, are read as these models are: sizes, window, rope, weights.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Model, newModel } from "../../src/models/index.ts";

type Options = Readonly<Record<string, unknown>>;

const baichuan: Options = {
  model_type: "baichuan",
  bos_token_id: 1,
  eos_token_id: 2,
  gradient_checkpointing: false,
  hidden_act: "silu",
  initializer_range: 0.02,
  pad_token_id: 0,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  use_cache: true,
};
const small = { hidden_size: 4096, intermediate_size: 11008, num_attention_heads: 32, num_hidden_layers: 32 };
const large = { hidden_size: 5120, intermediate_size: 13696, num_attention_heads: 40, num_hidden_layers: 40 };

const chatglm: Options = {
  model_type: "chatglm",
  add_bias_linear: false,
  add_qkv_bias: true,
  apply_query_key_layer_scaling: true,
  apply_residual_connection_post_layernorm: false,
  attention_dropout: 0,
  attention_softmax_in_fp32: true,
  bias_dropout_fusion: true,
  ffn_hidden_size: 13696,
  fp32_residual_connection: false,
  hidden_dropout: 0,
  hidden_size: 4096,
  kv_channels: 128,
  layernorm_epsilon: 1e-5,
  multi_query_attention: true,
  multi_query_group_num: 2,
  num_attention_heads: 32,
  num_layers: 28,
  original_rope: true,
  padded_vocab_size: 65024,
  post_layer_norm: true,
  rmsnorm: true,
  seq_length: 8192,
  tie_word_embeddings: false,
  torch_dtype: "float16",
};

const glm: Options = {
  attention_bias: true,
  attention_dropout: 0,
  eos_token_id: [151329, 151336, 151338],
  head_dim: 128,
  hidden_act: "silu",
  hidden_size: 4096,
  intermediate_size: 13696,
  num_attention_heads: 32,
  num_hidden_layers: 40,
  num_key_value_heads: 2,
  pad_token_id: 151329,
  tie_word_embeddings: false,
  vocab_size: 151552,
};

const hunyuan: Options = {
  model_type: "hunyuan_v1_dense",
  add_classification_head: false,
  attention_bias: false,
  attention_head_dim: 128,
  cla_share_factor: 2,
  class_num: 0,
  dense_list: [4096, 0],
  eod_token_id: 127967,
  eos_token_id: 127960,
  head_dim: 128,
  hidden_act: "silu",
  hidden_size: 4096,
  intermediate_size: 14336,
  max_position_embeddings: 32768,
  mlp_bias: false,
  norm_type: "rms",
  num_attention_heads: 32,
  num_experts: 1,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  org_vocab_size: 128167,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_scaling: {
    alpha: 1000,
    beta_fast: 32,
    beta_slow: 1,
    factor: 1,
    mscale: 1,
    mscale_all_dim: 1,
    type: "dynamic",
  },
  rope_theta: 10_000,
  tie_word_embeddings: true,
  use_cla: false,
  use_qk_norm: true,
  use_rotary_pos_emb: true,
  vocab_size: 128167,
};

const gpt1: Options = {
  model_type: "openai-gpt",
  afn: "gelu",
  attn_pdrop: 0.1,
  embd_pdrop: 0.1,
  layer_norm_epsilon: 1e-5,
  n_ctx: 512,
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  n_positions: 512,
  n_special: 0,
  predict_special_tokens: true,
  resid_pdrop: 0.1,
  vocab_size: 40478,
};

interface Expected {
  readonly window: number;
  readonly layers: number;
  /** Heads of keys and their size. */
  readonly kv: readonly [number, number];
  /** Rotated columns of a head and the slowest frequency's base; absent: no rope. */
  readonly rope?: readonly [columns: number, base: number];
  /** A parameter and its shape. */
  readonly has: readonly [name: string, rows: number, columns: number];
  readonly unitHead?: boolean;
}

const models: Readonly<Record<string, readonly [Options, Expected]>> = {
  "Baichuan-7B": [
    { ...baichuan, ...small, max_position_embeddings: 4096, vocab_size: 64000 },
    { window: 4096, layers: 32, kv: [32, 128], rope: [128, 1e4], has: ["head.weight", 64000, 4096] },
  ],
  "Baichuan-13B-Chat": [
    { ...baichuan, ...large, model_max_length: 4096, vocab_size: 64000 },
    { window: 4096, layers: 40, kv: [40, 128], has: ["layers.39.attention.value.weight", 5120, 5120] },
  ],
  "Baichuan2-7B-Chat": [
    {
      ...baichuan,
      ...small,
      max_position_embeddings: 4096,
      model_max_length: 4096,
      vocab_size: 125696,
      z_loss_weight: 0,
    },
    { window: 4096, layers: 32, kv: [32, 128], rope: [128, 1e4], has: ["head.weight", 125696, 4096], unitHead: true },
  ],
  "Baichuan2-13B-Base": [
    { ...baichuan, ...large, model_max_length: 4096, vocab_size: 125696, z_loss_weight: 0 },
    { window: 4096, layers: 40, kv: [40, 128], has: ["head.weight", 125696, 5120], unitHead: true },
  ],
  "chatglm2-6b": [
    { ...chatglm, pre_seq_len: null, prefix_projection: false, quantization_bit: 0, seq_length: 32768 },
    { window: 32768, layers: 28, kv: [2, 128], rope: [64, 1e4], has: ["layers.0.attention.key.weight", 256, 4096] },
  ],
  "chatglm3-6b": [
    chatglm,
    { window: 8192, layers: 28, kv: [2, 128], rope: [64, 1e4], has: ["layers.27.mlp.up.weight", 13696, 4096] },
  ],
  "glm-4-9b-chat": [
    {
      ...chatglm,
      eos_token_id: [151329, 151336, 151338],
      layernorm_epsilon: 1.5625e-7,
      num_hidden_layers: 40,
      num_layers: 40,
      padded_vocab_size: 151552,
      rope_ratio: 500,
      seq_length: 131072,
    },
    { window: 131072, layers: 40, kv: [2, 128], rope: [64, 5e6], has: ["head.weight", 151552, 4096] },
  ],
  "glm-4-9b-chat-hf": [
    { ...glm, model_type: "glm", max_position_embeddings: 131072, rms_norm_eps: 1.5625e-7, rope_theta: 5e6 },
    { window: 131072, layers: 40, kv: [2, 128], rope: [64, 5e6], has: ["layers.0.mlp.gate.weight", 13696, 4096] },
  ],
  "GLM-4-9B-0414": [
    {
      ...glm,
      model_type: "glm4",
      max_position_embeddings: 32768,
      partial_rotary_factor: 0.5,
      rms_norm_eps: 1e-5,
      rope_theta: 1e4,
    },
    { window: 32768, layers: 40, kv: [2, 128], rope: [64, 1e4], has: ["layers.0.mlpOutNorm.weight", 1, 4096] },
  ],
  "Hunyuan-7B-Instruct": [
    hunyuan,
    {
      window: 32768,
      layers: 32,
      kv: [8, 128],
      rope: [128, 1e4 * 1000 ** (128 / 126)],
      has: ["layers.0.attention.queryNorm.weight", 1, 128],
    },
  ],
  "openai-gpt": [gpt1, { window: 512, layers: 12, kv: [12, 64], has: ["positions.weight", 512, 768] }],
};

function expectModel(model: Model, expected: Expected): void {
  const { window, layers, kv, rope, has, unitHead = false } = expected;
  const [{ kvHeads, headSize }] = model.cacheGroups;
  assert.deepEqual([model.window, model.layers, kvHeads, headSize], [window, layers, ...kv]);
  assert.equal(model.ropes.length, rope === undefined ? 0 : 1);
  if (rope !== undefined) {
    const [columns, base] = rope;
    const { frequencies } = model.ropes[0];
    assert.equal(2 * frequencies.length, columns);
    assert.ok(Math.abs(frequencies[1] * base ** (2 / columns) - 1) < 1e-9, `frequency ${frequencies[1]}`);
  }
  const [name, rows, columns] = has;
  const found = model.parameters.get(name)!;
  assert.deepEqual([found.rows, found.columns], [rows, columns]);
  assert.equal(model.parameters.get("head.weight")?.unitRows === true, unitHead);
}

describe("published configs", () => {
  for (const [name, [options, expected]] of Object.entries(models)) {
    test(`${name} is read`, () => expectModel(newModel(options), expected));
  }

  const refused: Readonly<Record<string, readonly [Options, RegExp]>> = {
    "a Baichuan of a width that says nothing": [
      { ...baichuan, ...small, hidden_size: 2048, max_position_embeddings: 4096, vocab_size: 64000 },
      /position_embedding/,
    ],
    "the first ChatGLM": [{ ...chatglm, position_encoding_2d: true }, /position_encoding_2d/],
    "ChatGLM whose norm comes later": [
      { ...chatglm, apply_residual_connection_post_layernorm: true },
      /apply_residual_connection_post_layernorm/,
    ],
    "a quantized ChatGLM": [{ ...chatglm, quantization_bit: 4 }, /quantization_bit/],
    "Hunyuan whose layers share keys": [{ ...hunyuan, use_cla: true }, /use_cla/],
    "GPT-1 of an unknown activation": [{ ...gpt1, afn: "mish" }, /afn/],
  };
  for (const [name, [options, message]] of Object.entries(refused)) {
    test(`${name} is refused by its option`, () => assert.throws(() => newModel(options), message));
  }
});
