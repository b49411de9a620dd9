// Settings that only Gemma 3 has: which layers slide and with what rope base, the query scale, soft caps.
import { UnsupportedError } from "../base/errors.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { hfRopeScaling } from "../models/rope-config.ts";
import type { Config } from "../models/config.ts";
import { count, real, shortestDecimal } from "./entries.ts";
import type { Settings } from "./forms.ts";

const PATTERN = 6; // every sixth layer sees everything; what llama.cpp takes for granted
const LOCAL_BASE = 10_000;
const LAYERS_27B = 62;
const SOFT_CAPS = ["attn_logit_softcapping", "final_logit_softcapping"];

/** What llama.cpp scales queries by: GGUF does not say it. */
const impliedScalar = ({ model, heads, headSize }: Settings): number =>
  model.layers === LAYERS_27B ? model.width / heads : headSize;

export function gemma3ToGguf(settings: Settings): [string, GgufEntry][] {
  const { model, config } = settings;
  const scalar = config.number("query_pre_attn_scalar", 256);
  if (scalar !== impliedScalar(settings)) {
    throw new UnsupportedError(
      `query_pre_attn_scalar is ${scalar}; GGUF has no word for it and implies ${impliedScalar(settings)}.`,
    );
  }
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
    ...SOFT_CAPS.flatMap((key): [string, GgufEntry][] => {
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
    query_pre_attn_scalar: impliedScalar(settings),
    ...Object.fromEntries(
      SOFT_CAPS.map((key) => {
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
