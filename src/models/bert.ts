// BERT (Devlin et al. 2019) and what has its shape, RoBERTa (Liu et al. 2019) and XLM-RoBERTa (Conneau et al. 2020):
// encoders, whose rows see all of their sequence. Learned positions, LayerNorm after each residual sum, biases everywhere.
// Heads, where the weights have them: of hidden tokens, of a whole text (the pooler), of classes (rerankers).
import { type Tensor, add, gather, gelu, geluTanh, linear, relu, tanh } from "../graph/index.ts";
import { type Activation, mlp, norm, selfAttention } from "../nn/index.ts";
import { Config } from "./config.ts";
import { attentionContext, cachePlan, ggufRefusals, row, weightsIn } from "./decoder.ts";
import type { DecoderSizes } from "./decoder.ts";
import { type IgnoredRow, loadingMap } from "./loading.ts";
import type { Head, Model, ModelFacts, WeightRow } from "./model.ts";

interface EncoderSizes extends DecoderSizes {
  /** Kinds of token types. */
  readonly segments: number;
}

/** What a family of this shape is called, and where its config.json and folders differ. */
interface EncoderFamily {
  readonly family: string;
  /** What stands before names in files of models with a head. */
  readonly prefix: string;
  /** Of the head for hidden tokens: its layer, its norm, and what is added to logits. */
  readonly tokenHead: { readonly dense: string; readonly norm: string; readonly bias: string };
  /** Of the head of a whole text, by names that it may have, and of classes. */
  readonly poolers: readonly string[];
  readonly classifiers: readonly string[];
  /** Positions count from the padding token's id on, and one more. */
  readonly afterPadding: boolean;
}

const bertFamily: EncoderFamily = {
  family: "bert",
  prefix: "bert.",
  tokenHead: {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    bias: "cls.predictions.bias",
  },
  poolers: ["bert.pooler.dense", "pooler.dense"],
  classifiers: ["classifier"],
  afterPadding: false,
};

const robertaFamily = (family: string): EncoderFamily => ({
  family,
  prefix: "roberta.",
  tokenHead: { dense: "lm_head.dense", norm: "lm_head.layer_norm", bias: "lm_head.bias" },
  poolers: ["classifier.dense", "roberta.pooler.dense", "pooler.dense"],
  classifiers: ["classifier.out_proj"],
  afterPadding: true,
});

export const bert = (facts: ModelFacts): Model => encoder(facts, facts.kind === "hf" ? bertFamily : ggufFamily(facts));
export const roberta = (facts: ModelFacts): Model => encoder(facts, robertaFamily("roberta"));
export const xlmRoberta = (facts: ModelFacts): Model => encoder(facts, robertaFamily("xlm-roberta"));

/** llama.cpp calls all of them bert; which one it was its vocabulary tells. */
function ggufFamily({ config }: ModelFacts): EncoderFamily {
  const vocabulary = config["tokenizer.ggml.model"];
  if (vocabulary === "t5") return robertaFamily("xlm-roberta");
  return vocabulary === "gpt2" ? robertaFamily("roberta") : bertFamily;
}

const activations: Readonly<Record<string, Activation>> = {
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu,
};

const ignored: readonly IgnoredRow[] = [
  { name: /(^|\.)embeddings\.position_ids$/, reason: "a table of row numbers" },
  { name: /^cls\.predictions\.decoder\.weight$/, reason: "a copy of the embedding, which is the head" },
  { name: /^lm_head\.decoder\.weight$/, reason: "a copy of the embedding, which is the head" },
  { name: /^(cls\.predictions|lm_head)\.decoder\.bias$/, reason: "a copy of the bias beside it" },
  { name: /^cls\.seq_relationship\./, reason: "the head that tells whether a sentence follows another" },
];

interface EncoderShape {
  readonly sizes: EncoderSizes;
  readonly activation: Activation;
  /** Rows of HF's table before that of the first position. */
  readonly firstPosition: number;
}

