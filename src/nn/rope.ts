// cos and sin rows of rotary position embeddings, which a run takes as inputs: position p turns pair i by
// p * frequency[i]. Not here: frequencies and their scaling (rope-scaling.ts).
import type { RopeAngles } from "./rope-scaling.ts";

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
  { frequencies, magnitude }: RopeAngles,
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
