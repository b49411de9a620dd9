// Searches for the scale, and minimum, with which a run of weights loses least when it is rounded to codes: each tries
// some scales near the plain one and fits it to the codes by weighted least squares. They are ggml's searches, step for
// step, every operation rounded to f32 on its own, so that blocks come out byte for byte as its quantizer's.
// Source: ggml-quants.c (make_qx_quants, make_qkx2_quants, make_qp_quants). Not here: layouts of blocks (q4-k.ts, ...), the
// same searches over several runs at once (quantize/search-kernels.ts).

const f32 = Math.fround;

/** Runs whose weights are all smaller than this are zeros. */
export const LEAST = f32(1e-15);
/** A number of this size has no fraction: adding and taking it away rounds to an integer, ties to even. */
const WHOLE = 1.5 * 2 ** 52;
export const TENTH = f32(0.1);
/** No run is longer. */
const RUN_MOST = 32;

// of the run that is searched, every number an f32: kept wide, for that is how they are multiplied
const run = new Float64Array(RUN_MOST);
const runCosts = new Float64Array(RUN_MOST);
const products = new Float64Array(RUN_MOST);
const aboveMinimum = new Float64Array(RUN_MOST);
const trialCodes = new Float64Array(RUN_MOST);

/**
 * Fills trialCodes with those of `values` times `inverse`, least..most. Returns whether they are others than the last
 * trial's: the same ones have the same sums and fare as they did.
 */
function codesChange(values: Float64Array, count: number, inverse: number, least: number, most: number): boolean {
  let changed = false;
  for (let i = 0; i < count; i++) {
    const code = nearestInside(f32(inverse * values[i]), least, most);
    if (code === trialCodes[i]) continue;
    trialCodes[i] = code;
    changed = true;
  }
  return changed;
}

/** The integer nearest to an f32 below 2^22 in size, ties to even. */
export const nearest = (value: number): number => value + WHOLE - WHOLE;

/** `nearest`, inside least..most; what is no number is the least. */
export const nearestInside = (value: number, least: number, most: number): number =>
  value > least ? (value < most ? nearest(value) : most) : least;

/**
 * Codes 0..2 * half - 1 of `count` weights from x[at] on, which stand for scale * (code - half). `costs`: what an error
 * of each weight costs. Returns the scale, which has either sign; 0, and codes of 0, for zeros.
 */
export function fitSigned(
  x: Float32Array,
  at: number,
  count: number,
  half: number,
  costs: Float32Array,
  codes: Uint8Array,
  codesAt: number,
): number {
  let extreme = 0;
  for (let i = at; i < at + count; i++) if (Math.abs(x[i]) > Math.abs(extreme)) extreme = x[i];
  if (Math.abs(extreme) < LEAST) {
    codes.fill(0, codesAt, codesAt + count);
    return 0;
  }
  for (let i = 0; i < count; i++) {
    run[i] = x[at + i];
    runCosts[i] = costs[i];
    products[i] = f32(costs[i] * x[at + i]);
  }
  let bestInverse = 0;
  let scale = 0;
  let best = 0;
  for (let trial = 0; trial < 19; trial++) {
    const tenths = trial === 0 ? 0 : trial < 10 ? trial - 10 : trial - 9; // the plain scale first, then -9..9 without 0
    const inverse = f32(-f32(half + f32(TENTH * tenths)) / extreme);
    if (!codesChange(run, count, inverse, -half, half - 1) && trial > 0) continue;
    let sumXl = 0;
    let sumL2 = 0;
    for (let i = 0; i < count; i++) {
      const l = trialCodes[i];
      sumXl = f32(sumXl + f32(products[i] * l));
      sumL2 = f32(sumL2 + f32(f32(runCosts[i] * l) * l));
    }
    if (trial > 0 && !(sumL2 > 0 && f32(sumXl * sumXl) > f32(best * sumL2))) continue;
    bestInverse = inverse;
    scale = sumL2 === 0 ? 0 : f32(sumXl / sumL2);
    best = f32(scale * sumXl);
  }
  for (let i = 0; i < count; i++) {
    codes[codesAt + i] = nearestInside(f32(bestInverse * run[i]), -half, half - 1) + half;
  }
  return scale;
}

