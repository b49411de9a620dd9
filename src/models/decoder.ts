// What llama-shaped decoders have in common: the sizes in their configs, their tensors' names in HF folders and in
// GGUF, their cache groups, and the two ends of their forward pass. In what it differs, a family's file says itself.
import { sum } from "../base/collections.ts";
import { type Tensor, divide, gather, isState, linear, multiply, sqrt, sumColumns } from "../graph/index.ts";
import { type AttentionContext, type Weights, norm, weightsOf } from "../nn/index.ts";
import type { Config } from "./config.ts";
import type { IgnoredRow } from "./loading.ts";
import type { CacheGroup, ForwardInputs, Head, Model, ModelFacts, WeightRow } from "./model.ts";
import { ROPE_DIVISORS, ggufWindow, hfWindow } from "./rope-config.ts";

export interface DecoderSizes {
  readonly vocabularySize: number;
  /** The longest sequence, in tokens. */
  readonly window: number;
  readonly width: number;
  readonly forwardWidth: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly epsilon: number;
}

/** Sizes from config.json, whose key names most families share. `fallbacks` are the family's own defaults. */
export function hfSizes(
  config: Config,
  facts: ModelFacts,
  fallbacks: { readonly headSize?: number } = {},
): DecoderSizes {
  const width = config.size("hidden_size");
  const heads = config.size("num_attention_heads");
  return checked(config, facts, "num_hidden_layers", {
    vocabularySize: config.size("vocab_size"),
    window: hfWindow(config, config.size("max_position_embeddings"), config.count("max_sequence_length", 0)),
    width,
    forwardWidth: config.size("intermediate_size"),
    layers: config.size("num_hidden_layers"),
    heads,
    kvHeads: config.size("num_key_value_heads", heads),
    headSize: config.size("head_dim", fallbacks.headSize ?? width / heads),
    epsilon: config.number("rms_norm_eps", 1e-6),
  });
}

/** Sizes from GGUF metadata; the vocabulary is as long as the embedding. */
export function ggufSizes(config: Config, facts: ModelFacts): DecoderSizes {
  const width = config.size("embedding_length");
  const heads = config.size("attention.head_count");
  const headSize = config.size("attention.key_length", width / heads);
  config.only({ "attention.value_length": [headSize] });
  return checked(config, facts, "block_count", {
    vocabularySize: facts.tensors.get("token_embd.weight")?.shape[0] ?? 0,
    window: ggufWindow(config, facts),
    width,
    forwardWidth: config.size("feed_forward_length"),
    layers: config.size("block_count"),
    heads,
    kvHeads: config.size("attention.head_count_kv", heads),
    headSize,
    epsilon: config.number("attention.layer_norm_rms_epsilon"),
  });
}

/** Throws FormatError for sizes that cannot be. */
export function checked(
  config: Config,
  { tensors, isNew }: ModelFacts,
  layersKey: string,
  sizes: DecoderSizes,
): DecoderSizes {
  const { layers, heads, kvHeads, headSize } = sizes;
  // so that a broken count cannot make us list a million layers before the first tensor is found missing
  if (isNew !== true && layers > tensors.size)
    throw config.error(layersKey, layers, `at most the file's ${tensors.size} tensors`);
  if (heads % kvHeads !== 0) throw config.error("key-value heads", kvHeads, `a divisor of the ${heads} heads`);
  if (headSize % 2 !== 0) throw config.error("head size", headSize, "an even number");
  return sizes;
}

/** GGUF options that no decoder here has: each would change the result. */
export const ggufRefusals: Readonly<Record<string, readonly unknown[]>> = {
  expert_count: [0],
  "attention.causal": [true],
  "attention.clamp_kqv": [0],
  "attention.max_alibi_bias": [0],
  "attention.scale": [],
  embedding_scale: [],
  logit_scale: [],
  residual_scale: [],
};

/** HF options of the same kind. */
export const hfRefusals: Readonly<Record<string, readonly unknown[]>> = {
  quantization_config: [],
};

/** Tables that old checkpoints carry beside their weights. */
export const ignoredTables: readonly IgnoredRow[] = [
  {
    name: /\.(rotary_emb|rotary_pos_emb)\.inv_freq$/,
    reason: "a table of rope frequencies, computed anew from the config",
  },
  { name: /^lm_head\.weight$/, reason: "a copy of the embedding, which is the head (tie_word_embeddings)" },
  { name: ROPE_DIVISORS, reason: "rope divisors, already part of the rope tables" },
];

export interface DecoderBiases {
  /** "optional": where the file has them. */
  readonly qkv: boolean | "optional";
  readonly output: boolean | "optional";
  readonly mlp: boolean | "optional";
}

