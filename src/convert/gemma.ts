// Settings that only Gemma 2 and 3 have: which layers slide and with what rope base, the query scale, soft caps.
import { UnsupportedError } from "../base/errors.ts";
import { shortestDecimal } from "../base/shortest-decimal.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { hfRopeScaling } from "../models/rope-config.ts";
import type { Config } from "../models/config.ts";
import { count, real } from "./entries.ts";
import type { Settings } from "./forms.ts";

const PATTERN = 6; // every sixth layer sees everything; what llama.cpp takes for granted
const LOCAL_BASE = 10_000;
/** Layers of the 27B models, whose queries are scaled in another way. */
const LAYERS_27B = { gemma2: 46, gemma3: 62 };
/** And what Gemma 2 has where its config does not say them. */
const SOFT_CAPS = { attn_logit_softcapping: 50, final_logit_softcapping: 30 };
type SoftCap = keyof typeof SOFT_CAPS;
const softCaps = Object.keys(SOFT_CAPS) as SoftCap[];

/** What llama.cpp scales queries by: GGUF does not say it. */
const impliedScalar = ({ model, heads, headSize }: Settings, layersOf27B: number): number =>
  model.layers === layersOf27B ? model.width / heads : headSize;

function checkScalar(settings: Settings, layersOf27B: number): void {
  const scalar = settings.config.number("query_pre_attn_scalar", 256);
  const implied = impliedScalar(settings, layersOf27B);
  if (scalar === implied) return;
  throw new UnsupportedError(`query_pre_attn_scalar is ${scalar}; GGUF has no word for it and implies ${implied}.`);
}

/** Every other layer slides. */
export function gemma2ToGguf(settings: Settings): [string, GgufEntry][] {
  const { model, config } = settings;
  checkScalar(settings, LAYERS_27B.gemma2);
  const types = config.strings("layer_types");
  if (types?.some((type, i) => (type === "full_attention") !== (i % 2 === 1)) === true) {
    throw new UnsupportedError("layer_types is not every other layer, which is all that GGUF can say of Gemma 2.");
  }
  const window = model.cacheGroups.find(({ name }) => name === "window")!.window!;
  return [
    ["attention.sliding_window", count(window)],
    ...softCaps.map((key): [string, GgufEntry] => {
      const cap = config.optionalNumber(key);
      if (cap !== undefined || !config.has(key)) return [key, real(cap ?? SOFT_CAPS[key])];
      throw new UnsupportedError(`${key} is null, which GGUF has no word for.`);
    }),
  ];
}

export function gemma2ToHf(settings: Settings): Record<string, unknown> {
  const { model, config } = settings;
  return {
    sliding_window: config.size("attention.sliding_window", 4096),
    layer_types: Array.from({ length: model.layers }, (_, i) => (i % 2 === 1 ? "full_attention" : "sliding_attention")),
    query_pre_attn_scalar: impliedScalar(settings, LAYERS_27B.gemma2),
    ...Object.fromEntries(softCaps.map((key) => [key, shortestDecimal(config.number(key, SOFT_CAPS[key]))])),
  };
}

export function gemma3ToGguf(settings: Settings): [string, GgufEntry][] {
  const { model, config } = settings;
  checkScalar(settings, LAYERS_27B.gemma3);
  const sliding = config.object("rope_parameters")?.object("sliding_attention");
  if (hfRopeScaling(sliding, config).type !== "none") {
    throw new UnsupportedError("The rope of sliding layers is scaled, which GGUF has no word for.");
  }
  const pattern = patternOf(config, model.layers);
  const window = model.cacheGroups.find(({ name }) => name === "window")?.window;
  return [
    ["attention.sliding_window", count(window ?? config.size("sliding_window", 4096))],
    ...(pattern === PATTERN ? [] : [["attention.sliding_window_pattern", count(pattern)] as [string, GgufEntry]]),
    [
      "rope.freq_base_swa",
      real(sliding?.number("rope_theta", LOCAL_BASE) ?? config.number("rope_local_base_freq", LOCAL_BASE)),
    ],
    ...softCaps.flatMap((key): [string, GgufEntry][] => {
      const cap = config.optionalNumber(key);
      return cap === undefined ? [] : [[key, real(cap)]];
    }),
  ];
}

export function gemma3ToHf(settings: Settings): Record<string, unknown> {
  const { model, config } = settings;
  const pattern = config.size("attention.sliding_window_pattern", PATTERN);
  return {
    sliding_window: config.size("attention.sliding_window"),
    sliding_window_pattern: pattern,
    layer_types: Array.from({ length: model.layers }, (_, i) =>
      isFull(i, pattern) ? "full_attention" : "sliding_attention",
    ),
    rope_local_base_freq: shortestDecimal(config.number("rope.freq_base_swa", LOCAL_BASE)),
    query_pre_attn_scalar: impliedScalar(settings, LAYERS_27B.gemma3),
    ...Object.fromEntries(
      softCaps.map((key) => {
        const cap = config.optionalNumber(key);
        return [key, cap === undefined ? null : shortestDecimal(cap)];
      }),
    ),
  };
}

const isFull = (layer: number, pattern: number): boolean => (layer + 1) % pattern === 0;

/** Every how many layers one sees everything. Throws UnsupportedError where they follow no such rule. */
function patternOf(config: Config, layers: number): number {
  const types = config.strings("layer_types");
  const stated = config.size("sliding_window_pattern", config.size("_sliding_window_pattern", PATTERN));
  if (types === undefined) return stated;
  const first = types.indexOf("full_attention");
  const pattern = first < 0 ? Math.max(stated, layers + 1) : first + 1;
  if (types.every((type, i) => (type === "full_attention") === isFull(i, pattern))) return pattern;
  throw new UnsupportedError("layer_types follows no pattern of every so many layers, which is all that GGUF can say.");
}
