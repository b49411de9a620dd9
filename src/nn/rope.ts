// Angles of rotary position embeddings: inverse frequencies with their scaling, and the cos and sin rows that a run
// takes as inputs. θ base, R rotated columns, position p turns pair i by p * frequency[i].
import { ShapeError } from "../base/errors.ts";

/** How frequencies are stretched for windows longer than the model was first trained on. */
export type RopeScaling =
  | { readonly type: "none" }
  | { readonly type: "linear"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalWindow: number;
    }
  /** Each frequency divided by its own number, as GGUF's rope_freqs.weight has them. */
  | { readonly type: "divided"; readonly divisors: ArrayLike<number> };

/** θ^(-2i/R) for i < R/2 (Su et al. 2021), scaled. Throws ShapeError when there are not R/2 divisors. */
export function ropeFrequencies(theta: number, rotated: number, scaling: RopeScaling): Float64Array {
  const plain = Float64Array.from({ length: rotated / 2 }, (_, i) => theta ** ((-2 * i) / rotated));
  switch (scaling.type) {
    case "none":
      return plain;
    case "linear":
      return plain.map((frequency) => frequency / scaling.factor);
    case "llama3":
      return plain.map((frequency) => llama3Frequency(frequency, scaling));
    case "divided": {
      const { divisors } = scaling;
      if (divisors.length !== plain.length) throw new ShapeError("rope divisors", divisors.length, plain.length);
      return plain.map((frequency, i) => frequency / divisors[i]);
    }
    default:
      return scaling satisfies never;
  }
}

/** Llama 3.1: short waves stay, long ones are stretched by the factor, those between by a mixture of both. */
function llama3Frequency(
  frequency: number,
  { factor, lowFrequencyFactor, highFrequencyFactor, originalWindow }: RopeScaling & { readonly type: "llama3" },
): number {
  const turns = (originalWindow * frequency) / (2 * Math.PI); // whole turns inside the original window
  const short = Math.min(1, Math.max(0, (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)));
  return frequency * ((1 - short) / factor + short);
}

/** Positions whose angles are sums: of those of the first of them and those of 0 .. 15. */
const RUN = 16;

/** cos and sin of positions 0 .. 15 times each frequency, kept as long as the frequencies are; room for one more position. */
interface Turns {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
  readonly firstCos: Float64Array;
  readonly firstSin: Float64Array;
}

const smallTurns = new WeakMap<Float64Array, Turns>();

function turnsOf(frequencies: Float64Array): Turns {
  const known = smallTurns.get(frequencies);
  if (known !== undefined) return known;
  const angles = Float64Array.from({ length: RUN * frequencies.length }, (_, i) => {
    return Math.floor(i / frequencies.length) * frequencies[i % frequencies.length];
  });
  const turns = {
    cos: angles.map(Math.cos),
    sin: angles.map(Math.sin),
    firstCos: new Float64Array(frequencies.length),
    firstSin: new Float64Array(frequencies.length),
  };
  smallTurns.set(frequencies, turns);
  return turns;
}

/**
 * Fills rows of cos and sin, (N, R/2) each, for `positions`; the arrays may be longer. `magnitude` multiplies both
 * (1 but for yarn and longrope). Of 16 positions one takes cos and sin, the others turn on from it in f64: less than half
 * the time, and a position's angles are the same whatever others it comes with.
 */
export function ropeRows(
  { frequencies, magnitude }: { readonly frequencies: Float64Array; readonly magnitude: number },
  positions: ArrayLike<number>,
  cos: Float32Array | Float64Array,
  sin: Float32Array | Float64Array,
): void {
  const half = frequencies.length;
  const { firstCos, firstSin, ...small } = turnsOf(frequencies);
  let run = -1;
  for (let n = 0; n < positions.length; n++) {
    const step = positions[n] % RUN;
    if (positions[n] - step !== run) {
      run = positions[n] - step;
      for (let i = 0; i < half; i++) {
        firstCos[i] = Math.cos(run * frequencies[i]);
        firstSin[i] = Math.sin(run * frequencies[i]);
      }
    }
    for (let i = 0; i < half; i++) {
      const c = small.cos[step * half + i];
      const s = small.sin[step * half + i];
      cos[n * half + i] = (firstCos[i] * c - firstSin[i] * s) * magnitude;
      sin[n * half + i] = (firstSin[i] * c + firstCos[i] * s) * magnitude;
    }
  }
}
