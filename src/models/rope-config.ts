// Reads ropes: from config.json in its new form (`rope_parameters`) and its old one (`rope_theta`, `rope_scaling` with
// `rope_type` or `type`), and from GGUF metadata and tensors as llama.cpp has them. One row a scaling in each of the two
// tables; what they compute: nn/rope-scaling.ts. A scaling that Liang lacks is refused by name.
import { UnsupportedError } from "../base/errors.ts";
import { type RopeScaling, longropeMagnitude, ropeReach, scaledRope, yarnMagnitude } from "../nn/index.ts";
import type { Config } from "./config.ts";
import type { ModelFacts, RopeTable } from "./model.ts";

/** GGUF's tensors of rope divisors: no weights, but part of the settings. */
export const ROPE_DIVISORS = /^rope_(freqs|factors_long|factors_short)\.weight$/;

const none: RopeScaling = { type: "none" };

/** The settings of a scaling in config.json, and beside them the whole config. */
interface HfSettings {
  readonly settings: Config;
  readonly config: Config;
}
type HfReader = (of: HfSettings) => RopeScaling;

const ORIGINAL = "original_max_position_embeddings";
const trainedWindow = ({ config }: HfSettings): number => config.size("max_position_embeddings");
const statedOriginal = ({ settings, config }: HfSettings): number | undefined =>
  [settings, config].find((place) => place.find(ORIGINAL) !== undefined)?.size(ORIGINAL);
const originalWindow = (of: HfSettings): number => statedOriginal(of) ?? trainedWindow(of);

function longrope(of: HfSettings): RopeScaling {
  const { settings } = of;
  const original = originalWindow(of);
  const factor = settings.number("factor", trainedWindow(of) / original);
  return {
    type: "longrope",
    short: settings.numbers("short_factor"),
    long: settings.numbers("long_factor"),
    originalWindow: original,
    magnitude: settings.number("attention_factor", longropeMagnitude(factor, original)),
  };
}

function yarn(of: HfSettings): RopeScaling {
  const { settings } = of;
  const original = originalWindow(of);
  const factor = settings.number("factor", trainedWindow(of) / original);
  const [mscale, allDim] = ["mscale", "mscale_all_dim"].map((key) => settings.numberOrZero(key, 0));
  const byDefault =
    mscale !== 0 && allDim !== 0
      ? yarnMagnitude(factor, mscale) / yarnMagnitude(factor, allDim)
      : yarnMagnitude(factor);
  return {
    type: "yarn",
    factor,
    originalWindow: original,
    betaFast: settings.number("beta_fast", 32),
    betaSlow: settings.number("beta_slow", 1),
    truncate: settings.boolean("truncate", true),
    magnitude: settings.number("attention_factor", byDefault),
  };
}

/** By what config.json calls them. */
const hfScalings: Readonly<Record<string, HfReader>> = {
  default: () => none,
  linear(of) {
    const original = statedOriginal(of);
    return {
      type: "linear",
      factor: of.settings.number("factor"),
      ...(original !== undefined && { originalWindow: original }),
    };
  },
  dynamic: (of) =>
    of.settings.find("alpha") === undefined
      ? { type: "dynamic", factor: of.settings.number("factor"), originalWindow: originalWindow(of) }
      : { type: "alpha", alpha: of.settings.number("alpha") },
  llama3(of) {
    const { settings } = of;
    const lowFrequencyFactor = settings.number("low_freq_factor");
    const highFrequencyFactor = settings.number("high_freq_factor");
    if (!(highFrequencyFactor > lowFrequencyFactor)) {
      throw settings.error("high_freq_factor", highFrequencyFactor, `more than low_freq_factor, ${lowFrequencyFactor}`);
    }
    const factor = settings.number("factor");
    return { type: "llama3", factor, lowFrequencyFactor, highFrequencyFactor, originalWindow: settings.size(ORIGINAL) };
  },
  // Phi 3's first configs call its scaling yarn, or su
  yarn: (of) => (of.settings.find("short_factor") === undefined ? yarn(of) : longrope(of)),
  su: longrope,
  longrope,
};

/** Where config.json has the settings of a rope: by the type of layers where these differ, for all, or in the old place. */
export function ropeSettings(config: Config, layerType = "full_attention"): Config | undefined {
  const given = config.object("rope_parameters");
  return given?.object(layerType) ?? given ?? config.object("rope_scaling");
}

/** The scaling that `settings` of `config` describe; none when there are no settings. */
export function hfRopeScaling(settings: Config | undefined, config: Config): RopeScaling {
  if (settings === undefined) return none;
  settings.only({ mrope_section: [] });
  const name = settings.string("rope_type", settings.string("type", "default"));
  return scalingOf(hfScalings, name)({ settings, config });
}

/** Rope of a config that has one for all layers, or of its layers of full attention. */
export function hfRope(
  name: string,
  config: Config,
  headSize: number,
  byDefault: { readonly theta?: number; readonly partial?: number } = {},
): RopeTable {
  const settings = ropeSettings(config);
  return ropeTable(
    name,
    hfTheta(settings, config, byDefault.theta),
    rotatedColumns(settings, config, headSize, byDefault.partial),
    hfRopeScaling(settings, config),
  );
}

/** The base, which may stand among the settings or beside them. */
export function hfTheta(settings: Config | undefined, config: Config, byDefault = 10_000): number {
  return settings?.find("rope_theta") === undefined
    ? config.number("rope_theta", byDefault)
    : settings.number("rope_theta");
}

