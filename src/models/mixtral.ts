// Mixtral (Jiang et al. 2024) and what shares its config, such as WizardLM 2 8x22B: llama with eight feed-forward parts in
// each layer, of which each token goes through two. In GGUF it is a llama that has experts (llama.ts).
import { Config } from "./config.ts";
import { hfRefusals, hfSizes } from "./decoder.ts";
import { llamaModel } from "./llama.ts";
import { mixtralNames, mixtralRouting } from "./mixtral-names.ts";
import { type Mixture, hfExperts } from "./mixture.ts";
import type { Model, ModelFacts } from "./model.ts";
import { hfRope } from "./rope-config.ts";

export function mixtral(facts: ModelFacts): Model {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts);
  const window = config.find("sliding_window") === undefined ? undefined : config.size("sliding_window");
  const experts = hfExperts(config);
  const routing = { experts, chosen: config.size("num_experts_per_tok", 2), ...mixtralRouting };
  const mixture: Mixture = { ...mixtralNames, experts, forwardWidth: sizes.forwardWidth, routing: () => routing };
  return llamaModel(facts, {
    family: "mixtral",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: false, output: false, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
    windows: Array.from({ length: sizes.layers }, () => window),
    ggufInterleaved: true,
    mixture,
  });
}
