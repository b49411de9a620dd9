// CLIP (Radford et al. 2021): a text tower and an image tower whose vectors lie in one space. Texts are read from left to
// right and stand at their end; images stand at the row before their patches. Both towers are pre-norm with biases.
import { type Tensor, add, gather } from "../graph/index.ts";
import { type Weights, norm } from "../nn/index.ts";
import { Config } from "./config.ts";
import { cachePlan, finalHidden, row, weightsIn } from "./decoder.ts";
import {
  type TowerNames,
  type TowerSizes,
  activations,
  embedImages,
  imageEmbeddingRows,
  imageFormat,
  imageRows,
  towerLayers,
  towerRows,
  towerSizes,
} from "./image-tower.ts";
import { type IgnoredRow, loadingMap } from "./loading.ts";
import type { ForwardInputs, Head, Model, ModelFacts, WeightRow } from "./model.ts";

const TEXT = { width: 512, forwardWidth: 2048, layers: 12, heads: 8, epsilon: 1e-5 };
const IMAGE = { width: 768, forwardWidth: 3072, layers: 12, heads: 12, epsilon: 1e-5 };
const LOGIT_SCALE = "logitScale";
/** transformers' CLIPImageProcessor. */
const preparation = {
  resize: { shortest: 224 },
  resample: "bicubic",
  crop: { width: 224, height: 224 },
  rescale: 1 / 255,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

/** What a tower's layers begin with, (N, C). */
type Embed = (x: ForwardInputs, weights: Weights) => Tensor;

const ignored: readonly IgnoredRow[] = [
  { name: /^(text|vision)_model\.embeddings\.position_ids$/, reason: "a table of row numbers" },
];

const names = (tower: string): TowerNames => ({
  layers: `${tower}_model.encoder.layers`,
  parts: {
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.output": "self_attn.out_proj",
    attentionNorm: "layer_norm1",
    mlpNorm: "layer_norm2",
    "mlp.up": "mlp.fc1",
    "mlp.down": "mlp.fc2",
  },
});

/** Old folders have a tower's settings twice; the ones under `NAME_config_dict` win. */
function towerConfig({ file, config }: ModelFacts, name: string): Config {
  const read = (key: string): Record<string, unknown> => {
    const whole = new Config(file, config);
    return whole.object(key) === undefined ? {} : (config[key] as Record<string, unknown>);
  };
  const tower = new Config(`${file} (${name}_config)`, {
    ...read(`${name}_config`),
    ...read(`${name}_config_dict`),
  });
  tower.only({ hidden_act: Object.keys(activations), quantization_config: [] });
  return tower;
}

export function clip(facts: ModelFacts): Model {
  const config = new Config(facts.file, facts.config);
  config.only({ quantization_config: [] });
  const [text, vision] = ["text", "vision"].map((name) => towerConfig(facts, name));
  const vocabularySize = text.size("vocab_size", 49408);
  const textSizes = towerSizes(text, facts, text.size("max_position_embeddings", 77), TEXT);
  const images = imageFormat(vision, { patchSide: 32, processor: "CLIP", preparation });
  const imageSizes = towerSizes(vision, facts, imageRows(images), IMAGE);
  const space = config.size("projection_dim", 512);

  const both = (part: string, hf: string, width: number): WeightRow[] =>
    ["weight", "bias"].map((ending) => row(`${part}.${ending}`, hf, undefined, [width]));
  const embeddings = "text_model.embeddings";
  const map = loadingMap(
    facts,
    "clip",
    [
      row("text.embedding.weight", `${embeddings}.token_embedding`, undefined, [vocabularySize, textSizes.width]),
      row("text.positions.weight", `${embeddings}.position_embedding`, undefined, [textSizes.window, textSizes.width]),
      ...towerRows("text.", names("text"), textSizes),
      ...both("text.norm", "text_model.final_layer_norm", textSizes.width),
      row("text.projection.weight", "text_projection", undefined, [space, textSizes.width]),
      ...imageEmbeddingRows(
        "image.",
        {
          patches: "vision_model.embeddings.patch_embedding",
          class: "vision_model.embeddings.class_embedding",
          positions: "vision_model.embeddings.position_embedding.weight",
        },
        imageSizes.width,
        images,
        { hasBias: false, ones: [] },
      ),
      ...both("image.embeddingNorm", "vision_model.pre_layrnorm", imageSizes.width),
      ...towerRows("image.", names("vision"), imageSizes),
      ...both("image.norm", "vision_model.post_layernorm", imageSizes.width),
      row("image.projection.weight", "visual_projection", undefined, [space, imageSizes.width]),
      { parameter: LOGIT_SCALE, hf: "logit_scale", shape: [1], hfShape: [] },
    ],
    ignored,
  );
  const embedTexts: Embed = ({ ids, positions }, weights) =>
    add(gather(weights.get("embedding.weight"), ids), gather(weights.get("positions.weight"), positions)); // (N, C)
  const embedPatches: Embed = (x, weights) =>
    norm(embedImages(x, weights, images), weights, "embeddingNorm", imageSizes.epsilon);
  const tower = (
    name: "text" | "image",
    sizes: TowerSizes,
    settings: Config,
    embedded: Embed,
  ): Pick<Model, "window" | "width" | "layers" | "cacheGroups" | "heads" | "forward"> => {
    const plan = cachePlan(Array.from({ length: sizes.layers }), { ...sizes, vocabularySize });
    const activation = activations[settings.string("hidden_act", "quick_gelu")];
    const { layers, epsilon } = sizes;
    const embedding: Head = (hidden, x) => weightsIn(map.parameters, x).at(name).project(hidden, "projection");
    return {
      window: sizes.window,
      width: sizes.width,
      layers,
      cacheGroups: plan.groups,
      heads: { embedding },
      forward(x) {
        const weights = weightsIn(map.parameters, x).at(name);
        const last = towerLayers(embedded(x, weights), x, weights, { sizes, plan, activation });
        return finalHidden(last, x, weights, layers, epsilon);
      },
    };
  };
  const shared = { family: "clip", ropes: [], ...map };
  // old configs say 2, which no text ends with: transformers then takes the largest id for the end
  const said = text.count("eos_token_id", 49407);
  return {
    ...shared,
    ...tower("text", textSizes, text, embedTexts),
    vocabularySize,
    endId: said === 2 ? vocabularySize - 1 : said,
    imageTower: {
      ...shared,
      ...tower("image", imageSizes, vision, embedPatches),
      vocabularySize: 0,
      bothDirections: true,
      imageFormat: images,
    },
    logitScale: LOGIT_SCALE,
  };
}
