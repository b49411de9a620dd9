// Qwen 3's mixtures of experts (Yang et al. 2025), such as Qwen3-30B-A3B: qwen3 with experts as qwen2_moe has them, none of
// which is shared.
import { Config } from "./config.ts";
import { ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import { expertNames, ggufMixture } from "./mixture.ts";
import type { Model, ModelFacts } from "./model.ts";
import { qwenWindows } from "./qwen2.ts";
import { qwenMixture } from "./qwen2_moe.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

export function qwen3Moe(facts: ModelFacts): Model {
  return llamaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts, { headSize: 128 });
  const bias = config.boolean("attention_bias", false);
  return {
    family: "qwen3_moe",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: bias, output: bias, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
    windows: qwenWindows(config, sizes.layers),
    headNorms: "before",
    mixture: qwenMixture(config, false),
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "qwen3moe.");
  config.only({ ...ggufRefusals, expert_count: undefined, "attention.sliding_window": [0] });
  const sizes = ggufSizes(config, facts);
  const found = ggufMixture(config, facts, sizes, { scores: "softmax", renormalised: true });
  if (found === undefined) throw config.error("expert_count", undefined, "a number of experts");
  return {
    family: "qwen3_moe",
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts),
    biases: { qkv: "optional", output: "optional", mlp: false },
    tied: "optional",
    headNorms: "before",
    mixture: { ...expertNames, ...found },
  };
}
