// Gemma (Gemma team 2024): scaled embeddings, gains of 1 + w, GeGLU, heads as wide as the config says. The forward also
// serves Gemma 2 and 3, which add norms after each part and over heads, soft caps and windows.
import { add, geluTanh, gather, scale, tanh } from "../graph/index.ts";
import { gatedMlp, norm, selfAttention } from "../nn/index.ts";
import { Config } from "./config.ts";
import {
  type DecoderBiases,
  type DecoderSizes,
  attentionContext,
  cachePlan,
  decoderRows,
  finalHidden,
  ggufRefusals,
  ggufSizes,
  hfRefusals,
  hfSizes,
  ignoredTables,
  layerRow,
  logitsHead,
  weightsIn,
} from "./decoder.ts";
import { loadingMap } from "./loading.ts";
import type { Model, ModelFacts, RopeTable, WeightRow } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

/** What a gemma-shaped family reads from its config. */
export interface GemmaShape {
  readonly family: string;
  readonly sizes: DecoderSizes;
  /** One for all layers, or one for each cache group, named as the group that it turns. */
  readonly ropes: readonly RopeTable[];
  readonly biases: DecoderBiases;
  readonly tied: boolean | "optional";
  /** Sliding window of each layer; absent: none has one. */
  readonly windows?: readonly (number | undefined)[];
  /** Scores are q·k times this; default 1 / sqrt(head size). */
  readonly scale?: number;
  readonly softCap?: number | undefined;
  readonly finalSoftCap?: number | undefined;
  /** Norms of what attention and MLP give, before it is added. */
  readonly outNorms?: boolean;
  /** Norms over each query and key head. */
  readonly headNorms?: boolean;
}

/** HF options that would change the result; a `hidden_act` of gelu has meant its tanh form since the first release. */
const gemmaRefusals: Readonly<Record<string, readonly unknown[]>> = {
  ...hfRefusals,
  hidden_act: ["gelu", "gelu_pytorch_tanh"],
  hidden_activation: ["gelu_pytorch_tanh"],
  use_bidirectional_attention: [false],
};

export function gemma(facts: ModelFacts): Model {
  return gemmaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

/** What every gemma-shaped family reads alike. */
type GemmaBase = Pick<GemmaShape, "sizes" | "biases" | "tied">;

/** Of a config.json, which is given too. */
export function gemmaHf(facts: ModelFacts): { readonly config: Config; readonly base: GemmaBase } {
  const config = new Config(facts.file, facts.config);
  config.only(gemmaRefusals);
  const bias = config.boolean("attention_bias", false);
  const base = {
    sizes: hfSizes(config, facts, { headSize: 256 }),
    biases: { qkv: bias, output: bias, mlp: false },
    tied: config.boolean("tie_word_embeddings", true),
  };
  return { config, base };
}

/** Of GGUF metadata, under the name of the architecture. */
export function gemmaGguf(
  facts: ModelFacts,
  architecture: string,
): { readonly config: Config; readonly base: GemmaBase } {
  const config = new Config(facts.file, facts.config, `${architecture}.`);
  config.only(ggufRefusals);
  const base = {
    sizes: ggufSizes(config, facts),
    biases: { qkv: false, output: false, mlp: false },
    tied: "optional",
  } as const;
  return { config, base };
}

function readHf(facts: ModelFacts): GemmaShape {
  const { config, base } = gemmaHf(facts);
  return { ...base, family: "gemma", ropes: [hfRope("main", config, base.sizes.headSize)] };
}

function readGguf(facts: ModelFacts): GemmaShape {
  const { config, base } = gemmaGguf(facts, "gemma");
  return { ...base, family: "gemma", ropes: [ggufRope("main", config, base.sizes.headSize, facts)] };
}

/** A model of gemma's forward pass. */
export function gemmaModel(facts: ModelFacts, shape: GemmaShape): Model {
  const { family, sizes, finalSoftCap, outNorms = false } = shape;
  const { layers, width, epsilon } = sizes;
  const plan = cachePlan(shape.windows ?? Array.from({ length: layers }), sizes);
  const map = loadingMap(facts, family, gemmaRows(shape), ignoredTables);
  const head = logitsHead(map.parameters);
  const ropeOf = (group: string): RopeTable => shape.ropes.find(({ name }) => name === group) ?? shape.ropes[0];
  return {
    family,
    vocabularySize: sizes.vocabularySize,
    window: sizes.window,
    width,
    layers,
    cacheGroups: plan.groups,
    ropes: [...new Set(plan.groups.map(({ name }) => ropeOf(name)))].sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...map,
    heads: {
      logits(hidden, x) {
        const scores = head(hidden, x);
        return finalSoftCap === undefined ? scores : scale(tanh(scale(scores, 1 / finalSoftCap)), finalSoftCap);
      },
    },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      let h = scale(gather(weights.get("embedding.weight"), x.ids), Math.sqrt(width)); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const { group, window } = plan.ofLayer[layer];
        const settings = { ...sizes, window, scale: shape.scale, softCap: shape.softCap };
        const context = attentionContext(x, plan, layer, ropeOf(group).name);
        const mixed = selfAttention(norm(h, at, "attentionNorm", epsilon), at.at("attention"), settings, context);
        h = add(h, outNorms ? norm(mixed, at, "attentionOutNorm", epsilon) : mixed);
        const fed = gatedMlp(norm(h, at, "mlpNorm", epsilon), at.at("mlp"), geluTanh);
        h = add(h, outNorms ? norm(fed, at, "mlpOutNorm", epsilon) : fed);
      }
      return finalHidden(h, x, weights, layers, epsilon);
    },
  };
}

function gemmaRows({ sizes, biases, tied, outNorms, headNorms }: GemmaShape): WeightRow[] {
  const { layers, width, headSize } = sizes;
  const rows = decoderRows(sizes, biases, tied);
  for (let layer = 0; layer < layers; layer++) {
    // with norms after each part, HF's "post_attention" is one of those, not the one before the MLP
    const beforeMlp = outNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm";
    rows.push(
      layerRow(layer, "attentionNorm.weight", "input_layernorm", "attn_norm", [width]),
      layerRow(layer, "mlpNorm.weight", beforeMlp, "ffn_norm", [width]),
    );
    if (outNorms) {
      rows.push(
        layerRow(layer, "attentionOutNorm.weight", "post_attention_layernorm", "post_attention_norm", [width]),
        layerRow(layer, "mlpOutNorm.weight", "post_feedforward_layernorm", "post_ffw_norm", [width]),
      );
    }
    if (headNorms) {
      rows.push(
        layerRow(layer, "attention.queryNorm.weight", "self_attn.q_norm", "attn_q_norm", [headSize]),
        layerRow(layer, "attention.keyNorm.weight", "self_attn.k_norm", "attn_k_norm", [headSize]),
      );
    }
  }
  // every gain is 1 + w; llama.cpp's converter has added the 1 already
  return rows.map((row) => (/norm\.weight$/i.test(row.parameter) ? { ...row, hfAddOne: true } : row));
}
