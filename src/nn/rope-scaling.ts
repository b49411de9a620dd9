// How ropes are stretched for sequences longer than those that a model was first trained on: one table, from a scaling's
// settings to inverse frequencies. θ base, R rotated columns, s factor, O the window before scaling. Not here: what
// config files call them (models/rope-config.ts), cos and sin (rope.ts).
import { ShapeError } from "../base/errors.ts";

/** Position p turns pair i by p * frequencies[i]; cos and sin are multiplied by the magnitude. */
export interface RopeAngles {
  /** R/2 of them. */
  readonly frequencies: Float64Array;
  readonly magnitude: number;
}

/** Angles of a whole sequence of more than `beyond` tokens, its first ones included. */
export interface RopeStage extends RopeAngles {
  readonly beyond: number;
}

export interface ScaledRope extends RopeAngles {
  /** Where angles depend on how long the sequence is: what they are beyond a length, by rising lengths. */
  readonly longer?: readonly RopeStage[];
}

interface Settings {
  readonly none: object;
  /** Every frequency is divided (Chen et al. 2023, position interpolation). */
  readonly linear: { readonly factor: number; readonly originalWindow?: number };
  /** The base grows with the length beyond O ("NTK-aware", bloc97 2023), here by stages: each doubling of O. */
  readonly dynamic: { readonly factor: number; readonly originalWindow: number };
  /** The base times alpha^(R / (R - 2)), at every length: what Hunyuan's configs mean by dynamic. */
  readonly alpha: { readonly alpha: number };
  /** Llama 3.1: waves that turn often inside O stay, long ones are divided, those between are a mixture. */
  readonly llama3: {
    readonly factor: number;
    readonly lowFrequencyFactor: number;
    readonly highFrequencyFactor: number;
    readonly originalWindow: number;
  };
  /** YaRN (Peng et al. 2023). */
  readonly yarn: {
    readonly factor: number;
    readonly originalWindow: number;
    /** Pairs that turn more often than `betaFast` times inside O stay, those under `betaSlow` are divided: 32 and 1. */
    readonly betaFast: number;
    readonly betaSlow: number;
    /** Whether the bounds between those are whole pairs, as they mostly are. */
    readonly truncate: boolean;
  };
  /** LongRoPE (Ding et al. 2024): divisors of their own for sequences up to O, and for longer ones. */
  readonly longrope: {
    readonly short: ArrayLike<number>;
    readonly long: ArrayLike<number>;
    readonly originalWindow: number;
  };
  /** Each frequency divided by its own number, as GGUF's rope_freqs.weight has them. */
  readonly divided: { readonly divisors: ArrayLike<number> };
}

type ScalingType = keyof Settings;
/** `magnitude`: as RopeAngles have it, of all scalings; default 1. */
type ScalingOf<T extends ScalingType> = { readonly type: T; readonly magnitude?: number } & Settings[T];
export type RopeScaling = { readonly [T in ScalingType]: ScalingOf<T> }[ScalingType];

interface Base {
  readonly theta: number;
  readonly rotated: number;
  readonly plain: Float64Array;
}

/** Frequencies of sequences beyond a length, the first beyond 0; one row a scaling. */
type Stages = readonly (readonly [beyond: number, frequencies: Float64Array])[];

const scalings: { readonly [T in ScalingType]: (base: Base, scaling: ScalingOf<T>) => Stages } = {
  none: ({ plain }) => [[0, plain]],
  linear: ({ plain }, { factor }) => [[0, plain.map((frequency) => frequency / factor)]],
  dynamic: ({ theta, rotated, plain }, { factor, originalWindow }) => [
    [0, plain],
    ...doublings(factor).map(([from, to]): Stages[number] => {
      const alpha = factor * to - (factor - 1);
      return [from * originalWindow, plainFrequencies(alphaBase(theta, rotated, alpha), rotated)];
    }),
  ],
  alpha: ({ theta, rotated }, { alpha }) => [[0, plainFrequencies(alphaBase(theta, rotated, alpha), rotated)]],
  llama3: ({ plain }, { factor, lowFrequencyFactor, highFrequencyFactor, originalWindow }) => {
    const scaled = plain.map((frequency) => {
      const turns = (originalWindow * frequency) / (2 * Math.PI); // whole turns inside the original window
      const kept = clamp((turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor));
      return frequency * ((1 - kept) / factor + kept);
    });
    return [[0, scaled]];
  },
  yarn: (base, scaling) => [[0, yarnFrequencies(base, scaling)]],
  longrope: ({ plain }, { short, long, originalWindow }) => [
    [0, divided(plain, short)],
    [originalWindow, divided(plain, long)],
  ],
  divided: ({ plain }, { divisors }) => [[0, divided(plain, divisors)]],
};

