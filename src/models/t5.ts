// T5 (Raffel et al. 2020), versions 1.0 and 1.1, FLAN-T5, and mT5 (Xue et al. 2021): an encoder-decoder with RMSNorm before each part, no biases,
// scores that are not divided, and positions as a bias by distance that all layers of a stack share.
import { type Tensor, add, gather, geluTanh, linear, relu, scale, table, transpose } from "../graph/index.ts";
import { type Weights, crossAttention, gatedMlp, mlp, norm, selfAttention } from "../nn/index.ts";
import { Config } from "./config.ts";
import { type DecoderSizes, attentionContext, cachePlan, ggufRefusals, row, weightsIn } from "./decoder.ts";
import { type IgnoredRow, loadingMap } from "./loading.ts";
import type { Model, ModelFacts, WeightRow } from "./model.ts";

/** What llama.cpp has for every model: GGUF has no word for it. */
export const T5_MAX_DISTANCE = 128;
/** More than the places of a sequence that pages of any usual size hold. */
const PAGE_ROOM = 64;

interface T5Shape {
  readonly sizes: DecoderSizes;
  readonly encoderLayers: number;
  readonly buckets: number;
  readonly maxDistance: number;
  /** The feed-forward part has a gate (version 1.1), with gelu; else relu. */
  readonly isGated: boolean;
  readonly tied: boolean | "optional";
  /** What the decoder gives is multiplied by width^-0.5 before the head, which is the embedding (version 1.0). */
  readonly isScaled: boolean;
  readonly startId: number;
}

const ignored: readonly IgnoredRow[] = [
  { name: /^(encoder|decoder)\.embed_tokens\.weight$/, reason: "a copy of the shared embedding" },
  { name: /^lm_head\.weight$/, reason: "a copy of the embedding, which is the head (tie_word_embeddings)" },
  { name: /EncDecAttention\.relative_attention_bias\.weight$/, reason: "looking at a source has no bias by distance" },
  { name: /cross_attn_rel_b\.weight$/, reason: "looking at a source has no bias by distance" },
];

/** What a config.json that does not say it means. */
interface Defaults {
  readonly family: string;
  readonly tied: boolean;
  readonly forward: "relu" | "gated-gelu";
}

function readHf(facts: ModelFacts, defaults: Defaults): T5Shape {
  const config = new Config(facts.file, facts.config);
  config.only({
    dense_act_fn: ["gelu_new", "relu"],
    feed_forward_proj: ["relu", "gated-gelu"],
    quantization_config: [],
  });
  const [width, heads] = [config.size("d_model"), config.size("num_heads")];
  const encoderLayers = config.size("num_layers");
  const tied = config.boolean("tie_word_embeddings", defaults.tied);
  return {
    sizes: {
      vocabularySize: config.size("vocab_size"),
      window: config.size("n_positions", 512),
      width,
      forwardWidth: config.size("d_ff"),
      layers: config.size("num_decoder_layers", encoderLayers),
      heads,
      kvHeads: heads,
      headSize: config.size("d_kv", 64),
      epsilon: config.number("layer_norm_epsilon", 1e-6),
    },
    encoderLayers,
    buckets: config.size("relative_attention_num_buckets", 32),
    maxDistance: config.size("relative_attention_max_distance", T5_MAX_DISTANCE),
    isGated: config.string("feed_forward_proj", defaults.forward) === "gated-gelu",
    tied,
    isScaled: config.boolean("scale_decoder_outputs", tied),
    startId: config.count("decoder_start_token_id", config.count("pad_token_id", 0)),
  };
}

function readGguf(facts: ModelFacts): T5Shape {
  const config = new Config(facts.file, facts.config, "t5.");
  config.only(ggufRefusals);
  const [width, heads] = [config.size("embedding_length"), config.size("attention.head_count")];
  const headSize = config.size("attention.key_length", width / heads);
  config.only({ "attention.value_length": [headSize] });
  const encoderLayers = config.size("block_count");
  return {
    sizes: {
      vocabularySize: facts.tensors.get("token_embd.weight")?.shape[0] ?? 0,
      window: config.size("context_length"),
      width,
      forwardWidth: config.size("feed_forward_length"),
      layers: config.size("decoder_block_count", encoderLayers),
      heads,
      kvHeads: heads,
      headSize,
      epsilon: config.number("attention.layer_norm_rms_epsilon"),
    },
    encoderLayers,
    buckets: config.size("attention.relative_buckets_count"),
    maxDistance: T5_MAX_DISTANCE,
    isGated: facts.tensors.has("dec.blk.0.ffn_gate.weight"),
    tied: "optional",
    isScaled: !facts.tensors.has("output.weight"),
    startId: config.count("decoder_start_token_id", 0),
  };
}

