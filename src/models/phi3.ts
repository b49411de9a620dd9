// Phi 3, 3.5 and 4 (Abdin et al. 2024): llama with q, k and v joined in one tensor, gate and up in another, a window in
// every layer where the config has one, longrope in those made for long contexts, and in Phi 4 mini a part of each head
// that is not rotated.
import { Config } from "./config.ts";
import { ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { hfWindows } from "./layer-windows.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import type { Model, ModelFacts } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

const common: Pick<LlamaShape, "family" | "biases" | "joins"> = {
  family: "phi3",
  biases: { qkv: false, output: false, mlp: false },
  joins: [
    { hf: "self_attn.qkv_proj", gguf: "attn_qkv", parts: ["attention.query", "attention.key", "attention.value"] },
    { hf: "mlp.gate_up_proj", gguf: "ffn_up", parts: ["mlp.gate", "mlp.up"] },
  ],
};

export function phi3(facts: ModelFacts): Model {
  return llamaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({
    ...hfRefusals,
    hidden_act: ["silu"],
    attention_bias: [false],
    mlp_bias: [false],
    lm_head_bias: [false],
  });
  const sizes = hfSizes(config, facts);
  const window = config.find("sliding_window") === undefined ? undefined : config.size("sliding_window");
  return {
    ...common,
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    tied: config.boolean("tie_word_embeddings", false),
    windows: hfWindows(config, sizes.layers, window, () => window !== undefined),
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "phi3.");
  config.only(ggufRefusals);
  const sizes = ggufSizes(config, facts);
  const window = config.count("attention.sliding_window", 0); // 0: none
  return {
    ...common,
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts),
    tied: "optional",
    windows: Array.from({ length: sizes.layers }, () => window || undefined),
  };
}
