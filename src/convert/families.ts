// What each family is called in config.json and in GGUF metadata, one row each; tensors' names are the loading maps'
// business (tensors.ts). Sizes come from the model itself, so a row has only names, constants, and what the other form
// has no word for.
import { UnsupportedError } from "../base/errors.ts";
import type { Model } from "../models/index.ts";
import { deepseekToGguf, deepseekToHf, latentHeads } from "./deepseek.ts";
import { expertsToGguf, mixtralToHf, qwenExpertsToHf } from "./experts.ts";
import type { FamilyForms, SizeNames } from "./forms.ts";
import { baichuanToGguf, baichuanToHf } from "./baichuan.ts";
import { flag } from "./entries.ts";
import { gemma2ToGguf, gemma2ToHf, gemma3ToGguf, gemma3ToHf } from "./gemma.ts";
import { chatglmToGguf, chatglmToHf, glmToHf } from "./glm.ts";
import { GPT_OSS_GATE, gptOssToGguf, gptOssToHf } from "./gpt-oss.ts";
import { hunyuanMoeToGguf, hunyuanMoeToHf, hunyuanToHf } from "./hunyuan.ts";
import { phi3ToGguf, phi3ToHf, windowToGguf, windowToHf } from "./one-window.ts";
import { T5_MAX_DISTANCE, t5ToGguf, t5ToHf } from "./t5.ts";

const plainNames: SizeNames = {
  window: "max_position_embeddings",
  width: "hidden_size",
  layers: "num_hidden_layers",
  heads: "num_attention_heads",
  forwardWidth: "intermediate_size",
  epsilon: "rms_norm_eps",
};
const llamaNames: SizeNames = { ...plainNames, kvHeads: "num_key_value_heads", headSize: "head_dim" };
const phi3Names: SizeNames = { ...plainNames, kvHeads: "num_key_value_heads" }; // the width of a head is not said
const rmsEpsilon = { gguf: "attention.layer_norm_rms_epsilon", byDefault: 1e-6 };
/** What most families call their sizes, and take where a config says none. */
const llamaLike = { names: llamaNames, epsilon: rmsEpsilon, ropeBase: 10_000 };

/** Both generations; what they keep of a token is no head's keys and values, so these sizes are its own to say. */
function deepseek(hf: string, architecture: string): FamilyForms {
  const { kvHeads: _, headSize: __, ...names } = llamaNames;
  return {
    hf,
    gguf: "deepseek2",
    architecture,
    names,
    epsilon: rmsEpsilon,
    constants: { hidden_act: "silu" },
    hfOnly: { rope_interleave: [true] },
    biases: { attention_bias: "layers.0.attention.output.bias" },
    heads: latentHeads,
    toGguf: deepseekToGguf,
    toHf: deepseekToHf,
  };
}

const t5 = (hf: string, architecture: string): FamilyForms => ({
  hf,
  gguf: "t5",
  architecture,
  names: {
    window: "n_positions",
    width: "d_model",
    layers: "num_decoder_layers",
    heads: "num_heads",
    forwardWidth: "d_ff",
    epsilon: "layer_norm_epsilon",
    headSize: "d_kv",
  },
  epsilon: { gguf: "attention.layer_norm_rms_epsilon", byDefault: 1e-6 },
  constants: { is_encoder_decoder: true, relative_attention_max_distance: T5_MAX_DISTANCE },
  // GGUF has no word for it; llama.cpp takes it for granted
  hfOnly: { relative_attention_max_distance: [T5_MAX_DISTANCE] },
  biases: {},
  toGguf: t5ToGguf,
  toHf: t5ToHf,
});

