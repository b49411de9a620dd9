// What gpt-oss says beside its sizes: experts, and which layers slide.
import { UnsupportedError } from "../base/errors.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { count } from "./entries.ts";
import { countsOf, expertsToGguf, mixtralToHf } from "./experts.ts";
import type { Settings } from "./forms.ts";

/** What the gate is cut at and its slope: GGUF has no words for them, so llama.cpp knows these alone. */
export const GPT_OSS_GATE = { swiglu_limit: 7, swiglu_alpha: 1.702 };

/** llama.cpp takes it for granted that every second layer slides, from the first on. */
const slides = (layer: number): boolean => layer % 2 === 0;

export function gptOssToGguf(settings: Settings): [string, GgufEntry][] {
  const { config, model } = settings;
  const types = config.strings("layer_types") ?? [];
  const at = types.findIndex((type, layer) => (type === "sliding_attention") !== slides(layer));
  if (at >= 0) {
    throw new UnsupportedError(`Layer ${at} of ${model.layers} is of ${types[at]}, which GGUF has no word for.`, {
      hint: "In its gpt-oss every second layer slides, the first among them.",
    });
  }
  return [...expertsToGguf(settings), ["attention.sliding_window", count(config.size("sliding_window"))]];
}

export function gptOssToHf(settings: Settings): Record<string, unknown> {
  const { config, model } = settings;
  const { width } = countsOf(model);
  return {
    ...mixtralToHf(settings),
    intermediate_size: width,
    sliding_window: config.size("attention.sliding_window"),
    layer_types: Array.from({ length: model.layers }, (_, layer) =>
      slides(layer) ? "sliding_attention" : "full_attention",
    ),
  };
}
