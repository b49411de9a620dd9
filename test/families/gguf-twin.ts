// Turns an HF model into what llama.cpp's converter makes of it, written here from its conventions alone, so that the
// loading maps are held against something that is not Liang's own converter. Source: convert_hf_to_gguf.py's rules.
import type { GgufEntry } from "../../src/format/gguf-types.ts";
import { latentTwin } from "./deepseek-twin.ts";
import { gptOssTwin } from "./gpt-oss-twin.ts";
import type { Tensors, Values } from "./memory-files.ts";
import { type HfConfig, type TwinRule, expertTensors, llamaFloats, llamaNames, llamaSizes } from "./twin-rule.ts";

export type { HfConfig } from "./twin-rule.ts";

const headSizes = { "attention.key_length": "head_dim", "attention.value_length": "head_dim" };
const halfRotated = (config: HfConfig): Readonly<Record<string, number>> => ({
  "rope.dimension_count": config.head_dim / 2,
});

const gemmaOutNorms = {
  "model.layers.N.post_attention_layernorm": "blk.N.post_attention_norm",
  "model.layers.N.pre_feedforward_layernorm": "blk.N.ffn_norm",
  "model.layers.N.post_feedforward_layernorm": "blk.N.post_ffw_norm",
};

const expertSizes = {
  expert_used_count: "num_experts_per_tok",
  expert_feed_forward_length: "moe_intermediate_size",
};

const hunyuan: Pick<TwinRule, "floats" | "bases" | "names"> = {
  floats: { "attention.layer_norm_rms_epsilon": "rms_norm_eps" },
  bases: (config) => ({
    "rope.freq_base":
      config.rope_theta *
      (config.rope_scaling as unknown as { alpha: number }).alpha ** (config.head_dim / (config.head_dim - 2)),
  }),
  names: {
    ...llamaNames,
    ...expertTensors,
    "model.layers.N.self_attn.query_layernorm": "blk.N.attn_q_norm",
    "model.layers.N.self_attn.key_layernorm": "blk.N.attn_k_norm",
    "model.layers.N.mlp.gate.wg": "blk.N.ffn_gate_inp",
    "model.layers.N.mlp.shared_mlp.gate_proj": "blk.N.ffn_gate_shexp",
    "model.layers.N.mlp.shared_mlp.up_proj": "blk.N.ffn_up_shexp",
    "model.layers.N.mlp.shared_mlp.down_proj": "blk.N.ffn_down_shexp",
  },
};