const families: readonly FamilyForms[] = [
  {
    hf: "llama",
    gguf: "llama",
    architecture: "LlamaForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu" },
    hfOnly: {},
    biases: { attention_bias: "layers.0.attention.query.bias", mlp_bias: "layers.0.mlp.up.bias" },
  },
  {
    hf: "mistral",
    gguf: "llama",
    architecture: "MistralForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu" },
    hfOnly: {},
    biases: {},
    toGguf: windowToGguf,
    toHf: windowToHf,
  },
  {
    hf: "qwen2",
    gguf: "qwen2",
    architecture: "Qwen2ForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu", use_sliding_window: false },
    hfOnly: { use_sliding_window: [false] },
    biases: {},
  },
  {
    hf: "qwen3",
    gguf: "qwen3",
    architecture: "Qwen3ForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu", use_sliding_window: false },
    hfOnly: { use_sliding_window: [false] },
    biases: { attention_bias: "layers.0.attention.query.bias" },
  },
  {
    hf: "mixtral",
    gguf: "llama",
    architecture: "MixtralForCausalLM",
    names: llamaNames,
    epsilon: { ...rmsEpsilon, byDefault: 1e-6 },
    ropeBase: 10_000,
    constants: { hidden_act: "silu", sliding_window: null },
    hfOnly: { sliding_window: [] },
    biases: {},
    toGguf: expertsToGguf,
    toHf: mixtralToHf,
  },
  {
    hf: "qwen2_moe",
    gguf: "qwen2moe",
    architecture: "Qwen2MoeForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu", use_sliding_window: false, norm_topk_prob: false },
    hfOnly: { use_sliding_window: [false], norm_topk_prob: [false] },
    biases: { qkv_bias: "layers.0.attention.query.bias" },
    toGguf: expertsToGguf,
    toHf: qwenExpertsToHf,
  },
  {
    hf: "qwen3_moe",
    gguf: "qwen3moe",
    architecture: "Qwen3MoeForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu", use_sliding_window: false, norm_topk_prob: true },
    hfOnly: { use_sliding_window: [false], norm_topk_prob: [true] },
    biases: { attention_bias: "layers.0.attention.query.bias" },
    toGguf: expertsToGguf,
    toHf: qwenExpertsToHf,
  },
  {
    hf: "gemma",
    gguf: "gemma",
    architecture: "GemmaForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "gelu_pytorch_tanh", hidden_activation: "gelu_pytorch_tanh", attention_bias: false },
    hfOnly: { attention_bias: [false] },
    biases: {},
  },
  {
    hf: "gemma2",
    gguf: "gemma2",
    architecture: "Gemma2ForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "gelu_pytorch_tanh", hidden_activation: "gelu_pytorch_tanh", attention_bias: false },
    hfOnly: { attention_bias: [false] },
    biases: {},
    toGguf: gemma2ToGguf,
    toHf: gemma2ToHf,
  },
  {
    hf: "gemma3_text",
    gguf: "gemma3",
    architecture: "Gemma3ForCausalLM",
    names: llamaNames,
    epsilon: rmsEpsilon,
    ropeBase: 1_000_000,
    constants: { hidden_activation: "gelu_pytorch_tanh", attention_bias: false },
    hfOnly: { attention_bias: [false] },
    biases: {},
    toGguf: gemma3ToGguf,
    toHf: gemma3ToHf,
  },
  deepseek("deepseek_v2", "DeepseekV2ForCausalLM"),
  deepseek("deepseek_v3", "DeepseekV3ForCausalLM"),
  {
    hf: "phi3",
    gguf: "phi3",
    architecture: "Phi3ForCausalLM",
    names: phi3Names,
    epsilon: { gguf: "attention.layer_norm_rms_epsilon", byDefault: 1e-5 },
    ropeBase: 10_000,
    constants: { hidden_act: "silu" },
    hfOnly: {},
    biases: {},
    toGguf: phi3ToGguf,
    toHf: phi3ToHf,
  },
  {
    hf: "gpt2",
    gguf: "gpt2",
    architecture: "GPT2LMHeadModel",
    names: {
      window: "n_positions",
      width: "n_embd",
      layers: "n_layer",
      heads: "n_head",
      forwardWidth: "n_inner",
      epsilon: "layer_norm_epsilon",
    },
    epsilon: { gguf: "attention.layer_norm_epsilon", byDefault: 1e-5 },
    constants: { activation_function: "gelu_new" },
    hfOnly: { scale_attn_weights: [true], scale_attn_by_inverse_layer_idx: [false] },
    biases: {},
  },
  t5("t5", "T5ForConditionalGeneration"),
  t5("mt5", "MT5ForConditionalGeneration"),
  {
    hf: "baichuan",
    gguf: "baichuan",
    architecture: "BaichuanForCausalLM",
    names: plainNames,
    epsilon: rmsEpsilon,
    ropeBase: 10_000,
    constants: { hidden_act: "silu" },
    hfOnly: {},
    biases: {},
    toGguf: baichuanToGguf,
    toHf: baichuanToHf,
  },
  {
    hf: "chatglm",
    gguf: "chatglm",
    architecture: "ChatGLMModel",
    names: {
      window: "seq_length",
      width: "hidden_size",
      layers: "num_layers",
      heads: "num_attention_heads",
      forwardWidth: "ffn_hidden_size",
      epsilon: "layernorm_epsilon",
      kvHeads: "multi_query_group_num",
      headSize: "kv_channels",
    },
    epsilon: { ...rmsEpsilon, byDefault: 1e-5 },
    constants: {
      add_bias_linear: false,
      apply_residual_connection_post_layernorm: false,
      multi_query_attention: true,
      original_rope: true,
      post_layer_norm: true,
      rmsnorm: true,
    },
    hfOnly: {},
    biases: { add_qkv_bias: "layers.0.attention.query.bias" },
    toGguf: chatglmToGguf,
    toHf: chatglmToHf,
  },
  {
    hf: "glm",
    gguf: "chatglm",
    architecture: "GlmForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu" },
    hfOnly: {},
    biases: { attention_bias: "layers.0.attention.query.bias" },
    toHf: glmToHf,
  },
  {
    hf: "glm4",
    gguf: "glm4",
    architecture: "Glm4ForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu" },
    hfOnly: {},
    biases: { attention_bias: "layers.0.attention.query.bias" },
    toHf: glmToHf,
  },
  {
    hf: "gpt_oss",
    gguf: "gpt-oss",
    architecture: "GptOssForCausalLM",
    names: llamaNames,
    epsilon: { ...rmsEpsilon, byDefault: 1e-5 },
    ropeBase: 150_000,
    yarnTruncates: false,
    constants: { hidden_act: "silu", attention_bias: true, ...GPT_OSS_GATE },
    hfOnly: { swiglu_limit: [GPT_OSS_GATE.swiglu_limit], swiglu_alpha: [GPT_OSS_GATE.swiglu_alpha] },
    biases: {},
    toGguf: gptOssToGguf,
    toHf: gptOssToHf,
  },
  {
    hf: "hunyuan_v1_dense",
    gguf: "hunyuan-dense",
    architecture: "HunYuanDenseV1ForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu" },
    hfOnly: {},
    biases: { attention_bias: "layers.0.attention.query.bias" },
    toHf: hunyuanToHf,
  },
  {
    hf: "hunyuan_v1_moe",
    gguf: "hunyuan-moe",
    architecture: "HunYuanMoEV1ForCausalLM",
    ...llamaLike,
    constants: { hidden_act: "silu" },
    hfOnly: {},
    biases: { attention_bias: "layers.0.attention.query.bias" },
    toGguf: hunyuanMoeToGguf,
    toHf: hunyuanMoeToHf,
  },
];

