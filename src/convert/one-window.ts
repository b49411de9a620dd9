// Settings of families whose layers all slide, or none of them: Mistral and Phi 3.
import type { GgufEntry } from "../format/gguf-types.ts";
import { count } from "./entries.ts";
import type { Settings } from "./forms.ts";

/** 0 where there is no window, as llama.cpp's converter writes it of Phi 3. */
export function windowToGguf({ config }: Settings): [string, GgufEntry][] {
  return [
    [
      "attention.sliding_window",
      count(config.find("sliding_window") === undefined ? 0 : config.size("sliding_window")),
    ],
  ];
}

export function windowToHf({ config }: Settings): Record<string, unknown> {
  return { sliding_window: config.count("attention.sliding_window", 0) || null };
}

const ORIGINAL_WINDOW = "rope.scaling.original_context_length";

/** Phi 3 also tells the window that it was first trained on, whether its rope is scaled or not. */
export function phi3ToGguf(settings: Settings): [string, GgufEntry][] {
  const { config, model } = settings;
  const original = config.size("original_max_position_embeddings", model.window);
  return [...windowToGguf(settings), [ORIGINAL_WINDOW, count(original)]];
}

export function phi3ToHf(settings: Settings): Record<string, unknown> {
  const { config, model, headSize } = settings;
  return {
    ...windowToHf(settings),
    original_max_position_embeddings: config.size(ORIGINAL_WINDOW, model.window),
    partial_rotary_factor: (2 * model.ropes[0].frequencies.length) / headSize,
  };
}