/** The first columns of a head, of which a config may rotate a part only. */
function rotatedColumns(settings: Config | undefined, config: Config, headSize: number, byDefault = 1): number {
  const key = "partial_rotary_factor";
  const from = settings?.find(key) === undefined ? config : settings;
  const rotated = Math.trunc(headSize * from.number(key, byDefault));
  if (rotated % 2 === 0 && rotated > 0 && rotated <= headSize) return rotated;
  throw from.error(key, from.find(key), `a share of the ${headSize} columns of a head that makes an even number`);
}

/** The longest of what a config says a window is, and of what its rope's scaling makes of the original one. */
export function hfWindow(config: Config, ...stated: readonly number[]): number {
  return scaledWindow(Math.max(...stated), hfRopeScaling(ropeSettings(config), config));
}

const scaledWindow = (window: number, scaling: RopeScaling): number => Math.max(window, ropeReach(scaling) ?? 0);

interface GgufSettings {
  readonly config: Config;
  readonly facts: ModelFacts;
  readonly factor: number;
  /** Of yarn, where the family's is not truncated: GGUF does not say it. */
  readonly truncate: boolean;
}

const SCALING = "rope.scaling";
const GGUF_ORIGINAL = `${SCALING}.original_context_length`;
const ggufOriginal = ({ config }: GgufSettings): number => config.size(GGUF_ORIGINAL, config.size("context_length"));

/** By what GGUF metadata calls them; llama.cpp's converter stores llama3's as divisors. */
const ggufScalings: Readonly<Record<string, (of: GgufSettings) => RopeScaling>> = {
  none: () => none,
  linear({ config, factor }) {
    if (factor === 1) return none;
    const original = config.find(GGUF_ORIGINAL) === undefined ? {} : { originalWindow: config.size(GGUF_ORIGINAL) };
    return { type: "linear", factor, ...original };
  },
  dynamic: (of) => ({ type: "dynamic", factor: of.factor, originalWindow: ggufOriginal(of) }),
  yarn(of) {
    const { config, factor, truncate } = of;
    config.only({ [`${SCALING}.yarn_ext_factor`]: [1] });
    const multiplier = config.numberOrZero(`${SCALING}.yarn_log_multiplier`, 0);
    const byDefault = yarnMagnitude(factor) / (multiplier === 0 ? 1 : yarnMagnitude(factor, multiplier));
    return {
      type: "yarn",
      factor,
      originalWindow: ggufOriginal(of),
      betaFast: config.number(`${SCALING}.yarn_beta_fast`, 32),
      betaSlow: config.number(`${SCALING}.yarn_beta_slow`, 1),
      truncate,
      magnitude: config.number(`${SCALING}.yarn_attn_factor`, byDefault),
    };
  },
  longrope(of) {
    const { config, facts } = of;
    return {
      type: "longrope",
      short: divisorsOf(facts, config, "rope_factors_short.weight"),
      long: divisorsOf(facts, config, "rope_factors_long.weight"),
      originalWindow: ggufOriginal(of),
    };
  },
};

function divisorsOf({ ropeDivisors, tensors }: ModelFacts, config: Config, name: string): Float32Array {
  const values = ropeDivisors?.get(name);
  if (values !== undefined) return values;
  throw config.error(name, tensors.has(name) ? "not read" : undefined, "its values among the facts");
}

/** The scaling that GGUF metadata describes. */
export function ggufRopeScaling(config: Config, facts: ModelFacts, { truncate = true } = {}): RopeScaling {
  const factor = config.number(`${SCALING}.factor`, config.number("rope.scale_linear", 1));
  const byTensors = facts.tensors.has("rope_factors_long.weight") ? "longrope" : undefined;
  const name = byTensors ?? config.string(`${SCALING}.type`, "linear");
  const read = scalingOf(ggufScalings, name)({ config, facts, factor, truncate });
  const magnitude = config.number(`${SCALING}.attn_factor`, 1) * (read.magnitude ?? 1);
  const scaling = magnitude === 1 ? read : { ...read, magnitude };
  if (!facts.tensors.has("rope_freqs.weight")) return scaling;
  if (scaling.type !== "none")
    throw new UnsupportedError(`${facts.file}: rope scaling ${name} together with rope_freqs.weight is not supported.`);
  return { ...scaling, type: "divided", divisors: divisorsOf(facts, config, "rope_freqs.weight") };
}

export function ggufRope(
  name: string,
  config: Config,
  headSize: number,
  facts: ModelFacts,
  byDefault: { readonly theta?: number; readonly truncate?: boolean } = {},
): RopeTable {
  const rotated = config.size("rope.dimension_count", headSize);
  if (rotated > headSize || rotated % 2 !== 0) {
    throw config.error("rope.dimension_count", rotated, `an even number up to the head size, ${headSize}`);
  }
  const theta = config.number("rope.freq_base", byDefault.theta ?? 10_000);
  return ropeTable(name, theta, rotated, ggufRopeScaling(config, facts, byDefault));
}

export function ggufWindow(config: Config, facts: ModelFacts): number {
  return scaledWindow(config.size("context_length"), ggufRopeScaling(config, facts));
}

function scalingOf<T>(table: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name];
  throw new UnsupportedError(`Rope scaling ${name} is not supported. Liang can do: ${Object.keys(table).join(", ")}.`);
}

export const ropeTable = (name: string, theta: number, rotated: number, scaling: RopeScaling): RopeTable => ({
  name,
  scaling,
  ...scaledRope(theta, rotated, scaling),
});
