// Qwen 1.5 MoE and Qwen 2 MoE (Yang et al. 2024): qwen2 with many small experts, and one that every token goes through as
// far as a gate of its own says. Some layers may have a plain feed-forward part.
import { Config } from "./config.ts";
import { type DecoderBiases, ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import { type Mixture, expertNames, ggufMixture, hfExperts } from "./mixture.ts";
import type { Model, ModelFacts } from "./model.ts";
import { qwenWindows } from "./qwen2.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

const SHARED = { name: "mlp.shared_expert", gate: "mlp.shared_expert_gate" };

export function qwen2Moe(facts: ModelFacts): Model {
  return llamaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

/** Experts as both generations' configs have them. */
export function qwenMixture(config: Config, renormalised: boolean): Mixture {
  const experts = hfExperts(config);
  const [step, plain] = [config.size("decoder_sparse_step", 1), new Set(config.counts("mlp_only_layers"))];
  const chosen = config.size("num_experts_per_tok");
  const routing = {
    experts,
    chosen,
    scores: "softmax",
    renormalised: config.boolean("norm_topk_prob", renormalised),
  } as const;
  return {
    ...expertNames,
    experts,
    forwardWidth: config.size("moe_intermediate_size"),
    routing: (layer) => (plain.has(layer) || (layer + 1) % step !== 0 ? undefined : routing),
  };
}

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts);
  const shared = { ...SHARED, forwardWidth: config.size("shared_expert_intermediate_size") };
  return {
    family: "qwen2_moe",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: config.boolean("qkv_bias", true), output: false, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
    windows: qwenWindows(config, sizes.layers),
    mixture: { ...qwenMixture(config, false), shared },
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "qwen2moe.");
  config.only({ ...ggufRefusals, expert_count: undefined, "attention.sliding_window": [0] });
  const sizes = ggufSizes(config, facts);
  const found = ggufMixture(config, facts, sizes, { scores: "softmax" });
  if (found?.sharedWidth === undefined) throw config.error("expert_shared_feed_forward_length", undefined, "a width");
  const biases: DecoderBiases = { qkv: "optional", output: false, mlp: false };
  const mixture = { ...expertNames, ...found, shared: { ...SHARED, forwardWidth: found.sharedWidth } };
  const rope = ggufRope("main", config, sizes.headSize, facts);
  return { family: "qwen2_moe", sizes, rope, biases, tied: "optional", mixture };
}
