// Gemma 3, text only (Gemma team 2025): Gemma 2 with norms over query and key heads and, mostly, without soft caps. Most
// layers slide with a rope base of their own; every sixth sees everything.
import { type GemmaShape, gemmaGguf, gemmaHf, gemmaModel } from "./gemma.ts";
import { hfWindows } from "./layer-windows.ts";
import type { Model, ModelFacts } from "./model.ts";
import { ggufRope, hfRope, hfRopeScaling, ropeTable } from "./rope-config.ts";

const [BASE, LOCAL_BASE] = [1_000_000, 10_000];
const LAYERS_27B = 62; // GGUF does not say query_pre_attn_scalar: width / heads there, the head size in all others

const common: Pick<GemmaShape, "family" | "outNorms" | "headNorms"> = {
  family: "gemma3_text",
  outNorms: true,
  headNorms: true,
};

export function gemma3Text(facts: ModelFacts): Model {
  return gemmaModel(facts, facts.kind === "hf" ? readHf(facts) : readGguf(facts));
}

function readHf(facts: ModelFacts): GemmaShape {
  const { config, base } = gemmaHf(facts);
  const { sizes } = base;
  const ropes = config.object("rope_parameters");
  for (const type of ["full_attention", "sliding_attention"]) {
    if (ropes?.find(type) === undefined && ropes !== undefined)
      throw ropes.error(type, undefined, "the rope of these layers");
  }
  const sliding = ropes?.object("sliding_attention");
  const localTheta = sliding?.number("rope_theta", LOCAL_BASE) ?? config.number("rope_local_base_freq", LOCAL_BASE);
  const pattern = config.size("sliding_window_pattern", config.size("_sliding_window_pattern", 6));
  return {
    ...base,
    ...common,
    windows: hfWindows(config, sizes.layers, config.size("sliding_window", 4096), (i) => (i + 1) % pattern !== 0),
    scale: config.number("query_pre_attn_scalar", 256) ** -0.5,
    softCap: config.optionalNumber("attn_logit_softcapping"),
    finalSoftCap: config.optionalNumber("final_logit_softcapping"),
    ropes: [
      hfRope("full", config, sizes.headSize, { theta: BASE }),
      ropeTable("window", localTheta, sizes.headSize, hfRopeScaling(sliding, config)),
    ],
  };
}

function readGguf(facts: ModelFacts): GemmaShape {
  const { config, base } = gemmaGguf(facts, "gemma3");
  const { layers, width, heads, headSize } = base.sizes;
  const window = config.size("attention.sliding_window");
  const pattern = config.size("attention.sliding_window_pattern", 6);
  return {
    ...base,
    ...common,
    windows: Array.from({ length: layers }, (_, i) => ((i + 1) % pattern === 0 ? undefined : window)),
    scale: (layers === LAYERS_27B ? width / heads : headSize) ** -0.5,
    softCap: config.optionalNumber("attn_logit_softcapping"),
    finalSoftCap: config.optionalNumber("final_logit_softcapping"),
    ropes: [
      ggufRope("full", config, headSize, facts, { theta: BASE }),
      ropeTable("window", config.number("rope.freq_base_swa", LOCAL_BASE), headSize, { type: "none" }),
    ],
  };
}
