// gpt-oss as llama.cpp's converter makes it: experts' gates and other ways up, which a folder has by turns, are stacks of their
// own; matrices have outputs as rows; sinks are called weights.
import type { Values } from "./memory-files.ts";
import { type TwinRule, llamaFloats, llamaNames, llamaSizes } from "./twin-rule.ts";

/** (E, C, P F) -> (E, F, C): the columns whose turn it is, as rows. */
function turnOf({ shape: [experts, inner, outer], values }: Values, of: number, first: number): Values {
  const own = outer / of;
  const at = (expert: number, row: number, column: number): number =>
    values[(expert * inner + column) * outer + row * of + first];
  return {
    shape: [experts, own, inner],
    values: Float32Array.from({ length: experts * own * inner }, (_, i) =>
      at(Math.floor(i / (own * inner)), Math.floor(i / inner) % own, i % inner),
    ),
  };
}

const biasOf = ({ shape: [experts, outer], values }: Values, of: number, first: number): Values => ({
  shape: [experts, outer / of],
  values: values.filter((_, i) => i % of === first),
});

export const gptOssTwin: TwinRule = {
  architecture: "gpt-oss",
  sizes: {
    ...llamaSizes,
    "attention.key_length": "head_dim",
    "attention.value_length": "head_dim",
    "attention.sliding_window": "sliding_window",
    expert_count: "num_local_experts",
    expert_used_count: "num_experts_per_tok",
    expert_feed_forward_length: "intermediate_size",
  },
  floats: llamaFloats,
  more({ rope_scaling }) {
    const scaling = rope_scaling as unknown as Readonly<Record<string, number>>;
    return {
      "rope.scaling.type": { type: "string", value: "yarn" },
      "rope.scaling.factor": { type: "f32", value: scaling.factor },
      "rope.scaling.original_context_length": { type: "u32", value: scaling.original_max_position_embeddings },
      "rope.scaling.yarn_beta_fast": { type: "f32", value: scaling.beta_fast },
      "rope.scaling.yarn_beta_slow": { type: "f32", value: scaling.beta_slow },
    };
  },
  names: {
    ...llamaNames,
    "model.layers.N.post_attention_layernorm": "blk.N.post_attention_norm",
    "model.layers.N.mlp.router": "blk.N.ffn_gate_inp",
  },
  split(name, tensor): Readonly<Record<string, Values>> | undefined {
    const [, layer, part] =
      /layers\.(\d+)\.(?:mlp\.experts|self_attn)\.(gate_up_proj|down_proj|sinks)/.exec(name) ?? [];
    if (part === "sinks") return { [`blk.${layer}.attn_sinks.weight`]: tensor };
    if (part === undefined) return undefined;
    const [take, ending] = name.endsWith("_bias") ? ([biasOf, "bias"] as const) : ([turnOf, "weight"] as const);
    const parts = part === "down_proj" ? ["down"] : ["gate", "up"];
    return Object.fromEntries(
      parts.map((called, first) => [`blk.${layer}.ffn_${called}_exps.${ending}`, take(tensor, parts.length, first)]),
    );
  },
};