export const t5 = (facts: ModelFacts): Model => model(facts, { family: "t5", tied: true, forward: "relu" });

/** Version 1.1 in many languages, whose head is its own; t5 in GGUF. */
export function mt5(facts: ModelFacts): Model {
  new Config(facts.file, facts.config).only({ tie_word_embeddings: [false] });
  return model(facts, { family: "mt5", tied: false, forward: "gated-gelu" });
}

function model(facts: ModelFacts, defaults: Defaults): Model {
  const { family } = defaults;
  const shape = facts.kind === "hf" ? readHf(facts, defaults) : readGguf(facts);
  const { sizes, encoderLayers, isGated, startId } = shape;
  const { width, window, layers, epsilon } = sizes;
  if (facts.isNew !== true && layers + encoderLayers > facts.tensors.size) {
    const config = new Config(facts.file, facts.config);
    throw config.error("layers", layers + encoderLayers, `at most the file's ${facts.tensors.size} tensors`);
  }
  const plan = cachePlan(Array.from({ length: layers }), sizes);
  const map = loadingMap(facts, family, t5Rows(shape), ignored);
  const settings = { ...sizes, scale: 1, window: undefined };
  const fedForward = (h: Tensor, at: Weights): Tensor => {
    const normed = norm(h, at, "mlpNorm", epsilon);
    return add(h, isGated ? gatedMlp(normed, at.at("mlp"), geluTanh) : mlp(normed, at.at("mlp"), relu));
  };
  return {
    family,
    vocabularySize: sizes.vocabularySize,
    window,
    width,
    layers,
    cacheGroups: plan.groups,
    ropes: [],
    ...map,
    heads: {
      logits(hidden, x) {
        const weights = weightsIn(map.parameters, x);
        const head = weights.find("head.weight") ?? weights.get("embedding.weight");
        return linear(shape.isScaled ? scale(hidden, width ** -0.5) : hidden, head);
      },
    },
    encoder: {
      layers: encoderLayers,
      window,
      group: { name: "source", layers, kvHeads: sizes.kvHeads, headSize: sizes.headSize },
      startId,
      forward(x) {
        const weights = weightsIn(map.parameters, x);
        const bias = biasOf(weights, "source.", bothBuckets(shape));
        let h = gather(weights.get("embedding.weight"), x.ids);
        for (let layer = 0; layer < encoderLayers; layer++) {
          x.tap(`source.${layer}`, h);
          const at = weights.at(`source.layers.${layer}`);
          const context = { attend: x.attends.source[layer] };
          const normed = norm(h, at, "attentionNorm", epsilon);
          h = add(h, selfAttention(normed, at.at("attention"), { ...settings, bias }, context));
          h = fedForward(h, at);
        }
        const read = x.tap(`source.${encoderLayers}`, norm(h, weights, "source.norm", epsilon));
        return Array.from({ length: layers }, (_, layer) => {
          const at = weights.at(`layers.${layer}.cross`);
          return { keys: at.project(read, "key"), values: at.project(read, "value") };
        });
      },
    },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      const bias = biasOf(weights, "", earlierBuckets(shape));
      let h = gather(weights.get("embedding.weight"), x.ids); // (N, C)
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        const normed = norm(h, at, "attentionNorm", epsilon);
        const context = attentionContext(x, plan, layer);
        h = add(h, selfAttention(normed, at.at("attention"), { ...settings, bias }, context));
        h = add(h, crossAttention(norm(h, at, "crossNorm", epsilon), at.at("cross"), settings, x.recalls[layer]));
        h = fedForward(h, at);
      }
      return gather(x.tap(`hidden.${layers}`, norm(h, weights, "norm", epsilon)), x.outputRows);
    },
  };
}

/** (H, B): a stack's bias by distance, of its buckets' weights (buckets, H). */
function biasOf(weights: Weights, stack: string, buckets: Int32Array): Tensor {
  const ids = table(`${stack}buckets`, [buckets.length], buckets);
  return transpose(gather(weights.get(`${stack}distances.weight`), ids));
}

