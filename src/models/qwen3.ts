// Qwen 3 (Yang et al. 2025): llama with an RMSNorm over each query and key head before the rotation, and heads whose
// joint width need not be the model's. Its mixtures differ by their experts alone (qwen3_moe.ts).
import { Config } from "./config.ts";
import { type DecoderSizes, ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import type { Mixture } from "./mixture.ts";
import type { Model, ModelFacts } from "./model.ts";
import { qwenWindows } from "./qwen2.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

export interface Qwen3Kind {
  readonly family: string;
  /** What GGUF keys begin with. */
  readonly prefix: string;
  /** Keys of metadata that `ggufMixture` reads, which other families refuse. */
  readonly allowed?: Readonly<Record<string, undefined>>;
  readonly hfMixture?: (config: Config) => Mixture;
  readonly ggufMixture?: (config: Config, facts: ModelFacts, sizes: DecoderSizes) => Mixture;
}

export const qwen3 = (facts: ModelFacts): Model => qwen3Model(facts, { family: "qwen3", prefix: "qwen3." });

export const qwen3Model = (facts: ModelFacts, kind: Qwen3Kind): Model =>
  llamaModel(facts, facts.kind === "hf" ? readHf(facts, kind) : readGguf(facts, kind));

function readHf(facts: ModelFacts, { family, hfMixture }: Qwen3Kind): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts, { headSize: 128 });
  const bias = config.boolean("attention_bias", false);
  return {
    family,
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: bias, output: bias, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
    windows: qwenWindows(config, sizes.layers),
    headNorms: "before",
    ...(hfMixture && { mixture: hfMixture(config) }),
  };
}

function readGguf(facts: ModelFacts, { family, prefix, allowed, ggufMixture }: Qwen3Kind): LlamaShape {
  const config = new Config(facts.file, facts.config, prefix);
  config.only({ ...ggufRefusals, ...allowed, "attention.sliding_window": [0] });
  const sizes = ggufSizes(config, facts);
  return {
    family,
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts),
    biases: { qkv: "optional", output: "optional", mlp: false },
    tied: "optional",
    headNorms: "before",
    ...(ggufMixture && { mixture: ggufMixture(config, facts, sizes) }),
  };
}
