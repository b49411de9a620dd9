// Qwen 3's mixtures of experts (Yang et al. 2025), such as Qwen3-30B-A3B: qwen3 with experts as qwen2_moe has them, none of
// which is shared.
import { expertNames, ggufMixture } from "./mixture.ts";
import type { Model, ModelFacts } from "./model.ts";
import { qwenMixture } from "./qwen2_moe.ts";
import { qwen3Model } from "./qwen3.ts";

export const qwen3Moe = (facts: ModelFacts): Model =>
  qwen3Model(facts, {
    family: "qwen3_moe",
    prefix: "qwen3moe.",
    allowed: { expert_count: undefined },
    hfMixture: (config) => qwenMixture(config, false),
    ggufMixture(config, facts, sizes) {
      const found = ggufMixture(config, facts, sizes, { scores: "softmax", renormalised: true });
      if (found === undefined) throw config.error("expert_count", undefined, "a number of experts");
      return { ...expertNames, ...found };
    },
  });
