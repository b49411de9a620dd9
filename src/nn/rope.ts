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

/**
 * Fills rows of cos and sin, (N, R/2) each, for `positions`; the arrays may be longer. `magnitude` multiplies both
 * (1 but for yarn and longrope).
 */
export function ropeRows(
  { frequencies, magnitude }: { readonly frequencies: Float64Array; readonly magnitude: number },
  positions: ArrayLike<number>,
  cos: Float32Array | Float64Array,
  sin: Float32Array | Float64Array,
): void {
  const half = frequencies.length;
  for (let n = 0; n < positions.length; n++) {
    for (let i = 0; i < half; i++) {
      const angle = positions[n] * frequencies[i];
      cos[n * half + i] = Math.cos(angle) * magnitude;
      sin[n * half + i] = Math.sin(angle) * magnitude;
    }
  }
}
