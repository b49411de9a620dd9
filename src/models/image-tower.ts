// What models that read images have in common (Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words"): patches become
// rows, after one that stands for the whole image, and pre-norm layers with biases. Not here: cutting images (src/image).
import {
  type Tensor,
  add,
  broadcast,
  gather,
  gelu,
  geluTanh,
  multiply,
  relu,
  scale,
  silu,
  subtract,
  table,
} from "../graph/index.ts";
import { type Activation, type Weights, mlp, norm, selfAttention } from "../nn/index.ts";
import type { Config } from "./config.ts";
import { type CachePlan, type DecoderSizes, attentionContext, row } from "./decoder.ts";
import type { ForwardInputs, ImageFormat, ModelFacts, WeightRow } from "./model.ts";

/** x sigmoid(1.702 x). */
const QUICK = 1.702;
const quickGelu: Activation = (x) => scale(silu(scale(x, QUICK)), 1 / QUICK);

/** By the names of configs. */
export const activations: Readonly<Record<string, Activation>> = {
  quick_gelu: quickGelu,
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu,
};

/** What a tower computes with; its window is that of `rowsOf` an image, or of a text. */
export type TowerSizes = Omit<DecoderSizes, "vocabularySize">;

/** The names of a tower's sizes are those of transformers' encoders; `fallbacks` are what a config means that says nothing. */
export function towerSizes(
  config: Config,
  { tensors, isNew }: ModelFacts,
  window: number,
  fallbacks: Readonly<Record<"width" | "forwardWidth" | "layers" | "heads" | "epsilon", number>>,
): TowerSizes {
  const width = config.size("hidden_size", fallbacks.width);
  const layers = config.size("num_hidden_layers", fallbacks.layers);
  const heads = config.size("num_attention_heads", fallbacks.heads);
  if (isNew !== true && layers > tensors.size)
    throw config.error("num_hidden_layers", layers, `at most the file's ${tensors.size} tensors`);
  if (width % heads !== 0) throw config.error("num_attention_heads", heads, `a divisor of the width ${width}`);
  const forwardWidth = config.size("intermediate_size", fallbacks.forwardWidth);
  const epsilon = config.number("layer_norm_eps", fallbacks.epsilon);
  return { window, width, forwardWidth, layers, heads, kvHeads: heads, headSize: width / heads, epsilon };
}

/** Reads how images are cut. Throws FormatError for a side that patches do not divide. */
export function imageFormat(
  config: Config,
  { patchSide, ...fixed }: Pick<ImageFormat, "patchSide" | "processor" | "preparation">,
): ImageFormat {
  const side = config.size("image_size", 224);
  const patch = config.size("patch_size", patchSide);
  if (side % patch !== 0) throw config.error("image_size", side, `a multiple of the patches' ${patch} pixels`);
  config.only({ num_channels: [3] });
  return { side, patchSide: patch, ...fixed };
}

/** Rows of an image: one for all of it, and its patches. */
export const imageRows = ({ side, patchSide }: ImageFormat): number => 1 + (side / patchSide) ** 2;
/** Numbers of a patch: three colours of each pixel. */
export const patchColumns = ({ patchSide }: ImageFormat): number => 3 * patchSide ** 2;

/**
 * Patches (N, K), of which the first of each image is not read -> (N, C). Weights: patches (W, and b in some), class (C),
 * positions (rows of an image, C).
 */
export function embedImages({ patches, positions }: ForwardInputs, weights: Weights, format: ImageFormat): Tensor {
  const rows = imageRows(format);
  const marks = Float32Array.from({ length: rows }, (_, i) => (i === 0 ? 1 : 0));
  const isFirst = gather(table("firstRow", [rows, 1], marks), positions); // (N, 1)
  const cut = weights.project(patches!, "patches"); // (N, K) -> (N, C)
  const first = broadcast(weights.get("class"), cut.shape);
  const h = add(multiply(cut, subtract(1, isFirst)), multiply(first, isFirst));
  return add(h, gather(weights.get("positions.weight"), positions));
}

/** h (N, C) -> (N, C) through pre-norm layers. */
export function towerLayers(
  h: Tensor,
  x: ForwardInputs,
  weights: Weights,
  { sizes, plan, activation }: { sizes: TowerSizes; plan: CachePlan; activation: Activation },
): Tensor {
  const { layers, epsilon } = sizes;
  const settings = { ...sizes, window: undefined };
  for (let layer = 0; layer < layers; layer++) {
    x.tap(`hidden.${layer}`, h);
    const at = weights.at(`layers.${layer}`);
    const mixed = norm(h, at, "attentionNorm", epsilon);
    h = add(h, selfAttention(mixed, at.at("attention"), settings, attentionContext(x, plan, layer)));
    h = add(h, mlp(norm(h, at, "mlpNorm", epsilon), at.at("mlp"), activation));
  }
  return h;
}

/** A tower's parts by their names in HF. */
export interface TowerNames {
  /** Before the number of a layer. */
  readonly layers: string;
  readonly parts: Readonly<Record<(typeof parts)[number], string>>;
}
const parts = [
  "attention.query",
  "attention.key",
  "attention.value",
  "attention.output",
  "attentionNorm",
  "mlpNorm",
  "mlp.up",
  "mlp.down",
] as const;

/** Rows of a tower's layers, whose parameters have `prefix` in front. `hasBias`: of a part of a layer. */
export function towerRows(
  prefix: string,
  names: TowerNames,
  { width, forwardWidth, layers }: TowerSizes,
  hasBias: (part: string) => boolean = () => true,
): WeightRow[] {
  const shapes: Partial<Record<string, readonly number[]>> = {
    attentionNorm: [width],
    mlpNorm: [width],
    "mlp.up": [forwardWidth, width],
    "mlp.down": [width, forwardWidth],
  };
  return Array.from({ length: layers }, (_, layer) =>
    parts.flatMap((part) => {
      const shape = shapes[part] ?? [width, width];
      const at = (ending: string, size: readonly number[]): WeightRow =>
        row(
          `${prefix}layers.${layer}.${part}.${ending}`,
          `${names.layers}.${layer}.${names.parts[part]}`,
          undefined,
          size,
        );
      return [at("weight", shape), ...(hasBias(part) ? [at("bias", shape.slice(0, 1))] : [])];
    }),
  ).flat();
}

/** Rows of what is before the layers of a tower that reads images. */
export function imageEmbeddingRows(
  prefix: string,
  names: { readonly patches: string; readonly class: string; readonly positions: string },
  width: number,
  format: ImageFormat,
  stored: { readonly hasBias: boolean; readonly ones: readonly number[] },
): WeightRow[] {
  const { patchSide } = format;
  const rows = imageRows(format);
  const weight = row(`${prefix}patches.weight`, names.patches, undefined, [width, patchColumns(format)]);
  return [
    { ...weight, hfShape: [width, 3, patchSide, patchSide] },
    ...(stored.hasBias ? [row(`${prefix}patches.bias`, names.patches, undefined, [width])] : []),
    { parameter: `${prefix}class`, hf: names.class, shape: [width], hfShape: [...stored.ones, width] },
    {
      parameter: `${prefix}positions.weight`,
      hf: names.positions,
      shape: [rows, width],
      hfShape: [...stored.ones.slice(1), rows, width],
    },
  ];
}