/** Throws ShapeError where a scaling does not have a divisor for each of the R/2 frequencies. */
export function scaledRope(theta: number, rotated: number, scaling: RopeScaling): ScaledRope {
  const scale = scalings[scaling.type] as (base: Base, scaling: RopeScaling) => Stages;
  const { magnitude = 1 } = scaling;
  const [[, frequencies], ...longer] = scale({ theta, rotated, plain: plainFrequencies(theta, rotated) }, scaling);
  if (longer.length === 0) return { frequencies, magnitude };
  const stages = longer.map(([beyond, frequencies]) => ({ beyond, frequencies, magnitude }));
  return { frequencies, magnitude, longer: stages };
}

/** Which angles a sequence of `length` tokens has: the length of which it is beyond, 0 for the first. */
export function ropeStage(ropes: readonly ScaledRope[], length: number): number {
  const passed = ropes.flatMap(({ longer = [] }) => longer.map(({ beyond }) => beyond)).filter((n) => n < length);
  return passed.reduce((a, b) => Math.max(a, b), 0);
}

/** The angles of a rope at a stage. */
export const anglesAt = ({ longer = [], ...first }: ScaledRope, stage: number): RopeAngles =>
  longer.findLast(({ beyond }) => beyond <= stage) ?? first;

/**
 * How long a sequence may be by a scaling that says so. Undefined: the model's own window tells it, as with llama3 and
 * longrope, which stretch further than models are trained to.
 */
export function ropeReach(scaling: RopeScaling): number | undefined {
  const isPlain = scaling.type === "linear" || scaling.type === "dynamic" || scaling.type === "yarn";
  if (!isPlain || scaling.originalWindow === undefined) return undefined;
  return Math.floor(scaling.factor * scaling.originalWindow);
}

/** What YaRN multiplies cos and sin by unless told otherwise: 0.1 m ln s + 1. */
export const yarnMagnitude = (factor: number, scale = 1): number =>
  factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;

/** What LongRoPE multiplies cos and sin by unless told otherwise: sqrt(1 + ln s / ln O). */
export const longropeMagnitude = (factor: number, originalWindow: number): number =>
  factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalWindow));

/** The base that `alpha` makes of θ. */
export const alphaBase = (theta: number, rotated: number, alpha: number): number =>
  theta * alpha ** (rotated / (rotated - 2));

/** θ^(-2i/R) for i < R/2 (Su et al. 2021). */
export const plainFrequencies = (theta: number, rotated: number): Float64Array =>
  Float64Array.from({ length: rotated / 2 }, (_, i) => theta ** ((-2 * i) / rotated));

const clamp = (x: number): number => Math.min(1, Math.max(0, x));

function divided(plain: Float64Array, divisors: ArrayLike<number>): Float64Array {
  if (divisors.length !== plain.length) throw new ShapeError("rope divisors", divisors.length, plain.length);
  return plain.map((frequency, i) => frequency / divisors[i]);
}

/** [1, 2], [2, 4] ... up to `end`. */
function doublings(end: number): [from: number, to: number][] {
  const stages: [number, number][] = [];
  for (let from = 1; from < end; from *= 2) stages.push([from, Math.min(2 * from, end)]);
  return stages;
}

function yarnFrequencies({ theta, rotated, plain }: Base, scaling: ScalingOf<"yarn">): Float64Array {
  const { factor, originalWindow, betaFast, betaSlow, truncate } = scaling;
  // the pair, perhaps between two, that turns `turns` times inside the original window
  const pairOf = (turns: number): number =>
    (rotated * Math.log(originalWindow / (2 * Math.PI * turns))) / (2 * Math.log(theta));
  const [fast, slow] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(0, truncate ? Math.floor(fast) : fast);
  const high = Math.min(rotated - 1, truncate ? Math.ceil(slow) : slow);
  const width = high === low ? 0.001 : high - low;
  return plain.map((frequency, i) => {
    const stretched = clamp((i - low) / width);
    return (frequency / factor) * stretched + frequency * (1 - stretched);
  });
}