function readHf(facts: ModelFacts, { afterPadding }: EncoderFamily): EncoderShape {
  const config = new Config(facts.file, facts.config);
  config.only({
    hidden_act: Object.keys(activations),
    position_embedding_type: ["absolute"],
    is_decoder: [false],
    add_cross_attention: [false],
    tie_word_embeddings: [true],
    quantization_config: [],
  });
  const firstPosition = afterPadding ? config.count("pad_token_id", 1) + 1 : 0;
  const sizes = shapeOf(config, facts, {
    vocabularySize: config.size("vocab_size"),
    window: config.size("max_position_embeddings") - firstPosition,
    width: config.size("hidden_size"),
    forwardWidth: config.size("intermediate_size"),
    layers: config.size("num_hidden_layers"),
    heads: config.size("num_attention_heads"),
    epsilon: config.number("layer_norm_eps", 1e-12),
    segments: config.size("type_vocab_size", 2),
  });
  return { sizes, activation: activations[config.string("hidden_act", "gelu")], firstPosition };
}

function readGguf(facts: ModelFacts): EncoderShape {
  const config = new Config(facts.file, facts.config, "bert.");
  config.only({ ...ggufRefusals, "attention.causal": [false] });
  const rowsOf = (tensor: string): number => facts.tensors.get(tensor)?.shape[0] ?? 0;
  const sizes = shapeOf(config, facts, {
    vocabularySize: rowsOf("token_embd.weight"),
    window: rowsOf("position_embd.weight"),
    width: config.size("embedding_length"),
    forwardWidth: config.size("feed_forward_length"),
    layers: config.size("block_count"),
    heads: config.size("attention.head_count"),
    epsilon: config.number("attention.layer_norm_epsilon"),
    segments: rowsOf("token_types.weight"),
  });
  return { sizes, activation: gelu, firstPosition: 0 };
}

function shapeOf(
  config: Config,
  { tensors, isNew }: ModelFacts,
  sizes: Omit<EncoderSizes, "kvHeads" | "headSize">,
): EncoderSizes {
  const { layers, width, heads, window } = sizes;
  if (isNew !== true && layers > tensors.size)
    throw config.error("layers", layers, `at most the file's ${tensors.size} tensors`);
  if (width % heads !== 0) throw config.error("heads", heads, `a divisor of the width ${width}`);
  if (window < 1) throw config.error("max_position_embeddings", window, "more than the padding token's id and 1");
  return { ...sizes, kvHeads: heads, headSize: width / heads };
}

function encoder(facts: ModelFacts, family: EncoderFamily): Model {
  const shape = facts.kind === "hf" ? readHf(facts, family) : readGguf(facts);
  const { sizes, activation } = shape;
  const { layers, epsilon } = sizes;
  const settings = { ...sizes, window: undefined };
  const plan = cachePlan(Array.from({ length: layers }), sizes);
  const map = loadingMap(facts, family.family, encoderRows(facts, family, shape), ignored);
  return {
    family: family.family,
    vocabularySize: sizes.vocabularySize,
    window: sizes.window,
    width: sizes.width,
    layers,
    cacheGroups: plan.groups,
    bothDirections: true,
    ropes: [],
    ...map,
    heads: headsOf(map.parameters, activation, epsilon),
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      const words = gather(weights.get("embedding.weight"), x.ids);
      const places = gather(weights.get("positions.weight"), x.positions);
      const kinds = gather(weights.get("segments.weight"), x.segments);
      let h = norm(add(add(words, places), kinds), weights, "embeddingNorm", epsilon); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const mixed = selfAttention(h, at.at("attention"), settings, attentionContext(x, plan, layer));
        h = norm(add(h, mixed), at, "attentionNorm", epsilon);
        h = norm(add(h, mlp(h, at.at("mlp"), activation)), at, "mlpNorm", epsilon);
      }
      x.tap(`hidden.${layers}`, h);
      return gather(h, x.outputRows);
    },
  };
}

function headsOf(parameters: Model["parameters"], activation: Activation, epsilon: number): Model["heads"] {
  const has = (part: string): boolean => parameters.has(`${part}.weight`);
  const logits: Head = (hidden, x) => {
    const weights = weightsIn(parameters, x);
    const turned = norm(activation(weights.project(hidden, "tokenHead.dense")), weights, "tokenHead.norm", epsilon);
    return linear(turned, weights.get("embedding.weight"), weights.get("tokenHead.bias")); // (M, C) -> (M, V)
  };
  const pooled: Head = (hidden, x) => tanh(weightsIn(parameters, x).project(hidden, "pooler"));
  const scores: Head = (hidden, x): Tensor =>
    weightsIn(parameters, x).project(has("pooler") ? pooled(hidden, x) : hidden, "classifier");
  return {
    ...(has("tokenHead.dense") && { logits }),
    ...(has("pooler") && { pooled }),
    ...(has("classifier") && { scores }),
  };
}

