// Hunyuan's rope: a base stretched by a fixed alpha in config.json, the stretched base alone in GGUF.
import { shortestDecimal } from "./entries.ts";
import type { Settings } from "./forms.ts";

const BASE = 10_000;
/** GGUF keeps the base as f32: an alpha that was found of it is sure to so many digits. */
const DIGITS = 6;

export function hunyuanToHf({ config, headSize }: Settings): Record<string, unknown> {
  const base = config.number("rope.freq_base", BASE);
  const alpha = Number(((base / BASE) ** ((headSize - 2) / headSize)).toPrecision(DIGITS));
  if (alpha === 1) return { rope_theta: shortestDecimal(base), rope_scaling: null };
  const unused = { beta_fast: 32, beta_slow: 1, factor: 1, mscale: 1, mscale_all_dim: 0 };
  return { rope_theta: BASE, rope_scaling: { alpha, ...unused, type: "dynamic" } };
}
