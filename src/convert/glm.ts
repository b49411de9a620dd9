// Settings that only GLM has: how much of a head is rotated, and ChatGLM's own words for its rope.
import { shortestDecimal } from "../base/shortest-decimal.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { count, real } from "./entries.ts";
import type { Settings } from "./forms.ts";

const BASE = 10_000;

const rotatedColumns = ({ model }: Settings): number => 2 * model.ropes[0].frequencies.length;

export const glmToHf = (settings: Settings): Record<string, unknown> => ({
  partial_rotary_factor: rotatedColumns(settings) / settings.headSize,
});

export const chatglmToGguf = (settings: Settings): [string, GgufEntry][] => [
  ["rope.dimension_count", count(rotatedColumns(settings))],
  ["rope.freq_base", real(BASE * settings.config.number("rope_ratio", 1))],
];

export const chatglmToHf = ({ model, config }: Settings): Record<string, unknown> => ({
  padded_vocab_size: model.vocabularySize,
  rope_ratio: shortestDecimal(config.number("rope.freq_base", BASE) / BASE),
});