/** Parts of a layer: their names in HF and in GGUF. */
const layerNorms: readonly (readonly [string, string, string])[] = [
  ["attentionNorm", "attention.output.LayerNorm", "attn_output_norm"],
  ["mlpNorm", "output.LayerNorm", "layer_output_norm"],
];

function encoderRows(facts: ModelFacts, family: EncoderFamily, { sizes, firstPosition }: EncoderShape): WeightRow[] {
  const { vocabularySize, window, width, forwardWidth, layers, segments } = sizes;
  const { tensors, kind, isNew } = facts;
  // in GGUF names are those of the folder that it would be
  const hasPrefix = tensors.has(
    kind === "hf" ? `${family.prefix}embeddings.word_embeddings.weight` : "cls.output.weight",
  );
  const prefix = isNew || hasPrefix ? family.prefix : "";
  const rows: WeightRow[] = [];
  const both = (part: string, hf: string, gguf: string | undefined, shape: readonly number[]): void => {
    rows.push(row(`${part}.weight`, hf, gguf, shape), row(`${part}.bias`, hf, gguf, shape.slice(0, 1)));
  };
  const embeddings = `${prefix}embeddings`;
  rows.push(row("embedding.weight", `${embeddings}.word_embeddings`, "token_embd", [vocabularySize, width]), {
    ...row("positions.weight", `${embeddings}.position_embeddings`, "position_embd", [window, width]),
    hfPart: { first: firstPosition, of: firstPosition + window },
  });
  rows.push(row("segments.weight", `${embeddings}.token_type_embeddings`, "token_types", [segments, width]));
  both("embeddingNorm", `${embeddings}.LayerNorm`, "token_embd_norm", [width]);
  for (let layer = 0; layer < layers; layer++) {
    const at = (part: string, hf: string, gguf: string, shape: readonly number[]): void =>
      both(`layers.${layer}.${part}`, `${prefix}encoder.layer.${layer}.${hf}`, `blk.${layer}.${gguf}`, shape);
    at("attention.query", "attention.self.query", "attn_q", [width, width]);
    at("attention.key", "attention.self.key", "attn_k", [width, width]);
    at("attention.value", "attention.self.value", "attn_v", [width, width]);
    at("attention.output", "attention.output.dense", "attn_output", [width, width]);
    at("mlp.up", "intermediate.dense", "ffn_up", [forwardWidth, width]);
    at("mlp.down", "output.dense", "ffn_down", [width, forwardWidth]);
    for (const [part, hf, gguf] of layerNorms) at(part, hf, gguf, [width]);
  }
  const classRows = (name: string): number | undefined => tensors.get(`${name}.weight`)?.shape[0];
  const here = (names: readonly string[]): string => names.find((name) => classRows(name) !== undefined) ?? names[0];
  const [pooler, classifier] = [here(family.poolers), here(family.classifiers)];
  const classes = classRows(kind === "hf" ? classifier : "cls.output");
  const head = family.tokenHead;
  // a new model learns to find hidden tokens; llama.cpp has no name for that head
  if (kind === "hf" && (isNew || tensors.has(`${head.dense}.weight`))) {
    both("tokenHead.dense", head.dense, undefined, [width, width]);
    both("tokenHead.norm", head.norm, undefined, [width]);
    rows.push({ parameter: "tokenHead.bias", hf: head.bias, shape: [vocabularySize] });
  }
  if (classRows(kind === "hf" ? pooler : "cls") !== undefined) both("pooler", pooler, "cls", [width, width]);
  if (classes !== undefined) both("classifier", classifier, "cls.output", [classes, width]);
  return tensors.has(`${embeddings}.LayerNorm.gamma`) ? rows.map(asFirstReleases) : rows;
}

/** The first releases' names of a norm's gain and bias. */
const asFirstReleases = (weight: WeightRow): WeightRow => ({
  ...weight,
  hf: weight.hf.replace(/(LayerNorm)\.weight$/, "$1.gamma").replace(/(LayerNorm)\.bias$/, "$1.beta"),
});