export const twinRules: Readonly<Record<string, TwinRule>> = {
  llama: {
    architecture: "llama",
    sizes: { ...llamaSizes, "rope.dimension_count": "head_dim", vocab_size: "vocab_size" },
    floats: llamaFloats,
    names: llamaNames,
    change(name, tensor, config) {
      if (name.includes(".q_proj.")) return interleaved(tensor, config.num_attention_heads);
      return name.includes(".k_proj.") ? interleaved(tensor, config.num_key_value_heads) : tensor;
    },
  },
  mistral: {
    architecture: "llama",
    sizes: { ...llamaSizes, ...headSizes, "rope.dimension_count": "head_dim", vocab_size: "vocab_size" },
    floats: llamaFloats,
    // llama.cpp's converter forgets the window; Liang's says it under the name that other families have for it
    more: ({ sliding_window }) => ({ "attention.sliding_window": { type: "u32", value: sliding_window } }),
    names: llamaNames,
    change: (name, tensor, config) => twinRules.llama.change!(name, tensor, config),
  },
  deepseek_v2: latentTwin(true),
  deepseek_v3: latentTwin(true),
  gemma: {
    architecture: "gemma",
    sizes: { ...llamaSizes, ...headSizes },
    floats: llamaFloats,
    names: llamaNames,
    change: plusOne,
  },
  gemma2: {
    architecture: "gemma2",
    sizes: { ...llamaSizes, ...headSizes, "attention.sliding_window": "sliding_window" },
    floats: {
      ...llamaFloats,
      attn_logit_softcapping: "attn_logit_softcapping",
      final_logit_softcapping: "final_logit_softcapping",
    },
    names: { ...llamaNames, ...gemmaOutNorms },
    change: plusOne,
  },
  phi3: {
    architecture: "phi3",
    sizes: { ...llamaSizes, "rope.scaling.original_context_length": "original_max_position_embeddings" },
    floats: llamaFloats,
    more: ({ hidden_size, num_attention_heads, partial_rotary_factor, sliding_window, rope_scaling, ...config }) => ({
      "rope.dimension_count": { type: "u32", value: (partial_rotary_factor * hidden_size) / num_attention_heads },
      "attention.sliding_window": { type: "u32", value: sliding_window ?? 0 },
      ...((rope_scaling as unknown) !== null && {
        "rope.scaling.attn_factor": { type: "f32", value: longropeFactor(config) },
      }),
    }),
    names: {
      ...llamaNames,
      "model.layers.N.self_attn.qkv_proj": "blk.N.attn_qkv",
      "model.layers.N.mlp.gate_up_proj": "blk.N.ffn_up",
    },
  },
  qwen2: { architecture: "qwen2", sizes: llamaSizes, floats: llamaFloats, names: llamaNames },
  mixtral: {
    architecture: "llama",
    sizes: {
      ...llamaSizes,
      expert_count: "num_local_experts",
      expert_used_count: "num_experts_per_tok",
      expert_feed_forward_length: "intermediate_size",
    },
    floats: llamaFloats,
    names: {
      ...llamaNames,
      "model.layers.N.block_sparse_moe.gate": "blk.N.ffn_gate_inp",
      "model.layers.N.block_sparse_moe.experts.E.w1": "blk.N.ffn_gate_exps",
      "model.layers.N.block_sparse_moe.experts.E.w3": "blk.N.ffn_up_exps",
      "model.layers.N.block_sparse_moe.experts.E.w2": "blk.N.ffn_down_exps",
    },
    change(name, tensor, config) {
      if (name.includes(".q_proj.")) return interleaved(tensor, config.num_attention_heads);
      return name.includes(".k_proj.") ? interleaved(tensor, config.num_key_value_heads) : tensor;
    },
  },
  qwen2_moe: {
    architecture: "qwen2moe",
    sizes: {
      ...llamaSizes,
      ...expertSizes,
      expert_count: "num_experts",
      expert_shared_feed_forward_length: "shared_expert_intermediate_size",
    },
    floats: llamaFloats,
    names: {
      ...llamaNames,
      ...expertTensors,
      "model.layers.N.mlp.shared_expert.gate_proj": "blk.N.ffn_gate_shexp",
      "model.layers.N.mlp.shared_expert.up_proj": "blk.N.ffn_up_shexp",
      "model.layers.N.mlp.shared_expert.down_proj": "blk.N.ffn_down_shexp",
      "model.layers.N.mlp.shared_expert_gate": "blk.N.ffn_gate_inp_shexp",
    },
    change: (name, { shape, values }) => ({
      shape: name.includes("shared_expert_gate") ? shape.slice(1) : shape,
      values,
    }),
  },
  qwen3_moe: {
    architecture: "qwen3moe",
    sizes: { ...llamaSizes, ...headSizes, ...expertSizes, expert_count: "num_local_experts" },
    floats: llamaFloats,
    names: { ...llamaNames, ...expertTensors },
  },
  qwen3: { architecture: "qwen3", sizes: { ...llamaSizes, ...headSizes }, floats: llamaFloats, names: llamaNames },
  gemma3_text: {
    architecture: "gemma3",
    sizes: { ...llamaSizes, ...headSizes, "attention.sliding_window": "sliding_window" },
    floats: llamaFloats,
    names: { ...llamaNames, ...gemmaOutNorms },
    change: plusOne,
  },
  gpt2: {
    architecture: "gpt2",
    sizes: {
      context_length: "n_positions",
      embedding_length: "n_embd",
      block_count: "n_layer",
      feed_forward_length: "n_inner",
      "attention.head_count": "n_head",
    },
    floats: { "attention.layer_norm_epsilon": "layer_norm_epsilon" },
    names: {
      "transformer.wte": "token_embd",
      "transformer.wpe": "position_embd",
      "transformer.ln_f": "output_norm",
      "transformer.h.N.ln_1": "blk.N.attn_norm",
      "transformer.h.N.ln_2": "blk.N.ffn_norm",
      "transformer.h.N.attn.c_attn": "blk.N.attn_qkv",
      "transformer.h.N.attn.c_proj": "blk.N.attn_output",
      "transformer.h.N.mlp.c_fc": "blk.N.ffn_up",
      "transformer.h.N.mlp.c_proj": "blk.N.ffn_down",
    },
    change: (name, tensor) => (/\.c_\w+\.weight$/.test(name) ? transposed(tensor) : tensor),
  },
  baichuan: {
    architecture: "baichuan",
    sizes: {
      embedding_length: "hidden_size",
      block_count: "num_hidden_layers",
      feed_forward_length: "intermediate_size",
      "attention.head_count": "num_attention_heads",
    },
    floats: { "attention.layer_norm_rms_epsilon": "rms_norm_eps" },
    names: llamaNames,
    counts: (config) => ({ context_length: config.max_position_embeddings ?? config.model_max_length }),
    // llama.cpp knows the 13B models by their layers
    bases: (config): Readonly<Record<string, number>> =>
      String(config.position_embedding) === "ALIBI" ? { "attention.max_alibi_bias": 8 } : {},
    // not the converter's: the users of generation 2 divide its head's rows themselves, before they convert
    change: (name, tensor, config) => (name === "lm_head.weight" && config.norm_head ? ofUnitRows(tensor) : tensor),
    split(name, { shape: [rows, columns], values }, { num_attention_heads: heads }) {
      const layer = /layers\.(\d+)\.self_attn\.W_pack/.exec(name)?.[1];
      if (layer === undefined) return undefined;
      const third = (i: number): Values => ({
        shape: [rows / 3, columns],
        values: values.slice((i * values.length) / 3, ((i + 1) * values.length) / 3),
      });
      const [query, key] = [0, 1].map((i) => interleaved(third(i), heads));
      return Object.fromEntries(
        Object.entries({ q: query, k: key, v: third(2) }).map(([part, tensor]) => [
          `blk.${layer}.attn_${part}.weight`,
          tensor,
        ]),
      );
    },
  },
  chatglm: {
    architecture: "chatglm",
    sizes: {
      context_length: "seq_length",
      embedding_length: "hidden_size",
      block_count: "num_layers",
      feed_forward_length: "ffn_hidden_size",
      "attention.head_count": "num_attention_heads",
      "attention.head_count_kv": "multi_query_group_num",
      "attention.key_length": "kv_channels",
      "attention.value_length": "kv_channels",
    },
    floats: { "attention.layer_norm_rms_epsilon": "layernorm_epsilon" },
    counts: ({ kv_channels: size }) => ({ "rope.dimension_count": size / 2 }),
    bases: ({ rope_ratio: ratio = 1 }) => ({ "rope.freq_base": 10_000 * ratio }),
    names: {
      "transformer.embedding.word_embeddings": "token_embd",
      "transformer.encoder.final_layernorm": "output_norm",
      "transformer.output_layer": "output",
      "transformer.encoder.layers.N.input_layernorm": "blk.N.attn_norm",
      "transformer.encoder.layers.N.post_attention_layernorm": "blk.N.ffn_norm",
      "transformer.encoder.layers.N.self_attention.query_key_value": "blk.N.attn_qkv",
      "transformer.encoder.layers.N.self_attention.dense": "blk.N.attn_output",
      "transformer.encoder.layers.N.mlp.dense_h_to_4h": "blk.N.ffn_up",
      "transformer.encoder.layers.N.mlp.dense_4h_to_h": "blk.N.ffn_down",
    },
  },
  glm: {
    architecture: "chatglm",
    sizes: { ...llamaSizes, ...headSizes },
    floats: llamaFloats,
    counts: halfRotated,
    names: { ...llamaNames, "model.layers.N.mlp.gate_up_proj": "blk.N.ffn_up" },
  },
  glm4: {
    architecture: "glm4",
    sizes: { ...llamaSizes, ...headSizes },
    floats: llamaFloats,
    counts: halfRotated,
    names: {
      ...llamaNames,
      "model.layers.N.mlp.gate_up_proj": "blk.N.ffn_up",
      "model.layers.N.post_self_attn_layernorm": "blk.N.post_attention_norm",
      "model.layers.N.post_mlp_layernorm": "blk.N.post_ffw_norm",
    },
  },
  gpt_oss: gptOssTwin,
  hunyuan_v1_dense: { architecture: "hunyuan-dense", sizes: { ...llamaSizes, ...headSizes }, ...hunyuan },
  hunyuan_v1_moe: {
    architecture: "hunyuan-moe",
    sizes: {
      ...llamaSizes,
      ...headSizes,
      expert_count: "num_experts",
      expert_used_count: "moe_topk",
      expert_feed_forward_length: "intermediate_size",
      expert_shared_feed_forward_length: "intermediate_size",
    },
    counts: () => ({ expert_shared_count: 1 }),
    ...hunyuan,
  },
};

