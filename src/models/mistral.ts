// Mistral 7B (Jiang et al. 2023) and what shares its config, such as Zephyr: llama whose layers all see a window, or, in
// later releases, everything. GGUF files of it call themselves llama (llama.ts).
import { Config } from "./config.ts";
import { hfRefusals, hfSizes } from "./decoder.ts";
import { hfWindows } from "./layer-windows.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import type { Model, ModelFacts } from "./model.ts";
import { hfRope } from "./rope-config.ts";

export const mistral = (facts: ModelFacts): Model => llamaModel(facts, readHf(facts));

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts);
  const window = config.find("sliding_window") === undefined ? undefined : config.size("sliding_window");
  return {
    family: "mistral",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: false, output: false, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
    windows: hfWindows(config, sizes.layers, window, () => window !== undefined),
    ggufInterleaved: true,
  };
}
