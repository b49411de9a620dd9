// Q2_K: 256 weights in 84 bytes: 16 bytes with the 4-bit scale (low) and minimum (high) of each run of 16, 64 bytes of
// bit pairs, f16 d, f16 dmin; w = (d * sc) * q - dmin * m. Each half of 128 weights has 32 bytes; pair r of a byte
// belongs to its run of 32 number r.
import { weightedSearch } from "./affine-blocks.ts";
import { blockFormat } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { sumOfCosts, sumOfSquares, weighCosts } from "./importance.ts";
import { type AffineSearch, fitAffine, fitPositive, nearest, nearestInside } from "./search.ts";

const f32 = Math.fround;
const RUNS = 16;
const RUN = 16;
const SCALE_MOST = 15;
const plainSearch: AffineSearch = { most: 3, first: -0.5, step: f32(0.1), steps: 15, bySize: true };
const weighted = weightedSearch(3);

const codes = new Uint8Array(RUNS * RUN);
const costs = new Float32Array(RUN);
const runCosts = new Float32Array(RUNS);
const scales = new Float32Array(RUNS);
const minima = new Float32Array(RUNS);
const scaleCodes = new Uint8Array(RUNS);
const minimumCodes = new Uint8Array(RUNS);

export const q2_k = blockFormat({
  name: "q2_k",
  ggmlType: 10,
  blockSize: 256,
  blockBytes: 84,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 84, out += 256) {
      const d = f16At(bytes, at + 80);
      const dmin = f16At(bytes, at + 82);
      for (let i = 0; i < 256; i++) {
        const run = bytes[at + (i >> 4)];
        const code = (bytes[at + 16 + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
        values[out + i] = f32(f32(d * (run & 15)) * code) - f32(dmin * (run >> 4));
      }
    }
  },
  encodeBlocks(values, bytes, importance) {
    for (let at = 0, from = 0; from < values.length; at += 84, from += 256) {
      if (importance === undefined) fitPlain(values, from, bytes, at);
      else fitWeighted(values, from, importance, bytes, at);
      const d = f16At(bytes, at + 80);
      const dmin = f16At(bytes, at + 82);
      for (let j = 0; j < RUNS; j++) {
        bytes[at + j] = scaleCodes[j] | (minimumCodes[j] << 4);
        const scale = f32(d * scaleCodes[j]);
        if (scale === 0) continue;
        const minimum = f32(dmin * minimumCodes[j]);
        for (let i = RUN * j; i < RUN * (j + 1); i++) {
          codes[i] = nearestInside(f32(f32(values[from + i] + minimum) / scale), 0, 3);
        }
      }
      for (let i = 0; i < 256; i++) {
        bytes[at + 16 + 32 * (i >> 7) + (i & 31)] |= codes[i] << (2 * ((i >> 5) & 3));
      }
    }
  },
});

/** Source of both: ggml-quants.c, quantize_row_q2_K_ref and quantize_row_q2_K_impl. */
function fitPlain(x: Float32Array, from: number, bytes: Uint8Array, at: number): void {
  for (let j = 0; j < RUNS; j++) {
    const start = from + RUN * j;
    for (let i = 0; i < RUN; i++) costs[i] = Math.abs(x[start + i]);
    fitAffine(x, start, RUN, costs, plainSearch, codes, RUN * j, scales, minima, j);
  }
  storeF16(bytes, at + 80, roundPositive(scales, scaleCodes));
  storeF16(bytes, at + 82, roundPositive(minima, minimumCodes));
}

/** The largest gets the largest code; returns the scale. */
function roundPositive(numbers: Float32Array, into: Uint8Array): number {
  let most = 0;
  for (let j = 0; j < RUNS; j++) if (numbers[j] > most) most = numbers[j];
  const inverse = most > 0 ? f32(SCALE_MOST / most) : 0;
  for (let j = 0; j < RUNS; j++) into[j] = nearest(f32(inverse * numbers[j]));
  return f32(most / SCALE_MOST);
}

function fitWeighted(x: Float32Array, from: number, importance: Float32Array, bytes: Uint8Array, at: number): void {
  const meanSquare = f32(sumOfSquares(x, from, RUNS * RUN) / (RUNS * RUN));
  for (let j = 0; j < RUNS; j++) {
    weighCosts(x, from + RUN * j, RUN, importance, meanSquare, costs);
    runCosts[j] = sumOfCosts(costs, RUN);
    fitAffine(x, from + RUN * j, RUN, costs, weighted, codes, RUN * j, scales, minima, j);
  }
  storeF16(bytes, at + 80, fitPositive(scales, RUNS, SCALE_MOST, runCosts, scaleCodes));
  storeF16(bytes, at + 82, fitPositive(minima, RUNS, SCALE_MOST, runCosts, minimumCodes));
}