/** Buckets of how far keys are before a query, the farthest first; the last is the query's own. */
function earlierBuckets({ buckets, maxDistance, sizes }: T5Shape): Int32Array {
  const count = sizes.window + PAGE_ROOM;
  return Int32Array.from({ length: count }, (_, column) => bucketOf(count - 1 - column, buckets, maxDistance));
}

/** Buckets of keys from as far before a query as matters to as far behind it: half of them are for each side. */
function bothBuckets({ buckets, maxDistance }: T5Shape): Int32Array {
  const half = buckets / 2;
  return Int32Array.from({ length: 2 * maxDistance + 1 }, (_, column) => {
    const ahead = column - maxDistance;
    return (ahead > 0 ? half : 0) + bucketOf(Math.abs(ahead), half, maxDistance);
  });
}

/** Half of the buckets are for one distance each; the others widen by equal ratios up to `maxDistance`. In f32, as torch has it. */
function bucketOf(distance: number, buckets: number, maxDistance: number): number {
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return distance;
  const { fround, log } = Math;
  const share = fround(fround(log(fround(distance / exact))) / fround(log(maxDistance / exact)));
  return Math.min(buckets - 1, exact + Math.trunc(fround(share * (buckets - exact))));
}

function t5Rows({ sizes, encoderLayers, buckets, isGated, tied }: T5Shape): WeightRow[] {
  const { vocabularySize, width, forwardWidth, layers, heads, headSize } = sizes;
  const inner = heads * headSize;
  const rows = [
    row("embedding.weight", "shared", "token_embd", [vocabularySize, width]),
    row("source.norm.weight", "encoder.final_layer_norm", "enc.output_norm", [width]),
    row("norm.weight", "decoder.final_layer_norm", "dec.output_norm", [width]),
  ];
  if (tied !== true) {
    rows.push({ ...row("head.weight", "lm_head", "output", [vocabularySize, width]), optional: tied === "optional" });
  }
  const stack = (ours: string, theirs: "encoder" | "decoder", gguf: string, count: number): void => {
    rows.push(
      row(
        `${ours}distances.weight`,
        `${theirs}.block.0.layer.0.SelfAttention.relative_attention_bias`,
        `${gguf}.blk.0.attn_rel_b`,
        [buckets, heads],
      ),
    );
    const attention = (at: string, hf: string, part: string, named: string, prefix: string): void => {
      const letters = { query: "q", key: "k", value: "v", output: "o" };
      for (const [name, letter] of Object.entries(letters)) {
        const shape = name === "output" ? [width, inner] : [inner, width];
        rows.push(row(`${at}.${part}.${name}.weight`, `${hf}.${named}.${letter}`, `${prefix}_${letter}`, shape));
      }
      rows.push(row(`${at}.${part}Norm.weight`, `${hf}.layer_norm`, `${prefix}_norm`, [width]));
    };
    for (let layer = 0; layer < count; layer++) {
      const [at, hf, blk] = [`${ours}layers.${layer}`, `${theirs}.block.${layer}.layer`, `${gguf}.blk.${layer}`];
      attention(at, `${hf}.0`, "attention", "SelfAttention", `${blk}.attn`);
      if (theirs === "decoder") attention(at, `${hf}.1`, "cross", "EncDecAttention", `${blk}.cross_attn`);
      const last = `${hf}.${theirs === "decoder" ? 2 : 1}`;
      const mlpRow = (part: string, name: string, ggufName: string, shape: readonly number[]): WeightRow =>
        row(`${at}.mlp.${part}.weight`, `${last}.DenseReluDense.${name}`, `${blk}.ffn_${ggufName}`, shape);
      const up: [number, number] = [forwardWidth, width];
      rows.push(
        ...(isGated
          ? [mlpRow("gate", "wi_0", "gate", up), mlpRow("up", "wi_1", "up", up)]
          : [mlpRow("up", "wi", "up", up)]),
        mlpRow("down", "wo", "down", [width, forwardWidth]),
        row(`${at}.mlpNorm.weight`, `${last}.layer_norm`, `${blk}.ffn_norm`, [width]),
      );
    }
  };
  stack("source.", "encoder", "enc", encoderLayers);
  stack("", "decoder", "dec", layers);
  return rows;
}
