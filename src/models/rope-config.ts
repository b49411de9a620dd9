// Reads a rope's base and scaling: from config.json in its new form (`rope_parameters`) and its old one (`rope_theta`,
// `rope_scaling` with `rope_type` or `type`), and from GGUF metadata. Scalings that Liang lacks are refused by name.
import { UnsupportedError } from "../base/errors.ts";
import { type RopeScaling, ropeFrequencies } from "../nn/index.ts";
import type { Config } from "./config.ts";
import type { ModelFacts, RopeTable } from "./model.ts";

const none: RopeScaling = { type: "none" };

function unsupported(name: string): never {
  throw new UnsupportedError(`Rope scaling ${name} is not supported. Liang can do: linear, llama3.`);
}

/** HF scaling names → reading of their settings. */
const hfScalings: Readonly<Record<string, (settings: Config) => RopeScaling>> = {
  default: () => none,
  linear: (settings) => ({ type: "linear", factor: settings.number("factor") }),
  llama3(settings) {
    const lowFrequencyFactor = settings.number("low_freq_factor");
    const highFrequencyFactor = settings.number("high_freq_factor");
    if (!(highFrequencyFactor > lowFrequencyFactor)) {
      throw settings.error("high_freq_factor", highFrequencyFactor, `more than low_freq_factor, ${lowFrequencyFactor}`);
    }
    const [factor, originalWindow] = [settings.number("factor"), settings.number("original_max_position_embeddings")];
    return { type: "llama3", factor, lowFrequencyFactor, highFrequencyFactor, originalWindow };
  },
};

/** The scaling that `settings` (rope_scaling, or rope_parameters) describes; none when there are no settings. */
export function hfRopeScaling(settings: Config | undefined): RopeScaling {
  if (settings === undefined) return none;
  settings.only({ partial_rotary_factor: [1] });
  const name = settings.string("rope_type", settings.string("type", "default"));
  return Object.hasOwn(hfScalings, name) ? hfScalings[name](settings) : unsupported(name);
}

/** Rope of a config that has one for all layers. */
export function hfRope(name: string, config: Config, rotated: number): RopeTable {
  const settings = config.object("rope_parameters") ?? config.object("rope_scaling");
  const theta =
    settings?.find("rope_theta") === undefined ? config.number("rope_theta", 10_000) : settings.number("rope_theta");
  return ropeTable(name, theta, rotated, hfRopeScaling(settings));
}

/** The scaling that GGUF metadata describes; llama.cpp's converter stores llama3's as divisors. */
export function ggufRopeScaling(config: Config, { file, tensors, ropeDivisors }: ModelFacts): RopeScaling {
  config.only({ "rope.scaling.attn_factor": [1] });
  const factor = config.number("rope.scaling.factor", config.number("rope.scale_linear", 1));
  const name = config.string("rope.scaling.type", factor === 1 ? "none" : "linear");
  if (tensors.has("rope_freqs.weight")) {
    if (ropeDivisors === undefined) throw config.error("rope_freqs.weight", "not read", "its values among the facts");
    if (name !== "none" || factor !== 1) unsupported(`${name} together with rope_freqs.weight in ${file}`);
    return { type: "divided", divisors: ropeDivisors };
  }
  if (name === "none") return none;
  return name === "linear" ? { type: "linear", factor } : unsupported(name);
}

export const ggufRope = (name: string, config: Config, rotated: number, facts: ModelFacts): RopeTable =>
  ropeTable(name, config.number("rope.freq_base", 10_000), rotated, ggufRopeScaling(config, facts));

export const ropeTable = (name: string, theta: number, rotated: number, scaling: RopeScaling): RopeTable => ({
  name,
  frequencies: ropeFrequencies(theta, rotated, scaling),
  magnitude: 1,
});
