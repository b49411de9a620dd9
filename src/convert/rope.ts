// Rope settings from one form into the other, one row a scaling in each direction. Llama 3.1's scaling is four numbers in
// config.json and a tensor of divisors in GGUF, as llama.cpp's converter writes it; going back, the numbers are those
// that give these divisors. Longrope's divisors are lists there and two tensors here.
import { UnsupportedError } from "../base/errors.ts";
import { shortestDecimal } from "../base/shortest-decimal.ts";
import type { Files } from "../engine/file-store.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { type RopeScaling, alphaBase, longropeMagnitude, scaledRope, yarnMagnitude } from "../nn/index.ts";
import type { Model, RopeTable } from "../models/index.ts";
import type { Config } from "../models/config.ts";
import { ggufRopeScaling, hfRopeScaling, hfTheta, ropeSettings } from "../models/rope-config.ts";
import { count, real, text } from "./entries.ts";

/** Llama 3.1's, 3.2's and 3.3's; GGUF does not keep them. */
const LLAMA_3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
const SCALING = "rope.scaling";
const ORIGINAL_WINDOW = `${SCALING}.original_context_length`;

type Divisors = ReadonlyMap<string, Float32Array<ArrayBuffer>>;
type Entries = readonly (readonly [key: string, entry: GgufEntry])[];

interface GgufRope {
  readonly entries: Entries;
  /** Tensors by name. */
  readonly divisors: Divisors;
}

type Of<T extends RopeScaling["type"]> = RopeScaling & { readonly type: T };

interface Turned {
  readonly rope: RopeTable;
  readonly base: number;
  /** Of yarn, as the family has it. */
  readonly truncates: boolean;
}

/** What a family's row says of its ropes. */
interface RopeForms {
  readonly ropeBase: number;
  readonly yarnTruncates?: boolean;
}

const noDivisors: Divisors = new Map();

/** What a scaling is in GGUF, beside the rope's base and its columns. */
const toGguf: { readonly [T in RopeScaling["type"]]: (scaling: Of<T>, turned: Turned) => Partial<GgufRope> } = {
  none: () => ({}),
  linear: ({ factor, originalWindow }) => ({
    entries: [
      [`${SCALING}.type`, text("linear")],
      [`${SCALING}.factor`, real(factor)],
      ...originalEntry(originalWindow),
    ],
  }),
  dynamic() {
    throw new UnsupportedError("Dynamic rope scaling depends on a sequence's length, which GGUF has no word for.");
  },
  alpha: ({ alpha }, { rope, base }) => ({
    entries: [["rope.freq_base", real(alphaBase(base, 2 * rope.frequencies.length, alpha))]],
  }),
  llama3: ({ originalWindow }, { rope, base }) => ({
    entries: originalEntry(originalWindow),
    divisors: new Map([["rope_freqs.weight", divisorsOf(rope, base)]]),
  }),
  yarn({ factor, originalWindow, betaFast, betaSlow, truncate, magnitude = 1 }, { truncates }) {
    if (truncate !== truncates) {
      throw new UnsupportedError(`truncate is ${truncate} in rope_scaling, which GGUF has no word for.`);
    }
    return {
      entries: [
        [`${SCALING}.type`, text("yarn")],
        [`${SCALING}.factor`, real(factor)],
        ...originalEntry(originalWindow),
        [`${SCALING}.yarn_beta_fast`, real(betaFast)],
        [`${SCALING}.yarn_beta_slow`, real(betaSlow)],
        ...(magnitude === yarnMagnitude(factor) ? [] : ([[`${SCALING}.yarn_attn_factor`, real(magnitude)]] as const)),
      ],
    };
  },
  longrope: ({ short, long, originalWindow, magnitude = 1 }) => ({
    entries: [...originalEntry(originalWindow), [`${SCALING}.attn_factor`, real(magnitude)]],
    divisors: new Map([
      ["rope_factors_long.weight", Float32Array.from(long)],
      ["rope_factors_short.weight", Float32Array.from(short)],
    ]),
  }),
  divided() {
    throw new UnsupportedError("No config.json has rope divisors of this kind.");
  },
};

const originalEntry = (window: number | undefined): Entries =>
  window === undefined ? [] : [[ORIGINAL_WINDOW, count(window)]];