export interface AffineSearch {
  /** The largest code. */
  readonly most: number;
  /** The trials' ranges: most + first, then so much more each time, in so many steps. */
  readonly first: number;
  readonly step: number;
  readonly steps: number;
  /** The error is the size of the difference, not its square. */
  readonly bySize?: boolean;
}

/**
 * Codes 0..most of `count` weights from x[at] on, which stand for scale * code - minimum, neither of them negative.
 * `costs`: from 0 on. Puts the two into `scales` and `minima` at `index`.
 */
export function fitAffine(
  x: Float32Array,
  at: number,
  count: number,
  costs: Float32Array,
  { most, first, step, steps, bySize = false }: AffineSearch,
  codes: Uint8Array,
  codesAt: number,
  scales: Float32Array,
  minima: Float32Array,
  index: number,
): void {
  let min = x[at];
  let max = min;
  let sumCosts = costs[0];
  let sumX = f32(sumCosts * x[at]);
  for (let i = 1; i < count; i++) {
    const value = x[at + i];
    if (value < min) min = value;
    if (value > max) max = value;
    sumCosts = f32(sumCosts + costs[i]);
    sumX = f32(sumX + f32(costs[i] * value));
  }
  if (min > 0) min = 0;
  if (max === min) {
    codes.fill(0, codesAt, codesAt + count);
    scales[index] = 0;
    minima[index] = -min;
    return;
  }
  const plain = f32(most / f32(max - min));
  let scale = f32(1 / plain);
  let error = 0;
  for (let i = 0; i < count; i++) {
    run[i] = x[at + i];
    runCosts[i] = costs[i];
    aboveMinimum[i] = f32(x[at + i] - min);
    const l = nearestInside(f32(plain * aboveMinimum[i]), 0, most);
    codes[codesAt + i] = l;
    const difference = f32(f32(f32(scale * l) + min) - x[at + i]);
    error = f32(error + f32(costs[i] * (bySize ? Math.abs(difference) : f32(difference * difference))));
  }
  for (let trial = 0; trial <= steps; trial++) {
    const inverse = f32(f32(f32(first + f32(step * trial)) + most) / f32(max - min));
    if (!codesChange(aboveMinimum, count, inverse, 0, most) && trial > 0) continue;
    let sumL = 0;
    let sumL2 = 0;
    let sumXl = 0;
    for (let i = 0; i < count; i++) {
      const l = trialCodes[i];
      const cost = f32(runCosts[i] * l);
      sumL = f32(sumL + cost);
      sumL2 = f32(sumL2 + f32(cost * l));
      sumXl = f32(sumXl + f32(cost * run[i]));
    }
    const determinant = f32(f32(sumCosts * sumL2) - f32(sumL * sumL));
    if (!(determinant > 0)) continue;
    let trialScale = f32(f32(f32(sumCosts * sumXl) - f32(sumX * sumL)) / determinant);
    let trialMin = f32(f32(f32(sumL2 * sumX) - f32(sumL * sumXl)) / determinant);
    if (trialMin > 0) {
      trialMin = 0;
      trialScale = f32(sumXl / sumL2);
    }
    let trialError = 0;
    // a sum of costs only grows: once it is too large, the trial has lost
    for (let i = 0; i < count && !(trialError >= error); i++) {
      const difference = f32(f32(f32(trialScale * trialCodes[i]) + trialMin) - run[i]);
      trialError = f32(trialError + f32(runCosts[i] * (bySize ? Math.abs(difference) : f32(difference * difference))));
    }
    if (!(trialError < error)) continue;
    error = trialError;
    scale = trialScale;
    min = trialMin;
    for (let i = 0; i < count; i++) {
      codes[codesAt + i] = trialCodes[i];
      aboveMinimum[i] = f32(run[i] - min);
    }
  }
  scales[index] = scale;
  minima[index] = -min;
}

/**
 * Codes 0..most of `count` numbers that are not negative, which stand for scale * code; `costs` as above. Returns the
 * scale; 0, and codes of 0, for zeros.
 */
