// Qwen 1.5, 2 and 2.5 (Yang et al. 2024): llama with biases on queries, keys and values. A config may let the upper
// layers slide; published models do not.
import { Config } from "./config.ts";
import { type DecoderBiases, ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { hfWindows } from "./layer-windows.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import type { Model, ModelFacts } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

const biases: DecoderBiases = { qkv: true, output: false, mlp: false };

export function qwen2(facts: ModelFacts): Model {
  return llamaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts);
  return {
    family: "qwen2",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases,
    tied: config.boolean("tie_word_embeddings", false),
    windows: qwenWindows(config, sizes.layers),
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "qwen2.");
  config.only({ ...ggufRefusals, "attention.sliding_window": [0] });
  const sizes = ggufSizes(config, facts);
  return { family: "qwen2", sizes, rope: ggufRope("main", config, sizes.headSize, facts), biases, tied: "optional" };
}

/** Without `use_sliding_window` no layer slides, whatever `sliding_window` says; with it those from max_window_layers on. */
export function qwenWindows(config: Config, layers: number): (number | undefined)[] {
  const used = config.boolean("use_sliding_window", false) && config.find("sliding_window") !== undefined;
  const window = used ? config.size("sliding_window") : undefined;
  return hfWindows(config, layers, window, (layer) => used && layer >= config.count("max_window_layers", 28));
}
