// Qwen 3 (Yang et al. 2025): llama with an RMSNorm over each query and key head before the rotation, and heads whose
// joint width need not be the model's.
import { Config } from "./config.ts";
import { ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import type { Model, ModelFacts } from "./model.ts";
import { qwenWindows } from "./qwen2.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

export function qwen3(facts: ModelFacts): Model {
  return llamaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts, { headSize: 128 });
  const bias = config.boolean("attention_bias", false);
  return {
    family: "qwen3",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: bias, output: bias, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
    windows: qwenWindows(config, sizes.layers),
    headNorms: "before",
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "qwen3.");
  config.only({ ...ggufRefusals, "attention.sliding_window": [0] });
  const sizes = ggufSizes(config, facts);
  return {
    family: "qwen3",
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts),
    biases: { qkv: "optional", output: "optional", mlp: false },
    tied: "optional",
    headNorms: "before",
  };
}
