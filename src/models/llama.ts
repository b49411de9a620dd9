// Llama 1 to 3.x (Touvron et al. 2023, Dubey et al. 2024) and what shares its config, such as Yi: RMSNorm before each
// part, rotary positions, grouped-query attention, SwiGLU. The forward also serves families that differ in weights only.
import { add, gather } from "../graph/index.ts";
import { alibi, norm, normIfAny, selfAttention } from "../nn/index.ts";
import { Config } from "./config.ts";
import {
  type CachePlan,
  type DecoderBiases,
  type DecoderSizes,
  type JoinedTensor,
  attentionContext,
  cachePlan,
  decoderRows,
  finalHidden,
  ggufRefusals,
  ggufSizes,
  hfRefusals,
  hfSizes,
  ignoredTables,
  joinedRows,
  layerRow,
  logitsHead,
  weightsIn,
} from "./decoder.ts";
import { loadingMap } from "./loading.ts";
import { mixtralNames, mixtralRouting } from "./mixtral-names.ts";
import { type Mixture, feedForward, ggufMixture, isReplaced, mixtureRows } from "./mixture.ts";
import type { Model, ModelFacts, RopeTable, WeightRow } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

/** What a llama-shaped family reads from its config. */
export interface LlamaShape {
  readonly family: string;
  readonly sizes: DecoderSizes;
  /** Absent: nothing is rotated. */
  readonly rope?: RopeTable;
  /** Scores fall with the distance instead (Press et al. 2022). */
  readonly alibi?: boolean;
  readonly biases: DecoderBiases;
  /** Whether the head is the embedding; "optional": unless the file has a head of its own. */
  readonly tied: boolean | "optional";
  /** Sliding window of each layer; absent: none has one. */
  readonly windows?: readonly (number | undefined)[];
  /** q and k rows in GGUF are in the order of interleaved pairs. */
  readonly ggufInterleaved?: boolean;
  /** Norms over each query and key head, before they are rotated or after. */
  readonly headNorms?: "before" | "after";
  /** The head's rows have length 1, also while they are trained. */
  readonly unitHead?: boolean | undefined;
  /** Layers of experts. */
  readonly mixture?: Mixture;
  /** Tensors that hold several projections. */
  readonly joins?: readonly JoinedTensor[];
}

export function llama(facts: ModelFacts): Model {
  return llamaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

function readHf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config);
  config.only({ ...hfRefusals, hidden_act: ["silu"] });
  const sizes = hfSizes(config, facts);
  const bias = config.boolean("attention_bias", false);
  return {
    family: "llama",
    sizes,
    rope: hfRope("main", config, sizes.headSize),
    biases: { qkv: bias, output: bias, mlp: config.boolean("mlp_bias", false) },
    tied: config.boolean("tie_word_embeddings", false),
    ggufInterleaved: true,
  };
}

function readGguf(facts: ModelFacts): LlamaShape {
  const config = new Config(facts.file, facts.config, "llama.");
  config.only({ ...ggufRefusals, expert_count: undefined });
  const sizes = ggufSizes(config, facts);
  const window = config.count("attention.sliding_window", 0);
  config.only({ "rope.dimension_count": [sizes.headSize] }); // rows are permuted by whole heads
  // llama.cpp's name for both; only Mistral's layers have a window, and its files say 0 where they have none
  const family = config.find("attention.sliding_window") === undefined ? "llama" : "mistral";
  const experts = ggufMixture(config, facts, sizes, mixtralRouting);
  return {
    family: experts === undefined ? family : "mixtral",
    ...(experts !== undefined && { mixture: { ...mixtralNames, ...experts } }),
    sizes,
    rope: ggufRope("main", config, sizes.headSize, facts),
    biases: { qkv: "optional", output: "optional", mlp: "optional" },
    tied: "optional",
    windows: Array.from({ length: sizes.layers }, () => window || undefined),
    ggufInterleaved: true,
  };
}

/**
 * A model of llama's forward pass: x += attention(norm x), x += mlp(norm x); where the weights have norms of what a part
 * gives, these come before the sum. `rows`: the family's own names.
 */
export function llamaModel(facts: ModelFacts, shape: LlamaShape, rows = llamaRows(shape)): Model {
  const { family, sizes, rope, headNorms = "before" } = shape;
  const { layers, epsilon } = sizes;
  const plan: CachePlan = cachePlan(shape.windows ?? Array.from({ length: layers }), sizes);
  const map = loadingMap(facts, family, rows, ignoredTables);
  return {
    family,
    vocabularySize: sizes.vocabularySize,
    window: sizes.window,
    width: sizes.width,
    layers,
    cacheGroups: plan.groups,
    ropes: rope === undefined ? [] : [rope],
    ...map,
    heads: { logits: logitsHead(map.parameters, { unitRows: shape.unitHead }) },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      const bias = shape.alibi === true ? alibi(sizes.heads, sizes.window) : undefined;
      let h = gather(weights.get("embedding.weight"), x.ids); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const settings = { ...sizes, window: plan.ofLayer[layer].window, bias, headNorms };
        const context = attentionContext(x, plan, layer, rope?.name);
        const mixed = selfAttention(norm(h, at, "attentionNorm", epsilon), at.at("attention"), settings, context);
        h = add(h, normIfAny(mixed, at, "attentionOutNorm", epsilon));
        const fed = feedForward(norm(h, at, "mlpNorm", epsilon), at, shape.mixture, layer, x.tap);
        h = add(h, normIfAny(fed, at, "mlpOutNorm", epsilon));
      }
      return finalHidden(h, x, weights, layers, epsilon);
    },
  };
}

export function llamaRows(shape: LlamaShape): WeightRow[] {
  const { sizes, biases, tied, ggufInterleaved, headNorms, mixture, joins = [] } = shape;
  const { layers, width, headSize } = sizes;
  const plain = decoderRows(sizes, biases, tied).filter((row) => mixture === undefined || !isReplaced(mixture, row));
  const rows = joinedRows(plain, joins).map((row) =>
    ggufInterleaved && /attention\.(query|key)\./.test(row.parameter) ? { ...row, ggufInterleaved: headSize } : row,
  );
  for (let layer = 0; layer < layers; layer++) {
    rows.push(
      layerRow(layer, "attentionNorm.weight", "input_layernorm", "attn_norm", [width]),
      layerRow(layer, "mlpNorm.weight", "post_attention_layernorm", "ffn_norm", [width]),
    );
    if (mixture?.routing(layer) !== undefined) rows.push(...mixtureRows(layer, mixture, width));
    if (headNorms === undefined) continue;
    rows.push(
      layerRow(layer, "attention.queryNorm.weight", "self_attn.q_norm", "attn_q_norm", [headSize]),
      layerRow(layer, "attention.keyNorm.weight", "self_attn.k_norm", "attn_k_norm", [headSize]),
    );
  }
  return rows;
}