export function fitPositive(
  x: Float32Array,
  count: number,
  most: number,
  costs: Float32Array,
  codes: Uint8Array,
): number {
  let max = 0;
  for (let i = 0; i < count; i++) if (x[i] > max) max = x[i];
  if (max < LEAST) {
    codes.fill(0, 0, count);
    return 0;
  }
  let inverse = f32(most / max);
  let error = Infinity;
  for (let trial = 0; trial < 9; trial++) {
    const tenths = trial === 0 ? 0 : trial < 5 ? trial - 5 : trial - 4; // the plain scale first, then -4..4 without 0
    const trialInverse = f32(f32(f32(TENTH * tenths) + most) / max);
    const trialScale = f32(1 / trialInverse);
    let trialError = 0;
    for (let i = 0; i < count; i++) {
      const difference = f32(x[i] - f32(trialScale * nearestInside(f32(trialInverse * x[i]), 0, most)));
      trialError = f32(trialError + f32(f32(costs[i] * difference) * difference));
    }
    if (!(trialError < error)) continue;
    error = trialError;
    inverse = trialInverse;
  }
  let sumXl = 0;
  let sumL2 = 0;
  for (let i = 0; i < count; i++) {
    const l = nearestInside(f32(inverse * x[i]), 0, most);
    codes[i] = l;
    sumXl = f32(sumXl + f32(f32(costs[i] * x[i]) * l));
    sumL2 = f32(sumL2 + f32(f32(costs[i] * l) * l));
  }
  for (let round = 0; round < 5; round++) {
    let changed = false;
    for (let i = 0; i < count; i++) {
      const before = codes[i];
      const costX = f32(costs[i] * x[i]);
      const otherXl = f32(sumXl - f32(costX * before));
      const otherL2 = f32(sumL2 - f32(f32(costs[i] * before) * before));
      if (!(otherXl > 0 && otherL2 > 0)) continue;
      const l = nearestInside(f32(f32(x[i] * otherL2) / otherXl), 0, most);
      if (l === before) continue;
      const newXl = f32(otherXl + f32(costX * l));
      const newL2 = f32(otherL2 + f32(f32(costs[i] * l) * l));
      if (!(f32(f32(newXl * newXl) * sumL2) > f32(f32(sumXl * sumXl) * newL2))) continue;
      codes[i] = l;
      sumXl = newXl;
      sumL2 = newL2;
      changed = true;
    }
    if (!changed) break;
  }
  return sumL2 > 0 ? f32(sumXl / sumL2) : 0;
}

/** What was found for runs that lie one behind the other: a scale (and minimum) for each, a code for each weight. */
export interface SignedFits {
  readonly scales: Float32Array;
  readonly codes: Uint8Array;
}
export interface AffineFits extends SignedFits {
  readonly minima: Float32Array;
}

/** A search over runs of so many weights: with a minimum, or of signed codes. */
export type RunSearch =
  { readonly run: number; readonly affine: AffineSearch } | { readonly run: number; readonly half: number };

/** Searches for all runs of `run` weights of x, whose errors cost `costs`: each as `fitAffine` and `fitSigned` find it. */
export interface RunSearches {
  affine(x: Float32Array, costs: Float32Array, run: number, search: AffineSearch): AffineFits;
  signed(x: Float32Array, costs: Float32Array, run: number, half: number): SignedFits;
}

/** One run after another. */
export const plainSearches: RunSearches = {
  affine(x, costs, run, search) {
    const [scales, minima] = [new Float32Array(x.length / run), new Float32Array(x.length / run)];
    const codes = new Uint8Array(x.length);
    for (let at = 0; at < x.length; at += run) {
      fitAffine(x, at, run, costs.subarray(at), search, codes, at, scales, minima, at / run);
    }
    return { scales, minima, codes };
  },
  signed(x, costs, run, half) {
    const [scales, codes] = [new Float32Array(x.length / run), new Uint8Array(x.length)];
    for (let at = 0; at < x.length; at += run) {
      scales[at / run] = fitSigned(x, at, run, half, costs.subarray(at), codes, at);
    }
    return { scales, codes };
  },
};
