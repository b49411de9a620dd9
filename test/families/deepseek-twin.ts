// DeepSeek's rule of the GGUF twins (gguf-twin.ts), in two forms: with the matrices of heads apart, of which keys' are turned
// over, and with both in one tensor as older converters left it.
import type { Values } from "./memory-files.ts";
import { type HfConfig, type TwinRule, expertTensors, llamaFloats, llamaNames, llamaSizes } from "./twin-rule.ts";

const { "attention.head_count_kv": _, ...sizes } = llamaSizes;

/** What a row of keys and of values has, which is each head's in files of the older form. */
function rowSizes(config: HfConfig, isAbsorbed: boolean): Readonly<Record<string, number>> {
  const { kv_lora_rank: latent, qk_rope_head_dim: rotated, qk_nope_head_dim: plain, v_head_dim: values } = config;
  const [kvHeads, suffix] = isAbsorbed ? [1, "_mla"] : [config.num_attention_heads, ""];
  return {
    "attention.head_count_kv": kvHeads,
    ...(isAbsorbed && { "attention.key_length": latent + rotated, "attention.value_length": latent }),
    [`attention.key_length${suffix}`]: plain + rotated,
    [`attention.value_length${suffix}`]: values,
  };
}

const isV3 = (config: HfConfig): boolean => String(config.model_type) === "deepseek_v3";

export const latentTwin = (isAbsorbed: boolean): TwinRule => ({
  architecture: "deepseek2",
  sizes: {
    ...sizes,
    "rope.dimension_count": "qk_rope_head_dim",
    "attention.kv_lora_rank": "kv_lora_rank",
    leading_dense_block_count: "first_k_dense_replace",
    expert_count: "n_routed_experts",
    expert_used_count: "num_experts_per_tok",
    expert_shared_count: "n_shared_experts",
    expert_feed_forward_length: "moe_intermediate_size",
    expert_group_count: "n_group",
    expert_group_used_count: "topk_group",
  },
  floats: { ...llamaFloats, expert_weights_scale: "routed_scaling_factor" },
  counts: (config) => ({
    ...rowSizes(config, isAbsorbed),
    ...((config.q_lora_rank as number | null) !== null && { "attention.q_lora_rank": config.q_lora_rank }),
    expert_gating_func: isV3(config) ? 2 : 1,
  }),
  more: (config) => ({ expert_weights_norm: { type: "bool", value: isV3(config) } }),
  names: {
    ...llamaNames,
    ...expertTensors,
    "model.layers.N.self_attn.q_a_proj": "blk.N.attn_q_a",
    "model.layers.N.self_attn.q_a_layernorm": "blk.N.attn_q_a_norm",
    "model.layers.N.self_attn.q_b_proj": "blk.N.attn_q_b",
    "model.layers.N.self_attn.kv_a_proj_with_mqa": "blk.N.attn_kv_a_mqa",
    "model.layers.N.self_attn.kv_a_layernorm": "blk.N.attn_kv_a_norm",
    "model.layers.N.self_attn.kv_b_proj": "blk.N.attn_kv_b",
    "model.layers.N.mlp.shared_experts.gate_proj": "blk.N.ffn_gate_shexp",
    "model.layers.N.mlp.shared_experts.up_proj": "blk.N.ffn_up_shexp",
    "model.layers.N.mlp.shared_experts.down_proj": "blk.N.ffn_down_shexp",
  },
  split(name, tensor, config) {
    const [, layer, part] = /^model\.layers\.(\d+)\.(.*)$/.exec(name) ?? [];
    if (part === "mlp.gate.e_score_correction_bias") return { [`blk.${layer}.exp_probs_b.bias`]: tensor };
    if (part !== "self_attn.kv_b_proj.weight" || !isAbsorbed) return undefined;
    const { num_attention_heads: heads, qk_nope_head_dim: plain, v_head_dim: values } = config;
    return {
      [`blk.${layer}.attn_k_b.weight`]: ofHeads(tensor, heads, 0, plain, true),
      [`blk.${layer}.attn_v_b.weight`]: ofHeads(tensor, heads, plain, values, false),
    };
  },
});

/** The rows of a fused tensor's heads from `first` on, turned over or not, as one tensor of matrices. */
function ofHeads({ shape, values }: Values, heads: number, first: number, count: number, isTurned: boolean): Values {
  const [rows, columns] = shape;
  const of = rows / heads;
  const [outer, inner] = isTurned ? [columns, count] : [count, columns];
  const result = new Float32Array(heads * outer * inner);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < inner; j++) {
        const [row, column] = isTurned ? [j, i] : [i, j];
        result[(head * outer + i) * inner + j] = values[(head * of + first + row) * columns + column];
      }
    }
  }
  return { shape: [heads, outer, inner], values: result };
}