export function ropeToGguf(model: Model, config: Config, forms: RopeForms): GgufRope {
  const settings = ropeSettings(config);
  const base = hfTheta(settings, config, forms.ropeBase);
  const rope = fullRope(model);
  const scaling = hfRopeScaling(settings, config);
  const scaled = (toGguf[scaling.type] as (scaling: RopeScaling, turned: Turned) => Partial<GgufRope>)(scaling, {
    rope,
    base,
    truncates: forms.yarnTruncates ?? true,
  });
  const entries: Entries = [
    ["rope.dimension_count", count(2 * rope.frequencies.length)],
    ["rope.freq_base", real(base)],
    ...(scaled.entries ?? []),
  ];
  return { entries, divisors: scaled.divisors ?? noDivisors };
}

/** `rope_scaling` of config.json. */
const toHf: {
  readonly [T in RopeScaling["type"]]?: (scaling: Of<T>, turned: Turned, config: Config) => object | null;
} = {
  none: () => null,
  linear: ({ factor }) => ({ rope_type: "linear", factor: shortestDecimal(factor) }),
  yarn({ factor, originalWindow, betaFast, betaSlow, truncate, magnitude = 1 }) {
    const stretch = shortestDecimal(factor);
    return {
      rope_type: "yarn",
      factor: stretch,
      original_max_position_embeddings: originalWindow,
      beta_fast: shortestDecimal(betaFast),
      beta_slow: shortestDecimal(betaSlow),
      ...(!truncate && { truncate }),
      ...(!isSame(magnitude, yarnMagnitude(stretch)) && { attention_factor: shortestDecimal(magnitude) }),
    };
  },
  // transformers' older releases take these three keys and no other; the original window stands beside them
  longrope({ short, long, originalWindow, magnitude = 1 }, _, config) {
    const byDefault = longropeMagnitude(config.size("context_length") / originalWindow, originalWindow);
    return {
      type: "longrope",
      short_factor: Array.from(short, shortestDecimal),
      long_factor: Array.from(long, shortestDecimal),
      ...(!isSame(magnitude, byDefault) && { attention_factor: shortestDecimal(magnitude) }),
    };
  },
  divided: (_, { rope, base }, config) => llama3Settings(rope, base, config),
};

export function ropeToHf(
  model: Model,
  files: Pick<Files, "file" | "kind" | "config" | "tensors">,
  ropeDivisors: Divisors,
  config: Config,
  forms: RopeForms,
): object {
  const truncates = forms.yarnTruncates ?? true;
  const base = shortestDecimal(config.number("rope.freq_base", forms.ropeBase));
  const rope = fullRope(model);
  const scaling = ggufRopeScaling(config, { ...files, ropeDivisors }, { truncate: truncates });
  const write = toHf[scaling.type] as
    ((scaling: RopeScaling, turned: Turned, config: Config) => object | null) | undefined;
  if (write === undefined) throw new UnsupportedError(`Rope scaling ${scaling.type} has no place in config.json.`);
  return { rope_theta: base, rope_scaling: write(scaling, { rope, base, truncates }, config) };
}

function llama3Settings(rope: RopeTable, base: number, config: Config): object | null {
  const divisors = divisorsOf(rope, base);
  const factor = divisors.reduce((most, divisor) => Math.max(most, divisor), 1);
  // base and frequencies are f32 in GGUF, so a rope without divisors differs from 1 by roundings only
  if (factor < 1 + 1e-5) return null;
  for (const original of [config.find(ORIGINAL_WINDOW), LLAMA_3.original_max_position_embeddings]) {
    if (typeof original !== "number") continue;
    const settings = { ...LLAMA_3, factor: shortestDecimal(factor), original_max_position_embeddings: original };
    const again = scaledRope(base, 2 * rope.frequencies.length, {
      type: "llama3",
      factor: settings.factor,
      lowFrequencyFactor: settings.low_freq_factor,
      highFrequencyFactor: settings.high_freq_factor,
      originalWindow: original,
    });
    if (again.frequencies.every((frequency, i) => Math.abs(frequency / rope.frequencies[i] - 1) < 1e-5)) {
      return { rope_type: "llama3", ...settings };
    }
  }
  throw new UnsupportedError("rope_freqs.weight holds divisors that are not Llama 3's, which config.json cannot say.");
}

/** As GGUF's f32 has them. */
const isSame = (a: number, b: number): boolean => Math.fround(a) === Math.fround(b);

/** The rope of the layers that see everything. */
function fullRope(model: Model): RopeTable {
  return model.ropes.find(({ name }) => name === "full") ?? model.ropes[0];
}

/** What plain frequencies are divided by. */
function divisorsOf({ frequencies }: RopeTable, base: number): Float32Array<ArrayBuffer> {
  const plain = scaledRope(base, 2 * frequencies.length, { type: "none" }).frequencies;
  return Float32Array.from(plain, (frequency, i) => frequency / frequencies[i]);
}
