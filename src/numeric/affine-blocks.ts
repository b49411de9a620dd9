// Encoding of 256 weights in eight runs of 32, each with a 6-bit scale and a 6-bit minimum: what Q4_K and Q5_K share.
// Source: ggml-quants.c (quantize_row_q4_K_ref, quantize_row_q4_K_impl). Not here: how codes lie in a block.
import { f16At, storeF16 } from "./f16.ts";
import { sumOfCosts, sumOfSquares, weighCosts } from "./importance.ts";
import { packScales, subMinimum, subScale } from "./k-scales.ts";
import { type AffineSearch, fitAffine, fitPositive, nearest, nearestInside } from "./search.ts";

const f32 = Math.fround;
const RUNS = 8;
const RUN = 32;
const SCALE_MOST = 63;

const costs = new Float32Array(RUN);
const runCosts = new Float32Array(RUNS);
const scales = new Float32Array(RUNS);
const minima = new Float32Array(RUNS);
const scaleCodes = new Uint8Array(RUNS);
const minimumCodes = new Uint8Array(RUNS);

/** How scales are searched with importances, whatever the number of codes. */
export const weightedSearch = (most: number): AffineSearch => ({
  most,
  first: f32(-0.9),
  step: f32(0.05),
  steps: 36,
});

export interface AffineSearches {
  readonly plain: AffineSearch;
  readonly weighted: AffineSearch;
}

/**
 * Encodes the 256 weights from x[from] on: f16 scale and minimum and the 12 bytes of the runs' own go to the 16 zeroed
 * bytes at `at`, codes to `codes`.
 */
export function encodeAffineRuns(
  x: Float32Array,
  from: number,
  searches: AffineSearches,
  importance: Float32Array | undefined,
  bytes: Uint8Array,
  at: number,
  codes: Uint8Array,
): void {
  if (importance === undefined) fitPlain(x, from, searches.plain, codes, bytes, at);
  else fitWeighted(x, from, searches.weighted, importance, codes, bytes, at);
  packScales(bytes, at + 4, scaleCodes, minimumCodes);
  // once more, with scales and minima as they were stored
  const d = f16At(bytes, at);
  const dmin = f16At(bytes, at + 2);
  const { most } = searches.plain;
  for (let j = 0; j < RUNS; j++) {
    const scale = f32(d * subScale(bytes, at + 4, j));
    if (scale === 0) continue;
    const minimum = f32(dmin * subMinimum(bytes, at + 4, j));
    for (let i = RUN * j; i < RUN * (j + 1); i++) {
      codes[i] = nearestInside(f32(f32(x[from + i] + minimum) / scale), 0, most);
    }
  }
}

function fitPlain(
  x: Float32Array,
  from: number,
  search: AffineSearch,
  codes: Uint8Array,
  bytes: Uint8Array,
  at: number,
): void {
  let maxScale = 0;
  let maxMinimum = 0;
  for (let j = 0; j < RUNS; j++) {
    const start = from + RUN * j;
    const size = f32(Math.sqrt(f32(sumOfSquares(x, start, RUN) / RUN)));
    for (let i = 0; i < RUN; i++) costs[i] = size + Math.abs(x[start + i]);
    fitAffine(x, start, RUN, costs, search, codes, RUN * j, scales, minima, j);
    if (scales[j] > maxScale) maxScale = scales[j];
    if (minima[j] > maxMinimum) maxMinimum = minima[j];
  }
  const scaleInverse = maxScale > 0 ? f32(SCALE_MOST / maxScale) : 0;
  const minimumInverse = maxMinimum > 0 ? f32(SCALE_MOST / maxMinimum) : 0;
  for (let j = 0; j < RUNS; j++) {
    scaleCodes[j] = Math.min(SCALE_MOST, nearest(f32(scaleInverse * scales[j])));
    minimumCodes[j] = Math.min(SCALE_MOST, nearest(f32(minimumInverse * minima[j])));
  }
  storeF16(bytes, at, f32(maxScale / SCALE_MOST));
  storeF16(bytes, at + 2, f32(maxMinimum / SCALE_MOST));
}

function fitWeighted(
  x: Float32Array,
  from: number,
  search: AffineSearch,
  importance: Float32Array,
  codes: Uint8Array,
  bytes: Uint8Array,
  at: number,
): void {
  const meanSquare = f32(f32(2 * sumOfSquares(x, from, RUNS * RUN)) / (RUNS * RUN));
  for (let j = 0; j < RUNS; j++) {
    weighCosts(x, from + RUN * j, RUN, importance, meanSquare, costs);
    runCosts[j] = sumOfCosts(costs, RUN);
    fitAffine(x, from + RUN * j, RUN, costs, search, codes, RUN * j, scales, minima, j);
  }
  storeF16(bytes, at, fitPositive(scales, RUNS, SCALE_MOST, runCosts, scaleCodes));
  storeF16(bytes, at + 2, fitPositive(minima, RUNS, SCALE_MOST, runCosts, minimumCodes));
}
