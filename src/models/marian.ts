// Marian's translators (Junczys-Dowmunt et al. 2018; OPUS-MT): the encoder-decoder of Vaswani et al. 2017, LayerNorm after each
// part, biases everywhere, one embedding for source, reply and head. Places are sines in the first half of the columns and
// cosines in the second. There is no GGUF of it.
import { type Tensor, add, gather, linear, relu, scale, silu, table } from "../graph/index.ts";
import { type AttentionContext, type Weights, crossAttention, mlp, norm, selfAttention } from "../nn/index.ts";
import { Config } from "./config.ts";
import { type DecoderSizes, attentionContext, cachePlan, row as namedRow, weightsIn } from "./decoder.ts";
import { type IgnoredRow, loadingMap } from "./loading.ts";
import type { ForwardInputs, Model, ModelFacts, WeightRow } from "./model.ts";

const EPSILON = 1e-5; // of torch's LayerNorm: configs do not say it

const activations = { swish: silu, silu, relu } as const;

/** What an encoder's and a decoder's layers differ in. */
type StackSizes = Pick<DecoderSizes, "heads" | "layers" | "forwardWidth">;

interface MarianShape {
  readonly decoder: DecoderSizes;
  readonly encoder: StackSizes;
  readonly activation: keyof typeof activations;
  readonly startId: number;
  readonly embeddingScale: number;
}

const ignored: readonly IgnoredRow[] = [
  { name: /\.embed_positions\.weight$/, reason: "sines and cosines, computed anew" },
  { name: /^(lm_head|model\.(encoder|decoder)\.embed_tokens)\.weight$/, reason: "a copy of the shared embedding" },
];

function read(facts: ModelFacts): MarianShape {
  const config = new Config(facts.file, facts.config);
  const vocabularySize = config.size("vocab_size");
  config.only({
    activation_function: Object.keys(activations),
    add_final_layer_norm: [false],
    decoder_vocab_size: [vocabularySize],
    normalize_before: [false],
    normalize_embedding: [false],
    quantization_config: [],
    share_encoder_decoder_embeddings: [true],
    tie_word_embeddings: [true],
  });
  const width = config.size("d_model");
  const stack = (side: "encoder" | "decoder"): StackSizes => ({
    layers: config.size(`${side}_layers`),
    heads: config.size(`${side}_attention_heads`),
    forwardWidth: config.size(`${side}_ffn_dim`),
  });
  const [encoder, decoder] = [stack("encoder"), stack("decoder")];
  for (const { layers, heads } of [encoder, decoder]) {
    if (width % (2 * heads) !== 0) throw config.error("d_model", width, `a multiple of 2 for each of ${heads} heads`);
    if (facts.isNew !== true && layers > facts.tensors.size)
      throw config.error("layers", layers, `at most the file's ${facts.tensors.size} tensors`);
  }
  const headSize = width / decoder.heads;
  return {
    decoder: {
      ...decoder,
      vocabularySize,
      window: config.size("max_position_embeddings"),
      width,
      kvHeads: decoder.heads,
      headSize,
      epsilon: EPSILON,
    },
    encoder,
    activation: config.string("activation_function", "swish") as keyof typeof activations,
    startId: config.count("decoder_start_token_id", config.count("pad_token_id", 0)),
    embeddingScale: config.boolean("scale_embedding", false) ? Math.sqrt(width) : 1,
  };
}

