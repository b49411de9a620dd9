// What a GGUF twin's rule says of a family (gguf-twin.ts), and what many families call things.
import type { GgufEntry } from "../../src/format/gguf-types.ts";
import type { Values } from "./memory-files.ts";

/** config.json, of which the twins read numbers only (and the object rope_scaling). */
export type HfConfig = Readonly<Record<string, number>>;

export interface TwinRule {
  readonly architecture: string;
  /** GGUF keys (without the architecture) and the config's keys they come from. */
  readonly sizes: Readonly<Record<string, string>>;
  readonly floats: Readonly<Record<string, string>>;
  /** Of other types, or that the config does not state as it is. */
  readonly more?: (config: HfConfig) => Readonly<Record<string, GgufEntry>>;
  /** HF tensor names, N for the layer's number, and GGUF's names. */
  readonly names: Readonly<Record<string, string>>;
  /** Sizes that the converter computes. */
  readonly counts?: (config: HfConfig) => Readonly<Record<string, number>>;
  readonly bases?: (config: HfConfig) => Readonly<Record<string, number>>;
  /** What becomes of the values. */
  readonly change?: (hfName: string, tensor: Values, config: HfConfig) => Values;
  /** Tensors, by the endings of their names, that one of HF's becomes. */
  readonly split?: (hfName: string, tensor: Values, config: HfConfig) => Readonly<Record<string, Values>> | undefined;
}

export const llamaNames = {
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
export const llamaSizes = {
  context_length: "max_position_embeddings",
  embedding_length: "hidden_size",
  block_count: "num_hidden_layers",
  feed_forward_length: "intermediate_size",
  "attention.head_count": "num_attention_heads",
  "attention.head_count_kv": "num_key_value_heads",
};
export const llamaFloats = { "attention.layer_norm_rms_epsilon": "rms_norm_eps", "rope.freq_base": "rope_theta" };

/** What experts are called in most families. */
export const expertTensors = {
  "model.layers.N.mlp.gate": "blk.N.ffn_gate_inp",
  "model.layers.N.mlp.experts.E.gate_proj": "blk.N.ffn_gate_exps",
  "model.layers.N.mlp.experts.E.up_proj": "blk.N.ffn_up_exps",
  "model.layers.N.mlp.experts.E.down_proj": "blk.N.ffn_down_exps",
};