const encoderNames: SizeNames = { ...plainNames, epsilon: "layer_norm_eps" };

/** GGUF has no names for it. */
const HEAD = "the head for hidden tokens";

const encoder = (hf: string, architecture: string, afterPadding: number, left: string): FamilyForms => ({
  hf,
  gguf: "bert",
  architecture,
  names: encoderNames,
  epsilon: { gguf: "attention.layer_norm_epsilon", byDefault: 1e-12 },
  constants: { hidden_act: "gelu", position_embedding_type: "absolute" },
  hfOnly: { hidden_act: ["gelu"] },
  biases: {},
  left,
  toGguf: () => [["attention.causal", flag(false)]],
  toHf: ({ model }) => ({
    architectures: [
      `${architecture.replace(/For\w+$/, "")}${model.heads.scores === undefined ? "Model" : "ForSequenceClassification"}`,
    ],
    max_position_embeddings: model.window + afterPadding,
    type_vocab_size: model.parameters.get("segments.weight")?.rows,
    ...(afterPadding > 0 && { pad_token_id: afterPadding - 1 }),
    ...(model.heads.scores !== undefined && { num_labels: model.parameters.get("classifier.weight")?.rows }),
  }),
});

const encoders: readonly FamilyForms[] = [
  encoder("bert", "BertForMaskedLM", 0, HEAD),
  encoder("roberta", "RobertaForMaskedLM", 2, HEAD),
  encoder("xlm-roberta", "XLMRobertaForMaskedLM", 2, HEAD),
];

/** Families that llama.cpp has no architecture for. */
const withoutGguf: Readonly<Record<string, string>> = {
  "openai-gpt": "GGUF has no architecture for GPT-1, whose norms stand after its layers",
  marian: "GGUF has no architecture for Marian's translators",
};

/** The row of a model's family. Throws UnsupportedError when it has none. */
export function formsOf({ family }: Pick<Model, "family">): FamilyForms {
  const row = [...families, ...encoders].find(({ hf }) => hf === family);
  if (row !== undefined) return row;
  const reason = withoutGguf[family];
  if (reason !== undefined) {
    throw new UnsupportedError(`${reason}, so there is no file to convert the model to.`, {
      hint: "Liang runs the folder itself.",
    });
  }
  throw new UnsupportedError(`Models of the family ${family} cannot be converted yet.`, {
    hint: `Known: ${families.map(({ hf }) => hf).join(", ")}.`,
  });
}
