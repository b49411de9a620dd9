// Turns an HF model into what llama.cpp's converter makes of it, written here from its conventions alone, so that the
// loading maps are held against something that is not Liang's own converter. Source: convert_hf_to_gguf.py's rules.
import type { GgufEntry } from "../../src/format/gguf-types.ts";
import type { Tensors, Values } from "./memory-files.ts";

/** config.json, of which the twins read numbers only (and the object rope_scaling). */
export type HfConfig = Readonly<Record<string, number>>;

interface TwinRule {
  readonly architecture: string;
  /** GGUF keys (without the architecture) and the config's keys they come from. */
  readonly sizes: Readonly<Record<string, string>>;
  readonly floats: Readonly<Record<string, string>>;
  /** HF tensor names, N for the layer's number, and GGUF's names. */
  readonly names: Readonly<Record<string, string>>;
  /** What becomes of the values. */
  readonly change?: (hfName: string, tensor: Values, config: HfConfig) => Values;
}

const llamaNames = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  "model.layers.N.input_layernorm": "blk.N.attn_norm",
  "model.layers.N.post_attention_layernorm": "blk.N.ffn_norm",
  "model.layers.N.self_attn.q_proj": "blk.N.attn_q",
  "model.layers.N.self_attn.k_proj": "blk.N.attn_k",
  "model.layers.N.self_attn.v_proj": "blk.N.attn_v",
  "model.layers.N.self_attn.o_proj": "blk.N.attn_output",
  "model.layers.N.self_attn.q_norm": "blk.N.attn_q_norm",
  "model.layers.N.self_attn.k_norm": "blk.N.attn_k_norm",
  "model.layers.N.mlp.gate_proj": "blk.N.ffn_gate",
  "model.layers.N.mlp.up_proj": "blk.N.ffn_up",
  "model.layers.N.mlp.down_proj": "blk.N.ffn_down",
};
const llamaSizes = {
  context_length: "max_position_embeddings",
  embedding_length: "hidden_size",
  block_count: "num_hidden_layers",
  feed_forward_length: "intermediate_size",
  "attention.head_count": "num_attention_heads",
  "attention.head_count_kv": "num_key_value_heads",
};
const headSizes = { "attention.key_length": "head_dim", "attention.value_length": "head_dim" };
const llamaFloats = { "attention.layer_norm_rms_epsilon": "rms_norm_eps", "rope.freq_base": "rope_theta" };

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
  qwen2: { architecture: "qwen2", sizes: llamaSizes, floats: llamaFloats, names: llamaNames },
  qwen3: { architecture: "qwen3", sizes: { ...llamaSizes, ...headSizes }, floats: llamaFloats, names: llamaNames },
  gemma3_text: {
    architecture: "gemma3",
    sizes: { ...llamaSizes, ...headSizes, "attention.sliding_window": "sliding_window" },
    floats: llamaFloats,
    names: {
      ...llamaNames,
      "model.layers.N.post_attention_layernorm": "blk.N.post_attention_norm",
      "model.layers.N.pre_feedforward_layernorm": "blk.N.ffn_norm",
      "model.layers.N.post_feedforward_layernorm": "blk.N.post_ffw_norm",
    },
    change: (name, { shape, values }) => ({
      shape,
      values: name.endsWith("norm.weight") ? values.map((value) => value + 1) : values,
    }),
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
};

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

function transposed({ shape: [rows, columns], values }: Values): Values {
  const result = Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
  return { shape: [columns, rows], values: result };
}

/** What llama.cpp divides the frequencies by, for Llama 3.1's scaling. */
function ropeDivisors(config: HfConfig, scaling: Readonly<Record<string, number>>): Values {
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

/** Metadata and tensors as a GGUF file would have them; `config` in its published form (config.legacy.json). */
export function ggufTwin(
  family: string,
  config: HfConfig,
  hfTensors: Tensors,
): { readonly entries: Map<string, GgufEntry>; readonly tensors: Map<string, Values> } {
  const { architecture, sizes, floats, names, change } = twinRules[family];
  const entries = new Map<string, GgufEntry>([["general.architecture", { type: "string", value: architecture }]]);
  for (const [key, from] of Object.entries(sizes)) {
    entries.set(`${architecture}.${key}`, { type: "u32", value: config[from] });
  }
  for (const [key, from] of Object.entries(floats)) {
    entries.set(`${architecture}.${key}`, { type: "f32", value: config[from] });
  }
  const tensors = new Map<string, Values>();
  for (const [hfName, tensor] of hfTensors) {
    const [, stem, ending] = /^(.*)\.(weight|bias)$/.exec(hfName) ?? [];
    const layer = /\.(\d+)\./.exec(stem)?.[1] ?? "";
    const name = names[stem.replace(/\.\d+\./, ".N.")].replace("N", layer);
    tensors.set(`${name}.${ending}`, change?.(hfName, tensor, config) ?? tensor);
  }
  const scaling = config.rope_scaling as unknown as Readonly<Record<string, number>> | null | undefined;
  if (scaling) tensors.set("rope_freqs.weight", ropeDivisors(config, scaling));
  return { entries, tensors };
}