export function marian(facts: ModelFacts): Model {
  const shape = read(facts);
  const { decoder, encoder, activation, startId, embeddingScale } = shape;
  const { width, window, layers } = decoder;
  const plan = cachePlan(Array.from({ length: layers }), decoder);
  const map = loadingMap(facts, "marian", marianRows(shape), ignored);
  const act = activations[activation];
  const places = sinusoids(window, width);

  /** (N, C): words and places. */
  const embedded = (side: string, { ids, positions }: Pick<ForwardInputs, "ids" | "positions">, weights: Weights) => {
    const words = gather(weights.get("embedding.weight"), ids);
    return add(scale(words, embeddingScale), gather(table(`${side}places`, [window, width], places), positions));
  };
  const attended = (h: Tensor, at: Weights, heads: number, context: AttentionContext): Tensor => {
    const settings = { heads, kvHeads: heads, headSize: width / heads, epsilon: EPSILON };
    return norm(add(h, selfAttention(h, at.at("attention"), settings, context)), at, "attentionNorm", EPSILON);
  };
  const fedForward = (h: Tensor, at: Weights): Tensor =>
    norm(add(h, mlp(h, at.at("mlp"), act)), at, "mlpNorm", EPSILON);

  return {
    family: "marian",
    vocabularySize: decoder.vocabularySize,
    window,
    width,
    layers,
    cacheGroups: plan.groups,
    ropes: [],
    ...map,
    heads: {
      logits(hidden, x) {
        const weights = weightsIn(map.parameters, x);
        return linear(hidden, weights.get("embedding.weight"), weights.get("logits.bias"));
      },
    },
    encoder: {
      layers: encoder.layers,
      window,
      group: { name: "source", layers, kvHeads: decoder.heads, headSize: decoder.headSize },
      startId,
      forward(x) {
        const weights = weightsIn(map.parameters, x);
        let h = embedded("source.", x, weights);
        for (let layer = 0; layer < encoder.layers; layer++) {
          x.tap(`source.${layer}`, h);
          const at = weights.at(`source.layers.${layer}`);
          h = attended(h, at, encoder.heads, { attend: x.attends.source[layer] });
          h = fedForward(h, at);
        }
        x.tap(`source.${encoder.layers}`, h);
        return Array.from({ length: layers }, (_, layer) => {
          const at = weights.at(`layers.${layer}.cross`);
          return { keys: at.project(h, "key"), values: at.project(h, "value") };
        });
      },
    },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      let h = embedded("", x, weights);
      for (let layer = 0; layer < layers; layer++) {
        x.tap(`hidden.${layer}`, h);
        const at = weights.at(`layers.${layer}`);
        h = attended(h, at, decoder.heads, attentionContext(x, plan, layer));
        h = norm(add(h, crossAttention(h, at.at("cross"), decoder, x.recalls[layer])), at, "crossNorm", EPSILON);
        h = fedForward(h, at);
      }
      x.tap(`hidden.${layers}`, h);
      return gather(h, x.outputRows);
    },
  };
}

/** (positions, C): sin(p / 10000^(2i/C)) for i < C/2, then the cosines. */
function sinusoids(positions: number, width: number): Float32Array {
  const half = width / 2;
  return Float32Array.from({ length: positions * width }, (_, at) => {
    const [position, column] = [Math.floor(at / width), at % width];
    const angle = position / 10_000 ** ((2 * (column % half)) / width);
    return column < half ? Math.sin(angle) : Math.cos(angle);
  });
}

/** GGUF has no names of its own for these. */
const row = (parameter: string, hf: string, shape: readonly number[]): WeightRow => namedRow(parameter, hf, hf, shape);

function marianRows({ decoder, encoder }: MarianShape): WeightRow[] {
  const { vocabularySize, width } = decoder;
  const rows: WeightRow[] = [
    row("embedding.weight", "model.shared", [vocabularySize, width]),
    {
      parameter: "logits.bias",
      hf: "final_logits_bias",
      gguf: "final_logits_bias",
      shape: [vocabularySize],
      hfShape: [1, vocabularySize],
    },
  ];
  const stack = (ours: string, theirs: string, { layers, forwardWidth }: StackSizes, parts: Parts): void => {
    for (let layer = 0; layer < layers; layer++) {
      const add = (part: string, hf: string, shape: readonly number[]): void => {
        const at = (ending: string, shape: readonly number[]): WeightRow =>
          row(`${ours}${layer}.${part}.${ending}`, `model.${theirs}.layers.${layer}.${hf}`, shape);
        rows.push(at("weight", shape), at("bias", shape.slice(0, 1)));
      };
      for (const [part, hf] of parts) {
        for (const [name, letter] of Object.entries({ query: "q", key: "k", value: "v", output: "out" })) {
          add(`${part}.${name}`, `${hf}.${letter}_proj`, [width, width]);
        }
        add(`${part}Norm`, `${hf}_layer_norm`, [width]);
      }
      add("mlp.up", "fc1", [forwardWidth, width]);
      add("mlp.down", "fc2", [width, forwardWidth]);
      add("mlpNorm", "final_layer_norm", [width]);
    }
  };
  const own = ["attention", "self_attn"] as const;
  stack("source.layers.", "encoder", encoder, [own]);
  stack("layers.", "decoder", decoder, [own, ["cross", "encoder_attn"]]);
  return rows;
}

/** Attentions of a layer: our name and HF's. */
type Parts = readonly (readonly [ours: string, theirs: string])[];
