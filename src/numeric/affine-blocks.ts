// Encoding of blocks of 256 weights in eight runs of 32, each with a 6-bit scale and a 6-bit minimum: what Q4_K and Q5_K
// share. Source: ggml-quants.c (quantize_row_q4_K_ref, quantize_row_q4_K_impl). Not here: how codes lie in a block.
import { f16At, storeF16 } from "./f16.ts";
import { blockCosts, sumOfCosts, sumOfSquares } from "./importance.ts";
import { packScales, subMinimum, subScale } from "./k-scales.ts";
import { type AffineSearch, type RunSearches, fitPositive, nearest, nearestInside } from "./search.ts";

const f32 = Math.fround;
const RUNS = 8;
const RUN = 32;
const BLOCK = RUNS * RUN;
const SCALE_MOST = 63;

const runCosts = new Float32Array(RUNS);
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

/** Whose values are encoded where, and by which searches. */
interface AffineBlocks {
  readonly x: Float32Array;
  readonly importance: Float32Array | undefined;
  /** Zeroed; a block's begin with f16 scale and minimum and the 12 bytes of its runs' own. */
  readonly bytes: Uint8Array;
  readonly blockBytes: number;
}

/** Encodes whole blocks; `packCodes` puts a block's 256 codes behind its first 16 bytes, which are at `at`. */
export function encodeAffineBlocks(
  { x, importance, bytes, blockBytes }: AffineBlocks,
  { plain, weighted }: AffineSearches,
  searches: RunSearches,
  packCodes: (at: number, codes: Uint8Array) => void,
): void {
  const isPlain = importance === undefined;
  const costs = isPlain ? plainCosts(x) : blockCosts(x, BLOCK, importance, weightedMean);
  const { scales, minima, codes } = searches.affine(x, costs, RUN, isPlain ? plain : weighted);
  for (let at = 0, from = 0; from < x.length; at += blockBytes, from += BLOCK) {
    const [first, end] = [from / RUN, from / RUN + RUNS];
    const [ofScales, ofMinima] = [scales.subarray(first, end), minima.subarray(first, end)];
    if (isPlain) {
      storeF16(bytes, at, roundByLargest(ofScales, scaleCodes));
      storeF16(bytes, at + 2, roundByLargest(ofMinima, minimumCodes));
    } else {
      for (let j = 0; j < RUNS; j++) runCosts[j] = sumOfCosts(costs, from + RUN * j, RUN);
      storeF16(bytes, at, fitPositive(ofScales, RUNS, SCALE_MOST, runCosts, scaleCodes));
      storeF16(bytes, at + 2, fitPositive(ofMinima, RUNS, SCALE_MOST, runCosts, minimumCodes));
    }
    packScales(bytes, at + 4, scaleCodes, minimumCodes);
    roundAgain(x, from, bytes, at, plain.most, codes);
    packCodes(at, codes.subarray(from, from + BLOCK));
  }
}

/** Codes of a block once more, by scales and minima as they were stored. */
function roundAgain(
  x: Float32Array,
  from: number,
  bytes: Uint8Array,
  at: number,
  most: number,
  codes: Uint8Array,
): void {
  const d = f16At(bytes, at);
  const dmin = f16At(bytes, at + 2);
  for (let j = 0; j < RUNS; j++) {
    const scale = f32(d * subScale(bytes, at + 4, j));
    if (scale === 0) continue;
    const minimum = f32(dmin * subMinimum(bytes, at + 4, j));
    for (let i = from + RUN * j; i < from + RUN * (j + 1); i++) {
      codes[i] = nearestInside(f32(f32(x[i] + minimum) / scale), 0, most);
    }
  }
}

function plainCosts(x: Float32Array): Float32Array {
  const costs = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += RUN) {
    const size = f32(Math.sqrt(f32(sumOfSquares(x, from, RUN) / RUN)));
    for (let i = from; i < from + RUN; i++) costs[i] = size + Math.abs(x[i]);
  }
  return costs;
}

const weightedMean = (sum: number): number => f32(f32(2 * sum) / BLOCK);

/** The largest number gets the largest code; returns the scale. */
function roundByLargest(numbers: Float32Array, into: Uint8Array): number {
  let most = 0;
  for (let j = 0; j < RUNS; j++) if (numbers[j] > most) most = numbers[j];
  const inverse = most > 0 ? f32(SCALE_MOST / most) : 0;
  for (let j = 0; j < RUNS; j++) into[j] = Math.min(SCALE_MOST, nearest(f32(inverse * numbers[j])));
  return f32(most / SCALE_MOST);
}
