// GPT-2 (Radford et al. 2019): LayerNorm with biases before each part, learned positions, no rope, a plain GELU MLP.
// HF stores its projections (in, out) and fuses q, k and v; the first release's names lack "transformer.".
import { add, gather, geluTanh } from "../graph/index.ts";
import { mlp, norm, selfAttention } from "../nn/index.ts";
import { Config } from "./config.ts";
import {
  type DecoderSizes,
  attentionContext,
  cachePlan,
  finalHidden,
  ggufRefusals,
  ignoredTables,
  logitsHead,
  row,
  weightsIn,
} from "./decoder.ts";
import { type IgnoredRow, loadingMap } from "./loading.ts";
import type { Model, ModelFacts, WeightRow } from "./model.ts";

interface Gpt2Shape {
  readonly sizes: DecoderSizes;
  readonly tied: boolean | "optional";
  /** What scores are multiplied by in a layer. */
  readonly scale: (layer: number) => number;
}

export const gpt2Ignored: readonly IgnoredRow[] = [
  { name: /(^|\.)h\.\d+\.attn\.(bias|masked_bias)$/, reason: "the causal mask, which attention has built in" },
  ...ignoredTables,
];

function readHf(facts: ModelFacts): Gpt2Shape {
  const config = new Config(facts.file, facts.config);
  config.only({
    activation_function: ["gelu_new", "gelu_pytorch_tanh"],
    add_cross_attention: [false],
    quantization_config: [],
  });
  const width = config.size("n_embd");
  const sizes = shapeOf(config, facts, {
    vocabularySize: config.size("vocab_size"),
    window: config.size("n_positions"),
    width,
    forwardWidth: config.size("n_inner", 4 * width),
    layers: config.size("n_layer"),
    heads: config.size("n_head"),
    epsilon: config.number("layer_norm_epsilon", 1e-5),
  });
  const scale = config.boolean("scale_attn_weights", true) ? sizes.headSize ** -0.5 : 1;
  const byLayer = config.boolean("scale_attn_by_inverse_layer_idx", false);
  return {
    sizes,
    tied: config.boolean("tie_word_embeddings", true),
    scale: (layer) => (byLayer ? scale / (layer + 1) : scale),
  };
}

function readGguf(facts: ModelFacts): Gpt2Shape {
  const config = new Config(facts.file, facts.config, "gpt2.");
  config.only(ggufRefusals);
  const sizes = shapeOf(config, facts, {
    vocabularySize: facts.tensors.get("token_embd.weight")?.shape[0] ?? 0,
    window: config.size("context_length"),
    width: config.size("embedding_length"),
    forwardWidth: config.size("feed_forward_length"),
    layers: config.size("block_count"),
    heads: config.size("attention.head_count"),
    epsilon: config.number("attention.layer_norm_epsilon"),
  });
  return { sizes, tied: "optional", scale: () => sizes.headSize ** -0.5 };
}

function shapeOf(
  config: Config,
  { tensors, isNew }: ModelFacts,
  sizes: Omit<DecoderSizes, "kvHeads" | "headSize">,
): DecoderSizes {
  const { layers, width, heads } = sizes;
  if (isNew !== true && layers > tensors.size)
    throw config.error("layers", layers, `at most the file's ${tensors.size} tensors`);
  if (width % heads !== 0) throw config.error("heads", heads, `a divisor of the width ${width}`);
  return { ...sizes, kvHeads: heads, headSize: width / heads };
}

export function gpt2(facts: ModelFacts): Model {
  const { sizes, tied, scale } = facts.kind === "hf" ? readHf(facts) : readGguf(facts);
  const { layers, heads, kvHeads, headSize, epsilon } = sizes;
  const plan = cachePlan(Array.from({ length: layers }), sizes);
  const map = loadingMap(facts, "gpt2", gpt2Rows(facts, sizes, tied), gpt2Ignored);
  return {
    family: "gpt2",
    vocabularySize: sizes.vocabularySize,
    window: sizes.window,
    width: sizes.width,
    layers,
    cacheGroups: plan.groups,
    ropes: [],
    ...map,
    heads: { logits: logitsHead(map.parameters) },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      const places = gather(weights.get("positions.weight"), x.positions);
      let h = add(gather(weights.get("embedding.weight"), x.ids), places); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const settings = { heads, kvHeads, headSize, epsilon, scale: scale(layer) };
        const context = attentionContext(x, plan, layer);
        const normed = norm(h, at, "attentionNorm", epsilon);
        h = add(h, selfAttention(normed, at.at("attention"), settings, context));
        h = add(h, mlp(norm(h, at, "mlpNorm", epsilon), at.at("mlp"), geluTanh));
      }
      return finalHidden(h, x, weights, layers, epsilon);
    },
  };
}

function gpt2Rows({ tensors }: ModelFacts, sizes: DecoderSizes, tied: boolean | "optional"): WeightRow[] {
  const { vocabularySize, window, width } = sizes;
  const prefix = tensors.has("wte.weight") ? "" : "transformer.";
  const rows = [
    row("embedding.weight", `${prefix}wte`, "token_embd", [vocabularySize, width]),
    row("positions.weight", `${prefix}wpe`, "position_embd", [window, width]),
    row("norm.weight", `${prefix}ln_f`, "output_norm", [width]),
    row("norm.bias", `${prefix}ln_f`, "output_norm", [width]),
  ];
  if (tied !== true) {
    rows.push({ ...row("head.weight", "lm_head", "output", [vocabularySize, width]), optional: tied === "optional" });
  }
  return [...rows, ...gpt2LayerRows(prefix, sizes)];
}

/** Rows of the layers, which GPT-1 has too; `prefix` stands before HF's names. */
export function gpt2LayerRows(prefix: string, { width, forwardWidth, layers }: DecoderSizes): WeightRow[] {
  const rows: WeightRow[] = [];
  // part of a layer, its name in HF, in GGUF, its shape, and where it lies in a fused tensor
  const linears: [string, string, string, [number, number], WeightRow["part"]?][] = [
    ["attention.query", "attn.c_attn", "attn_qkv", [width, width], { first: 0, of: 3 * width }],
    ["attention.key", "attn.c_attn", "attn_qkv", [width, width], { first: width, of: 3 * width }],
    ["attention.value", "attn.c_attn", "attn_qkv", [width, width], { first: 2 * width, of: 3 * width }],
    ["attention.output", "attn.c_proj", "attn_output", [width, width]],
    ["mlp.up", "mlp.c_fc", "ffn_up", [forwardWidth, width]],
    ["mlp.down", "mlp.c_proj", "ffn_down", [width, forwardWidth]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const at = (part: string, hf: string, gguf: string, shape: readonly number[]): WeightRow =>
      row(`layers.${layer}.${part}`, `${prefix}h.${layer}.${hf}`, `blk.${layer}.${gguf}`, shape);
    for (const [part, hf, gguf, shape, fused] of linears) {
      const place = fused === undefined ? {} : { part: fused };
      rows.push({ ...at(`${part}.weight`, hf, gguf, shape), ...place, hfTransposed: true });
      rows.push({ ...at(`${part}.bias`, hf, gguf, shape.slice(0, 1)), ...place });
    }
    for (const ending of ["weight", "bias"]) {
      rows.push(at(`attentionNorm.${ending}`, "ln_1", "attn_norm", [width]));
      rows.push(at(`mlpNorm.${ending}`, "ln_2", "ffn_norm", [width]));
    }
  }
  return rows;
}
