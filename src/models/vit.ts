// ViT (Dosovitskiy et al. 2021): tells what an image shows. Patches and a row for all of it go through pre-norm layers, in
// both directions; heads, where the weights have them: scores of classes, and what the row of all is made into (the pooler).
import { gather, tanh } from "../graph/index.ts";
import { norm } from "../nn/index.ts";
import { Config } from "./config.ts";
import { cachePlan, row, weightsIn } from "./decoder.ts";
import {
  type TowerNames,
  activations,
  embedImages,
  imageEmbeddingRows,
  imageFormat,
  imageRows,
  towerLayers,
  towerRows,
  towerSizes,
} from "./image-tower.ts";
import { loadingMap } from "./loading.ts";
import type { Head, ImageFormat, Model, ModelFacts, WeightRow } from "./model.ts";

const BASE = { width: 768, forwardWidth: 3072, layers: 12, heads: 12, epsilon: 1e-12 };
/** transformers' ViTImageProcessor. */
const preparation = {
  resize: { width: 224, height: 224 },
  resample: "bilinear",
  crop: undefined,
  rescale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
} as const;

const names = (prefix: string): TowerNames => ({
  layers: `${prefix}encoder.layer`,
  parts: {
    "attention.query": "attention.attention.query",
    "attention.key": "attention.attention.key",
    "attention.value": "attention.attention.value",
    "attention.output": "attention.output.dense",
    attentionNorm: "layernorm_before",
    mlpNorm: "layernorm_after",
    "mlp.up": "intermediate.dense",
    "mlp.down": "output.dense",
  },
});

export function vit(facts: ModelFacts): Model {
  const config = new Config(facts.file, facts.config);
  config.only({ hidden_act: Object.keys(activations), pooler_act: ["tanh"], quantization_config: [] });
  const images = imageFormat(config, { patchSide: 16, processor: "ViT", preparation });
  const sizes = towerSizes(config, facts, imageRows(images), BASE);
  const activation = activations[config.string("hidden_act", "gelu")];
  const plan = cachePlan(Array.from({ length: sizes.layers }), { ...sizes, vocabularySize: 0 });
  const map = loadingMap(facts, "vit", vitRows(facts, config, sizes, images), []);
  const project =
    (name: string): Head =>
    (hidden, x) =>
      weightsIn(map.parameters, x).project(hidden, name);
  const has = (name: string): boolean => map.parameters.has(`${name}.weight`);
  return {
    family: "vit",
    vocabularySize: 0,
    window: sizes.window,
    width: sizes.width,
    layers: sizes.layers,
    cacheGroups: plan.groups,
    bothDirections: true,
    imageFormat: images,
    ropes: [],
    ...map,
    heads: {
      ...(has("classifier") && { scores: project("classifier") }),
      ...(has("pooler") && { pooled: (hidden, x) => tanh(project("pooler")(hidden, x)) }),
    },
    forward(x) {
      const weights = weightsIn(map.parameters, x);
      const h = towerLayers(embedImages(x, weights, images), x, weights, { sizes, plan, activation });
      x.tap(`hidden.${sizes.layers}`, norm(h, weights, "norm", sizes.epsilon));
      return norm(gather(h, x.outputRows), weights, "norm", sizes.epsilon);
    },
  };
}

function vitRows(
  { tensors, isNew }: ModelFacts,
  config: Config,
  sizes: ReturnType<typeof towerSizes>,
  images: ImageFormat,
): WeightRow[] {
  const { width } = sizes;
  const prefix = isNew === true || tensors.has("vit.layernorm.weight") ? "vit." : "";
  const embeddings = {
    patches: `${prefix}embeddings.patch_embeddings.projection`,
    class: `${prefix}embeddings.cls_token`,
    positions: `${prefix}embeddings.position_embeddings`,
  };
  const isBiased = config.boolean("qkv_bias", true);
  const ofHeads = ["attention.query", "attention.key", "attention.value"];
  const both = (part: string, hf: string, shape: readonly number[]): WeightRow[] => [
    row(`${part}.weight`, hf, undefined, shape),
    row(`${part}.bias`, hf, undefined, shape.slice(0, 1)),
  ];
  const classes = tensors.get("classifier.weight")?.shape[0];
  const pooler = `${prefix}pooler.dense`;
  return [
    ...imageEmbeddingRows("", embeddings, width, images, { hasBias: true, ones: [1, 1] }),
    ...towerRows("", names(prefix), sizes, (part) => isBiased || !ofHeads.includes(part)),
    ...both("norm", `${prefix}layernorm`, [width]),
    ...(classes === undefined ? [] : both("classifier", "classifier", [classes, width])),
    ...(tensors.has(`${pooler}.weight`) ? both("pooler", pooler, [width, width]) : []),
  ];
}