function ofUnitRows({ shape: [rows, columns], values }: Values): Values {
  const result = values.slice();
  for (let row = 0; row < rows; row++) {
    const numbers = result.subarray(row * columns, (row + 1) * columns);
    const length = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
    numbers.set(numbers.map((value) => value / length));
  }
  return { shape: [rows, columns], values: result };
}

/** (H, 2, D/2, K) -> (H, D/2, 2, K): llama.cpp rotates neighbours, HF rotates halves. */
function interleaved({ shape, values }: Values, heads: number): Values {
  const [outer, inner = 1] = shape;
  const half = outer / heads / 2;
  const result = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let part = 0; part < 2; part++) {
      for (let i = 0; i < half; i++) {
        const from = (head * 2 * half + part * half + i) * inner;
        const to = (head * 2 * half + i * 2 + part) * inner;
        result.set(values.subarray(from, from + inner), to);
      }
    }
  }
  return { shape, values: result };
}

/** Gemma's gains, which HF holds less 1. */
function plusOne(name: string, { shape, values }: Values): Values {
  return { shape, values: name.endsWith("norm.weight") ? values.map((value) => value + 1) : values };
}

function longropeFactor({ max_position_embeddings: window, original_max_position_embeddings: old }: HfConfig): number {
  return Math.fround(Math.sqrt(1 + Math.log(window / old) / Math.log(old)));
}