/** Rows for embedding, layers, final norm and head. Families with more weights add their own rows. */
export function decoderRows(sizes: DecoderSizes, biases: DecoderBiases, tied: boolean | "optional"): WeightRow[] {
  const { vocabularySize, width, forwardWidth, layers, heads, kvHeads, headSize } = sizes;
  const rows: WeightRow[] = [
    row("embedding.weight", "model.embed_tokens", "token_embd", [vocabularySize, width]),
    row("norm.weight", "model.norm", "output_norm", [width]),
  ];
  if (tied !== true) {
    const head = row("head.weight", "lm_head", "output", [vocabularySize, width]);
    rows.push({ ...head, optional: tied === "optional" });
  }
  // part of a layer, its name in HF, in GGUF, and its shape; with it goes a bias of as many elements as rows
  const linears: [string, string, string, number[], DecoderBiases["qkv"]][] = [
    ["attention.query", "self_attn.q_proj", "attn_q", [heads * headSize, width], biases.qkv],
    ["attention.key", "self_attn.k_proj", "attn_k", [kvHeads * headSize, width], biases.qkv],
    ["attention.value", "self_attn.v_proj", "attn_v", [kvHeads * headSize, width], biases.qkv],
    ["attention.output", "self_attn.o_proj", "attn_output", [width, heads * headSize], biases.output],
    ["mlp.gate", "mlp.gate_proj", "ffn_gate", [forwardWidth, width], biases.mlp],
    ["mlp.up", "mlp.up_proj", "ffn_up", [forwardWidth, width], biases.mlp],
    ["mlp.down", "mlp.down_proj", "ffn_down", [width, forwardWidth], biases.mlp],
  ];
  for (let layer = 0; layer < layers; layer++) {
    for (const [part, hf, gguf, shape, bias] of linears) {
      rows.push(layerRow(layer, `${part}.weight`, hf, gguf, shape));
      if (bias === false) continue;
      rows.push({ ...layerRow(layer, `${part}.bias`, hf, gguf, shape.slice(0, 1)), optional: bias === "optional" });
    }
  }
  return rows;
}

/** One tensor of a layer that holds the rows of several projections, in this order. */
export interface JoinedTensor {
  readonly hf: string;
  readonly gguf: string;
  readonly parts: readonly string[];
}

/** `rows` of `decoderRows`, those of joined tensors under their names. */
export function joinedRows(rows: readonly WeightRow[], joins: readonly JoinedTensor[]): WeightRow[] {
  const outer = new Map(rows.map(({ parameter, shape }) => [parameter, shape[0]]));
  return rows.map((row) => {
    const [, layer, part, ending] = /^layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(row.parameter) ?? [];
    const join = joins.find(({ parts }) => parts.includes(part));
    if (join === undefined) return row;
    const counts = join.parts.map((name) => outer.get(`layers.${layer}.${name}.${ending}`)!);
    return {
      ...row,
      hf: `model.layers.${layer}.${join.hf}.${ending}`,
      gguf: `blk.${layer}.${join.gguf}.${ending}`,
      part: { first: sum(counts.slice(0, join.parts.indexOf(part))), of: sum(counts) },
    };
  });
}

/** A row whose names end alike in both kinds of file: ".weight" or ".bias", as the parameter's does. */
export function row(parameter: string, hf: string, gguf: string | undefined, shape: readonly number[]): WeightRow {
  const ending = parameter.slice(parameter.lastIndexOf("."));
  return { parameter, hf: hf + ending, ...(gguf !== undefined && { gguf: gguf + ending }), shape };
}

/** The same inside layer `layer`. */
export const layerRow = (layer: number, part: string, hf: string, gguf: string, shape: readonly number[]): WeightRow =>
  row(`layers.${layer}.${part}`, `model.layers.${layer}.${hf}`, `blk.${layer}.${gguf}`, shape);

/** Which cache group each layer uses, and its number inside that group. */
export interface CachePlan {
  readonly groups: readonly CacheGroup[];
  readonly ofLayer: readonly { readonly group: string; readonly index: number; readonly window?: number }[];
}

/** Groups layers by their window: "full" without one, "window" with. All windowed layers have the same one. */
export function cachePlan(windows: readonly (number | undefined)[], sizes: DecoderSizes): CachePlan {
  const counts = new Map<string, number>();
  const ofLayer = windows.map((window) => {
    const group = window === undefined ? "full" : "window";
    const index = counts.get(group) ?? 0;
    counts.set(group, index + 1);
    return { group, index, ...(window !== undefined && { window }) };
  });
  const groups = [...counts].map(([name, layers]) => {
    const window = ofLayer.find(({ group }) => group === name)?.window;
    return { name, layers, kvHeads: sizes.kvHeads, headSize: sizes.headSize, ...(window !== undefined && { window }) };
  });
  return { groups, ofLayer };
}

/** What `selfAttention` needs besides weights: how this layer attends, and a rope where it has one. */
export function attentionContext(x: ForwardInputs, plan: CachePlan, layer: number, rope?: string): AttentionContext {
  const { group, index } = plan.ofLayer[layer];
  return { attend: x.attends[group][index], ...(rope !== undefined && { rope: x.ropes[rope] }) };
}

export const weightsIn = (
  parameters: Model["parameters"],
  x: Pick<ForwardInputs, "parameter" | "projection">,
): Weights => weightsOf(parameters, (name) => x.parameter(name), x.projection);

/**
 * The end of a forward pass: the final norm, on the output rows only. The tap "hidden.L" is that of all rows.
 * h (N, C) -> (outputRows, C).
 */
export function finalHidden(h: Tensor, x: ForwardInputs, weights: Weights, layers: number, epsilon: number): Tensor {
  x.tap(`hidden.${layers}`, norm(h, weights, "norm", epsilon));
  return norm(gather(h, x.outputRows), weights, "norm", epsilon);
}

/**
 * A decoder's head: a matrix of its own, or the embedding where it is tied. `unitRows`: loading has made its rows of length
 * 1; while they are trained, it is done here.
 */
export const logitsHead =
  (parameters: Model["parameters"], { unitRows = false } = {}): Head =>
  (hidden, x) => {
    const weights = weightsIn(parameters, x);
    const head = weights.find("head.weight") ?? weights.get("embedding.weight");
    return linear(hidden, unitRows && isState(head) ? divide(head, sqrt(sumColumns(multiply(head, head)))) : head); // (M, C) -> (M, V)
  };
