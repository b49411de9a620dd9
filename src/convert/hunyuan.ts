// Hunyuan's rope: a base stretched by a fixed alpha in config.json, the stretched base alone in GGUF. And what configs of its
// mixtures say of experts.
import { shortestDecimal } from "../base/shortest-decimal.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { count } from "./entries.ts";
import { countsOf, expertsToGguf } from "./experts.ts";
import type { Settings } from "./forms.ts";

const BASE = 10_000;
/** GGUF keeps the base as f32: an alpha that was found of it is sure to so many digits. */
const DIGITS = 6;

/** Of configs of dense models, beside the alpha: nothing reads them. */
const UNUSED = { beta_fast: 32, beta_slow: 1, mscale: 1, mscale_all_dim: 0 };

export const hunyuanToHf = (settings: Settings): Record<string, unknown> => ropeToHf(settings, UNUSED);

function ropeToHf({ config, headSize }: Settings, unused: object): Record<string, unknown> {
  const base = config.number("rope.freq_base", BASE);
  const alpha = Number(((base / BASE) ** ((headSize - 2) / headSize)).toPrecision(DIGITS));
  if (alpha === 1) return { rope_theta: shortestDecimal(base), rope_scaling: null };
  return { rope_theta: BASE, rope_scaling: { alpha, ...unused, factor: 1, type: "dynamic" } };
}

/** One part stands beside the experts of a layer. */
const SHARED = 1;

export const hunyuanMoeToGguf = (settings: Settings): [string, GgufEntry][] => [
  ...expertsToGguf(settings),
  ["expert_shared_count", count(SHARED)],
];

export function hunyuanMoeToHf(settings: Settings): Record<string, unknown> {
  const { experts, chosen, width } = countsOf(settings.model);
  return {
    ...ropeToHf(settings, {}),
    num_experts: experts,
    moe_topk: chosen,
    moe_intermediate_size: width,
    num_shared_expert: SHARED,
  };
}