function transposed({ shape: [rows, columns], values }: Values): Values {
  const result = Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
  return { shape: [columns, rows], values: result };
}

type Scaling = Readonly<Record<string, number>>;

/** Tensors of what llama.cpp divides the frequencies by. */
function ropeDivisors(config: HfConfig, scaling: Scaling): (readonly [name: string, values: Values])[] {
  const { short_factor, long_factor } = scaling as unknown as Record<string, number[] | undefined>;
  if ("low_freq_factor" in scaling) return [["rope_freqs.weight", llama3Divisors(config, scaling)]];
  if (short_factor === undefined || long_factor === undefined) return [];
  return Object.entries({ long: long_factor, short: short_factor }).map(([name, values]) => [
    `rope_factors_${name}.weight`,
    { shape: [values.length], values: Float32Array.from(values) },
  ]);
}

function llama3Divisors(config: HfConfig, scaling: Scaling): Values {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: old } = scaling;
  const values = Float32Array.from({ length: config.head_dim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * config.rope_theta ** ((2 * i) / config.head_dim);
    if (wavelength < old / high) return 1;
    if (wavelength > old / low) return factor;
    const smooth = (old / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
  return { shape: [values.length], values };
}

/** Metadata and tensors as a GGUF file of a family, or by a rule, would have them; `config` in its published form (config.legacy.json). */
export function ggufTwin(
  family: string | TwinRule,
  config: HfConfig,
  hfTensors: Tensors,
): { readonly entries: Map<string, GgufEntry>; readonly tensors: Map<string, Values> } {
  const { architecture, sizes, floats, more, names, counts, bases, change, split } =
    typeof family === "string" ? twinRules[family] : family;
  const entries = new Map<string, GgufEntry>([["general.architecture", { type: "string", value: architecture }]]);
  for (const [key, from] of Object.entries(sizes)) {
    entries.set(`${architecture}.${key}`, { type: "u32", value: config[from] });
  }
  for (const [key, value] of Object.entries(counts?.(config) ?? {})) {
    entries.set(`${architecture}.${key}`, { type: "u32", value });
  }
  const reals = Object.entries(floats).map(([key, from]) => [key, config[from]] as const);
  for (const [key, value] of [...reals, ...Object.entries(bases?.(config) ?? {})]) {
    entries.set(`${architecture}.${key}`, { type: "f32", value });
  }
  for (const [key, entry] of Object.entries(more?.(config) ?? {})) entries.set(`${architecture}.${key}`, entry);
  const tensors = new Map<string, Values>();
  /** Of experts, in the order of the file, which is that of their numbers here. */
  const stacks = new Map<string, Values[]>();
  for (const [hfName, tensor] of hfTensors) {
    const parts = split?.(hfName, tensor, config);
    for (const [name, part] of Object.entries(parts ?? {})) tensors.set(name, part);
    const [, stem, ending] = /^(.*)\.(weight|bias)$/.exec(hfName) ?? [];
    if (parts !== undefined || stem === undefined) continue; // what is left are tables, such as those of ropes
    const layer = /\.(\d+)\./.exec(stem)?.[1] ?? "";
    const known = stem.replace(/experts\.\d+\./, "experts.E.").replace(/\.\d+\./, ".N.");
    const name = `${names[known].replace("N", layer)}.${ending}`;
    const changed = change?.(hfName, tensor, config) ?? tensor;
    if (!known.includes(".E.")) tensors.set(name, changed);
    else stacks.set(name, [...(stacks.get(name) ?? []), changed]);
  }
  for (const [name, all] of stacks) {
    const values = new Float32Array(all.flatMap((expert) => [...expert.values]));
    tensors.set(name, { shape: [all.length, ...all[0].shape], values });
  }
  const scaling = config.rope_scaling as unknown as Scaling | null | undefined;
  for (const [name, values] of scaling ? ropeDivisors(config, scaling) : []) tensors.set(name, values);
  return { entries, tensors };
}
