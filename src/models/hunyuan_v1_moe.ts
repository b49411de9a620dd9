// Hunyuan's mixtures of experts (Tencent 2025), such as Hunyuan-A13B: hunyuan_v1_dense with experts in every layer, and a
// part of one expert's width beside them that all tokens go through.
import { UnsupportedError } from "../base/errors.ts";
import { Config } from "./config.ts";
import { type DecoderSizes, ggufRefusals, ggufSizes, hfRefusals, hfSizes } from "./decoder.ts";
import { hunyuanRefusals, hunyuanRows } from "./hunyuan_v1_dense.ts";
import { type LlamaShape, llamaModel } from "./llama.ts";
import { type Mixture, expertNames, ggufMixture } from "./mixture.ts";
import type { Model, ModelFacts } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

const names = { ...expertNames, router: "mlp.gate.wg" };
const SHARED = "mlp.shared_mlp";
const scoring = { scores: "softmax", renormalised: true } as const;

export function hunyuanV1Moe(facts: ModelFacts): Model {
  const shape = facts.kind === "hf" ? readHf(facts) : readGguf(facts);
  return llamaModel(facts, shape, hunyuanRows(shape));
}

/** What an option of experts is in each layer: it is a number, or a list with one for each. */
function ofLayers(config: Config, key: string, layers: number, fallback?: number): readonly number[] {
  if (!Array.isArray(config.find(key))) return Array<number>(layers).fill(config.size(key, fallback));
  const numbers = config.counts(key)!;
  if (numbers.length >= layers && !numbers.includes(0)) return numbers.slice(0, layers);
  throw config.error(key, numbers, `a positive number for each of ${layers} layers`);
}

function hfMixture({ file }: ModelFacts, config: Config, { layers, forwardWidth }: DecoderSizes): Mixture {
  const experts = config.size("num_experts");
  const chosen = ofLayers(config, "moe_topk", layers);
  for (const [key, known] of Object.entries({ moe_intermediate_size: forwardWidth, num_shared_expert: 1 })) {
    const other = ofLayers(config, key, layers, known).find((number) => number !== known);
    if (other === undefined) continue;
    throw new UnsupportedError(`${file}: ${key} is ${other} in a layer; Liang can do ${known} in all layers.`);
  }
  return {
    ...names,
    experts,
    forwardWidth,
    routing: (layer) => ({ experts, chosen: chosen[layer], ...scoring }),
    shared: { name: SHARED, forwardWidth },
  };
}

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({
    ...hfRefusals,
    ...hunyuanRefusals,
    use_mixed_mlp_moe: [true],
    use_mla: [false],
    moe_layer_num_skipped: [0],
    norm_topk_prob: [true],
    group_limited_greedy: [false],
    routed_scaling_factor: [1],
  });
  const sizes = hfSizes(config, facts);
  const bias = config.boolean("attention_bias", false);
  return {
    family: "hunyuan_v1_moe",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: bias, output: bias, mlp: false },
    tied: config.boolean("tie_word_embeddings", false),
    headNorms: "after",
    mixture: hfMixture(facts, config, sizes),
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "hunyuan-moe.");
  config.only({ ...ggufRefusals, expert_count: undefined, expert_shared_count: [1] });
  const sizes = ggufSizes(config, facts);
  const found = ggufMixture(config, facts, sizes, scoring);
  if (found?.sharedWidth === undefined) throw config.error("expert_shared_feed_forward_length", undefined, "a width");
  return {
    family: "hunyuan_v1_moe",
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts),
    biases: { qkv: "optional", output: "optional", mlp: false },
    tied: "optional",
    headNorms: "after",
    mixture: { ...names, ...found, shared: { name: SHARED, forwardWidth: found.sharedWidth } },
  };
}
