// What families accept and refuse. Files are described by their tensors' names and shapes alone: a model is read
// without its weights.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError, UnsupportedError } from "../base/errors.ts";
import type { FileTensor, ModelFacts } from "./model.ts";
import { newModel, readModel } from "./registry.ts";

type Config = Readonly<Record<string, unknown>>;

const [V, C, F, D] = [10, 8, 12, 4]; // two heads of four columns, one key-value head

function tensors(shapes: Readonly<Record<string, readonly number[]>>): Map<string, FileTensor> {
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, { name, shape, format: "f32" }]));
}

const hfShapes = {
  "model.embed_tokens.weight": [V, C],
  "model.norm.weight": [C],
  "lm_head.weight": [V, C],
  "model.layers.0.self_attn.q_proj.weight": [2 * D, C],
  "model.layers.0.self_attn.k_proj.weight": [D, C],
  "model.layers.0.self_attn.v_proj.weight": [D, C],
  "model.layers.0.self_attn.o_proj.weight": [C, 2 * D],
  "model.layers.0.mlp.gate_proj.weight": [F, C],
  "model.layers.0.mlp.up_proj.weight": [F, C],
  "model.layers.0.mlp.down_proj.weight": [C, F],
  "model.layers.0.input_layernorm.weight": [C],
  "model.layers.0.post_attention_layernorm.weight": [C],
};
const hfConfig = {
  model_type: "llama",
  hidden_size: C,
  intermediate_size: F,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: V,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
};
const ggufShapes = {
  "token_embd.weight": [V, C],
  "output_norm.weight": [C],
  "blk.0.attn_q.weight": [2 * D, C],
  "blk.0.attn_k.weight": [D, C],
  "blk.0.attn_v.weight": [D, C],
  "blk.0.attn_output.weight": [C, 2 * D],
  "blk.0.ffn_gate.weight": [F, C],
  "blk.0.ffn_up.weight": [F, C],
  "blk.0.ffn_down.weight": [C, F],
  "blk.0.attn_norm.weight": [C],
  "blk.0.ffn_norm.weight": [C],
};
const ggufConfig = {
  "general.architecture": "llama",
  "llama.embedding_length": C,
  "llama.feed_forward_length": F,
  "llama.block_count": 1,
  "llama.attention.head_count": 2,
  "llama.attention.head_count_kv": 1,
  "llama.context_length": 64,
  "llama.attention.layer_norm_rms_epsilon": 1e-5,
};

const hf = (config: Config = {}, shapes: Readonly<Record<string, readonly number[]>> = hfShapes): ModelFacts => ({
  file: "folder",
  kind: "hf",
  config: { ...hfConfig, ...config },
  tensors: tensors(shapes),
});
const gguf = (config: Config = {}, shapes: Readonly<Record<string, readonly number[]>> = ggufShapes): ModelFacts => ({
  file: "model.gguf",
  kind: "gguf",
  config: { ...ggufConfig, ...config },
  tensors: tensors(shapes),
});

const frequencies = (facts: ModelFacts): number[] => Array.from(readModel(facts).ropes[0].frequencies);

