// Rope settings from one form into the other. Llama 3.1's scaling is four numbers in config.json and a tensor of
// divisors in GGUF, as llama.cpp's converter writes it; going back, the numbers are those that give these divisors.
import { UnsupportedError } from "../base/errors.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { ropeFrequencies } from "../nn/index.ts";
import type { Model, RopeTable } from "../models/index.ts";
import type { Config } from "../models/config.ts";
import { hfRopeScaling } from "../models/rope-config.ts";
import { count, real, shortestDecimal, text } from "./entries.ts";

/** Llama 3.1's, 3.2's and 3.3's; GGUF does not keep them. */
const LLAMA_3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
const ORIGINAL_WINDOW = "rope.scaling.original_context_length";

interface GgufRope {
  readonly entries: readonly (readonly [key: string, entry: GgufEntry])[];
  readonly divisors: Float32Array<ArrayBuffer> | undefined;
}

/** The base that the layers with full attention turn by, and the settings it comes with. */
function baseAndSettings(config: Config, byDefault: number): { readonly base: number; readonly settings?: Config } {
  const given = config.object("rope_parameters");
  const settings = given?.object("full_attention") ?? given ?? config.object("rope_scaling");
  const base =
    settings?.find("rope_theta") === undefined ? config.number("rope_theta", byDefault) : settings.number("rope_theta");
  return { base, ...(settings !== undefined && { settings }) };
}

export function ropeToGguf(model: Model, config: Config, baseByDefault: number, headSize: number): GgufRope {
  const { base, settings } = baseAndSettings(config, baseByDefault);
  const entries: [string, GgufEntry][] = [
    ["rope.dimension_count", count(headSize)],
    ["rope.freq_base", real(base)],
  ];
  const scaling = hfRopeScaling(settings);
  if (scaling.type === "none") return { entries, divisors: undefined };
  if (scaling.type === "linear") {
    entries.push(["rope.scaling.type", text("linear")], ["rope.scaling.factor", real(scaling.factor)]);
    return { entries, divisors: undefined };
  }
  if (scaling.type === "llama3") entries.push([ORIGINAL_WINDOW, count(scaling.originalWindow)]);
  return { entries, divisors: divisorsOf(fullRope(model), base) };
}

export function ropeToHf(model: Model, config: Config, baseByDefault: number, headSize: number): object {
  const base = shortestDecimal(config.number("rope.freq_base", baseByDefault));
  const rope = fullRope(model);
  const linear = shortestDecimal(config.number("rope.scaling.factor", config.number("rope.scale_linear", 1)));
  if (config.string("rope.scaling.type", "linear") === "linear" && linear !== 1) {
    return { rope_theta: base, rope_scaling: { rope_type: "linear", factor: linear } };
  }
  const divisors = divisorsOf(rope, base);
  const factor = divisors.reduce((most, divisor) => Math.max(most, divisor), 1);
  // base and frequencies are f32 in GGUF, so a rope without divisors differs from 1 by roundings only
  if (factor < 1 + 1e-5) return { rope_theta: base, rope_scaling: null };
  for (const original of [config.find(ORIGINAL_WINDOW), LLAMA_3.original_max_position_embeddings]) {
    if (typeof original !== "number") continue;
    const settings = { ...LLAMA_3, factor: shortestDecimal(factor), original_max_position_embeddings: original };
    const again = ropeFrequencies(base, headSize, {
      type: "llama3",
      factor: settings.factor,
      lowFrequencyFactor: settings.low_freq_factor,
      highFrequencyFactor: settings.high_freq_factor,
      originalWindow: original,
    });
    if (again.every((frequency, i) => Math.abs(frequency / rope.frequencies[i] - 1) < 1e-5)) {
      return { rope_theta: base, rope_scaling: { rope_type: "llama3", ...settings } };
    }
  }
  throw new UnsupportedError("rope_freqs.weight holds divisors that are not Llama 3's, which config.json cannot say.");
}

/** The rope of the layers that see everything. */
function fullRope(model: Model): RopeTable {
  return model.ropes.find(({ name }) => name === "full") ?? model.ropes[0];
}

/** What plain frequencies are divided by. */
function divisorsOf({ frequencies }: RopeTable, base: number): Float32Array<ArrayBuffer> {
  const plain = ropeFrequencies(base, 2 * frequencies.length, { type: "none" });
  return Float32Array.from(plain, (frequency, i) => frequency / frequencies[i]);
}
