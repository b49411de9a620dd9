// Gemma 2 (Gemma team 2024): gemma with a norm after each part, soft caps on scores and logits, and a window in every
// other layer.
import { type GemmaShape, gemmaGguf, gemmaHf, gemmaModel } from "./gemma.ts";
import { hfWindows } from "./layer-windows.ts";
import type { Model, ModelFacts } from "./model.ts";
import { ggufRope, hfRope } from "./rope-config.ts";

const LAYERS_27B = 46; // GGUF does not say query_pre_attn_scalar: width / heads there, the head size in all others
/** Where a file does not say them; null in config.json means none. */
const [SCORES_CAP, LOGITS_CAP, WINDOW] = [50, 30, 4096];

const slides = (layer: number): boolean => layer % 2 === 0;

export function gemma2(facts: ModelFacts): Model {
  return gemmaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

function readHf(facts: ModelFacts): GemmaShape {
  const { config, base } = gemmaHf(facts);
  const { sizes } = base;
  const cap = (key: string, byDefault: number): number | undefined =>
    config.has(key) ? config.optionalNumber(key) : byDefault;
  return {
    ...base,
    family: "gemma2",
    ropes: [hfRope("main", config, sizes.headSize)],
    windows: hfWindows(config, sizes.layers, config.size("sliding_window", WINDOW), slides),
    scale: config.number("query_pre_attn_scalar", 256) ** -0.5,
    softCap: cap("attn_logit_softcapping", SCORES_CAP),
    finalSoftCap: cap("final_logit_softcapping", LOGITS_CAP),
    outNorms: true,
  };
}

function readGguf(facts: ModelFacts): GemmaShape {
  const { config, base } = gemmaGguf(facts, "gemma2");
  const { layers, width, heads, headSize } = base.sizes;
  const window = config.size("attention.sliding_window", WINDOW);
  return {
    ...base,
    family: "gemma2",
    ropes: [ggufRope("main", config, headSize, facts)],
    windows: Array.from({ length: layers }, (_, layer) => (slides(layer) ? window : undefined)),
    scale: (layers === LAYERS_27B ? width / heads : headSize) ** -0.5,
    softCap: config.number("attn_logit_softcapping", SCORES_CAP),
    finalSoftCap: config.number("final_logit_softcapping", LOGITS_CAP),
    outNorms: true,
  };
}