const refusal =
  (kind: typeof FormatError | typeof UnsupportedError, message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof kind && message.test(error.message);

describe("what is read", () => {
  test("sizes, and a head of its own where the file has one", () => {
    const model = readModel(hf());
    assert.deepEqual(
      [model.family, model.vocabularySize, model.window, model.width, model.layers],
      ["llama", V, 64, C, 1],
    );
    assert.deepEqual(model.cacheGroups, [{ name: "full", layers: 1, kvHeads: 1, headSize: D }]);
    assert.ok(model.parameters.has("head.weight"));
    assert.equal(readModel(gguf()).parameters.has("head.weight"), false);
    assert.ok(readModel(gguf({}, { ...ggufShapes, "output.weight": [V, C] })).parameters.has("head.weight"));
  });

  test("a tied head's copy and old frequency tables are ignored, with the reason", () => {
    const shapes = { ...hfShapes, "model.layers.0.self_attn.rotary_emb.inv_freq": [D / 2] };
    const { ignored, parameters } = readModel(hf({ tie_word_embeddings: true }, shapes));
    assert.deepEqual([...ignored.keys()], ["lm_head.weight", "model.layers.0.self_attn.rotary_emb.inv_freq"]);
    assert.match(ignored.get("lm_head.weight") ?? "", /copy of the embedding/);
    assert.equal(parameters.has("head.weight"), false);
  });

  test("llama with a window is GGUF's name for Mistral, also where that window is none", () => {
    const read = (window: number) => readModel(gguf({ "llama.attention.sliding_window": window }));
    assert.deepEqual([read(16).family, read(16).cacheGroups[0].window], ["mistral", 16]);
    assert.deepEqual([read(0).family, read(0).cacheGroups[0].window], ["mistral", undefined]);
    assert.equal(readModel(gguf()).family, "llama");
  });

  test("keys that are null count as missing", () => {
    const model = readModel(hf({ head_dim: null, rope_scaling: null, num_key_value_heads: 1 }));
    assert.equal(model.cacheGroups[0].headSize, D);
    assert.deepEqual(model.ropes[0].frequencies, Float64Array.of(1, 0.01));
  });

  test("rope bases and scalings, in each of their places", () => {
    assert.deepEqual(frequencies(hf({ rope_theta: 1e6 })), [1, 1e-3]);
    assert.deepEqual(frequencies(hf({ rope_parameters: { rope_type: "default", rope_theta: 1e6 } })), [1, 1e-3]);
    assert.deepEqual(frequencies(hf({ rope_scaling: { type: "linear", factor: 4 } })), [1 / 4, 0.01 / 4]);
    assert.deepEqual(frequencies(gguf({ "llama.rope.freq_base": 1e6 })), [1, 1e-3]);
    assert.deepEqual(
      frequencies(gguf({ "llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 2 })),
      [0.5, 0.005],
    );
    assert.deepEqual(frequencies(gguf({ "llama.rope.scale_linear": 2 })), [0.5, 0.005]);
    const divided = gguf({}, { ...ggufShapes, "rope_freqs.weight": [D / 2] });
    assert.deepEqual(
      frequencies({ ...divided, ropeDivisors: new Map([["rope_freqs.weight", Float32Array.of(1, 4)]]) }),
      [1, 0.0025],
    );
    assert.throws(() => readModel(divided), refusal(FormatError, /rope_freqs.weight is "not read"/));
  });

  test("a part of the columns is rotated where the config says so, in each of its places", () => {
    assert.deepEqual(frequencies(hf({ partial_rotary_factor: 0.5 })), [1]);
    assert.deepEqual(frequencies(hf({ rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 0.5 } })), [1]);
    const qwen = Object.entries(ggufConfig).map(([key, value]) => [key.replace("llama.", "qwen3."), value]);
    const part = { ...Object.fromEntries(qwen), "general.architecture": "qwen3", "qwen3.rope.dimension_count": 2 };
    const norms = { "blk.0.attn_q_norm.weight": [D], "blk.0.attn_k_norm.weight": [D] };
    assert.deepEqual(frequencies({ ...gguf({}, { ...ggufShapes, ...norms }), config: part }), [1]);
  });

  test("a scaling that tells what the window was before makes it as long as it says", () => {
    const windowOf = (config: Config): number => readModel(hf(config)).window;
    const yarn = { rope_type: "yarn", factor: 4 };
    assert.equal(windowOf({ rope_scaling: yarn }), 256);
    assert.equal(windowOf({ rope_scaling: { ...yarn, original_max_position_embeddings: 32 } }), 128);
    assert.equal(windowOf({ rope_scaling: { ...yarn, original_max_position_embeddings: 8 } }), 64);
    assert.equal(windowOf({ rope_scaling: { type: "dynamic", factor: 2 } }), 128);
    assert.equal(windowOf({ rope_scaling: { type: "linear", factor: 4 } }), 64); // its window is mostly the new one
    const llama3 = { rope_type: "llama3", factor: 32, low_freq_factor: 1, high_freq_factor: 4 };
    assert.equal(windowOf({ rope_scaling: { ...llama3, original_max_position_embeddings: 32 } }), 64);
    const keys = { "llama.rope.scaling.type": "yarn", "llama.rope.scaling.factor": 4 };
    assert.equal(readModel(gguf({ ...keys, "llama.rope.scaling.original_context_length": 32 })).window, 128);
  });

  test("what cos and sin are multiplied by, as either kind of file says it", () => {
    const magnitudeOf = (facts: ModelFacts): number => readModel(facts).ropes[0].magnitude;
    const yarn = { rope_type: "yarn", factor: 4 };
    const byDefault = 0.1 * Math.log(4) + 1;
    assert.equal(magnitudeOf(hf({ rope_scaling: yarn })), byDefault);
    assert.equal(magnitudeOf(hf({ rope_scaling: { ...yarn, attention_factor: 1.25 } })), 1.25);
    assert.equal(magnitudeOf(hf({ rope_scaling: { ...yarn, mscale: 0.7, mscale_all_dim: 0.7 } })), 1);
    assert.equal(magnitudeOf(hf({ rope_scaling: { ...yarn, mscale: 1, mscale_all_dim: 0 } })), byDefault);
    const keys = { "llama.rope.scaling.type": "yarn", "llama.rope.scaling.factor": 4 };
    assert.equal(magnitudeOf(gguf(keys)), byDefault);
    assert.equal(magnitudeOf(gguf({ ...keys, "llama.rope.scaling.yarn_attn_factor": 1.25 })), 1.25);
    assert.equal(magnitudeOf(gguf({ ...keys, "llama.rope.scaling.yarn_log_multiplier": 1 })), 1);
    assert.equal(magnitudeOf(gguf({ "llama.rope.scaling.attn_factor": 1.5 })), 1.5);
  });

  test("longrope's divisors are lists in a config, tensors in GGUF", () => {
    const lists = { type: "su", short_factor: [1, 2], long_factor: [2, 8] };
    const fromHf = readModel(hf({ rope_scaling: lists, original_max_position_embeddings: 16 })).ropes[0];
    assert.deepEqual([...fromHf.frequencies, ...fromHf.longer![0].frequencies], [1, 0.005, 0.5, 0.00125]);
    assert.deepEqual([fromHf.longer![0].beyond, fromHf.magnitude], [16, Math.sqrt(1.5)]);
    const shapes = { ...ggufShapes, "rope_factors_short.weight": [D / 2], "rope_factors_long.weight": [D / 2] };
    const keys = { "llama.rope.scaling.original_context_length": 16, "llama.rope.scaling.attn_factor": Math.sqrt(1.5) };
    const ropeDivisors = new Map([
      ["rope_factors_short.weight", Float32Array.of(1, 2)],
      ["rope_factors_long.weight", Float32Array.of(2, 8)],
    ]);
    const fromGguf = readModel({ ...gguf(keys, shapes), ropeDivisors }).ropes[0];
    assert.deepEqual({ ...fromGguf, scaling: undefined }, { ...fromHf, scaling: undefined });
    assert.throws(() => readModel(gguf(keys, shapes)), refusal(FormatError, /rope_factors_short.weight is "not read"/));
  });

  test("qwen2 slides only where its config says so, by its rule or layer by layer", () => {
    const biases = Object.fromEntries(
      ["q", "k", "v"].map((part) => [`model.layers.0.self_attn.${part}_proj.bias`, part === "q" ? [2 * D] : [D]]),
    );
    const windowOf = (config: Config): number | undefined =>
      readModel(hf({ model_type: "qwen2", ...config }, { ...hfShapes, ...biases })).cacheGroups[0].window;
    assert.equal(windowOf({ sliding_window: 16 }), undefined);
    assert.equal(windowOf({ sliding_window: 16, use_sliding_window: true }), undefined); // from layer 28 on
    assert.equal(windowOf({ sliding_window: 16, use_sliding_window: true, max_window_layers: 0 }), 16);
    assert.equal(windowOf({ sliding_window: 16, use_sliding_window: true, layer_types: ["sliding_attention"] }), 16);
    assert.equal(windowOf({ sliding_window: null, use_sliding_window: true, max_window_layers: 0 }), undefined);
    assert.throws(
      () => windowOf({ use_sliding_window: false, layer_types: ["sliding_attention"] }),
      refusal(FormatError, /sliding_window is "missing"/),
    );
  });
});

describe("what is refused", () => {
  test("a family nobody knows, listing those known", () => {
    const known = /knows llama, .*qwen3, .*gemma3_text, .*phi3, .*gpt2/;
    assert.throws(() => readModel(hf({ model_type: "mamba" })), refusal(UnsupportedError, known));
    assert.throws(() => readModel(hf({ model_type: undefined })), refusal(UnsupportedError, known));
    assert.throws(
      () => readModel(gguf({ "general.architecture": "toString" })),
      refusal(UnsupportedError, /knows llama, .*qwen3, .*gemma3, .*phi3, .*gpt2/),
    );
  });

  const options: Readonly<Record<string, [ModelFacts, RegExp]>> = {
    "another activation": [hf({ hidden_act: "gelu" }), /hidden_act is "gelu"; Liang can do "silu"/],
    "quantized checkpoints": [hf({ quantization_config: { bits: 4 } }), /quantization_config is set/],
    "a scaling nobody knows": [
      hf({ rope_scaling: { type: "ntk", factor: 4 } }),
      /scaling ntk .* linear, dynamic, llama3/,
    ],
    "a rope of several positions": [hf({ rope_scaling: { type: "default", mrope_section: [1, 1] } }), /mrope_section/],
    "a scaling named as an object's method": [hf({ rope_scaling: { type: "constructor" } }), /constructor/],
    "a scaling nobody knows in GGUF": [
      gguf({ "llama.rope.scaling.type": "ntk" }),
      /scaling ntk .* linear, dynamic, yarn/,
    ],
    "partial rotation of permuted rows": [gguf({ "llama.rope.dimension_count": 2 }), /dimension_count is 2/],
    "scaled logits": [gguf({ "llama.logit_scale": 0.1 }), /llama.logit_scale/],
  };
  for (const [name, [facts, message]] of Object.entries(options)) {
    test(`${name}, naming the option`, () => {
      assert.throws(() => readModel(facts), refusal(UnsupportedError, message));
    });
  }

  const broken: Readonly<Record<string, [ModelFacts, RegExp]>> = {
    "a missing size": [hf({ hidden_size: undefined }), /hidden_size is "missing"/],
    "a size that is text": [hf({ hidden_size: "8" }), /hidden_size is "8"/],
    "a size beyond all bounds": [hf({ hidden_size: 2 ** 40 }), /hidden_size/],
    "a million layers": [hf({ num_hidden_layers: 1e6 }), /num_hidden_layers is 1000000/],
    "key-value heads that do not divide": [hf({ num_attention_heads: 4, num_key_value_heads: 3 }), /key-value heads/],
    "an odd head size": [hf({ head_dim: 3 }), /head size/],
    "a rotated part that is odd": [hf({ partial_rotary_factor: 0.25 }), /partial_rotary_factor is 0.25/],
    "longrope without its divisors": [hf({ rope_scaling: { type: "longrope" } }), /short_factor is "missing"/],
    "heads that do not divide the width": [hf({ num_attention_heads: 3, num_key_value_heads: 3 }), /head_dim/],
    "an epsilon of zero": [hf({ rms_norm_eps: 0 }), /rms_norm_eps/],
    "scaling without a factor": [hf({ rope_scaling: { type: "linear" } }), /factor is "missing"/],
    "scaling that is no object": [hf({ rope_scaling: "linear" }), /rope_scaling/],
    "a bigint that is no size": [gguf({ "llama.block_count": 2n ** 60n }), /llama.block_count/],
    "heads that differ from layer to layer": [
      gguf({ "llama.attention.head_count_kv": Uint32Array.of(1, 2) }),
      /head_count_kv/,
    ],
    "a missing tensor": [hf({}, without("model.layers.0.mlp.up_proj.weight")), /mlp.up_proj.weight is "missing"/],
    "a tensor of another shape": [
      hf({}, { ...hfShapes, "model.norm.weight": [C + 1] }),
      /shape of model.norm.weight is \[9\], expected \[8\]/,
    ],
    "a bias promised but missing": [hf({ attention_bias: true }), /q_proj.bias is "missing"/],
  };
  for (const [name, [facts, message]] of Object.entries(broken)) {
    test(`${name}, naming the field`, () => {
      assert.throws(() => readModel(facts), refusal(FormatError, message));
    });
  }

  test("tensors that no row uses, named, the first five of them", () => {
    const extra = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`model.extra.${i}`, [1]]));
    assert.throws(
      () => readModel(hf({}, { ...hfShapes, ...extra })),
      refusal(UnsupportedError, /7 tensors .* llama: model.extra.0, .*model.extra.4, \.\.\./),
    );
    const bias = { "model.layers.0.self_attn.q_proj.bias": [2 * D] };
    assert.throws(() => readModel(hf({}, { ...hfShapes, ...bias })), refusal(UnsupportedError, /q_proj.bias/));
  });
});

function without(name: keyof typeof hfShapes): Readonly<Record<string, readonly number[]>> {
  const { [name]: _, ...rest } = hfShapes;
  return rest;
}

test("a model that is to be made has what the same model's file would have", () => {
  const read = readModel({ file: "f", kind: "hf", config: hfConfig, tensors: tensors(hfShapes) });
  const made = newModel(hfConfig);
  assert.deepEqual([...made.parameters], [...read.parameters]);
  const few = { ...hfConfig, num_hidden_layers: 1000 };
  assert.throws(() => readModel({ file: "f", kind: "hf", config: few, tensors: tensors(hfShapes) }), FormatError);
  assert.equal(newModel(few).parameters.size, 3 + 9 * 1000);
});
