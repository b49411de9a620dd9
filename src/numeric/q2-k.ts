// Q2_K: 256 weights in 84 bytes: 16 bytes with the 4-bit scale (low) and minimum (high) of each run of 16, 64 bytes of
// bit pairs, f16 d, f16 dmin; w = (d * sc) * q - dmin * m. Each half of 128 weights has 32 bytes; pair r of a byte
// belongs to its run of 32 number r. Source of encoding: ggml-quants.c (quantize_row_q2_K_ref, quantize_row_q2_K_impl).
import { weightedSearch } from "./affine-blocks.ts";
import { blockFormat } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { blockCosts, sumOfCosts } from "./importance.ts";
import { type AffineSearch, fitPositive, nearest, nearestInside } from "./search.ts";

const f32 = Math.fround;
const RUNS = 16;
const RUN = 16;
const BLOCK = RUNS * RUN;
const SCALE_MOST = 15;
const plainSearch: AffineSearch = { most: 3, first: -0.5, step: f32(0.1), steps: 15, bySize: true };
const weighted = weightedSearch(3);

const runCosts = new Float32Array(RUNS);
const scaleCodes = new Uint8Array(RUNS);
const minimumCodes = new Uint8Array(RUNS);

export const q2_k = blockFormat({
  name: "q2_k",
  ggmlType: 10,
  blockSize: 256,
  blockBytes: 84,
  asked: [plainSearch, weighted].map((affine) => ({ run: RUN, affine })),
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
  encodeBlocks(values, bytes, importance, searches) {
    const costs =
      importance === undefined
        ? values.map(Math.abs)
        : blockCosts(values, BLOCK, importance, (sum) => f32(sum / BLOCK));
    const search = importance === undefined ? plainSearch : weighted;
    const { scales, minima, codes } = searches.affine(values, costs, RUN, search);
    for (let at = 0, from = 0; from < values.length; at += 84, from += BLOCK) {
      const [ofScales, ofMinima] = [scales, minima].map((all) => all.subarray(from / RUN, from / RUN + RUNS));
      if (importance === undefined) {
        storeF16(bytes, at + 80, roundPositive(ofScales, scaleCodes));
        storeF16(bytes, at + 82, roundPositive(ofMinima, minimumCodes));
      } else {
        for (let j = 0; j < RUNS; j++) runCosts[j] = sumOfCosts(costs, from + RUN * j, RUN);
        storeF16(bytes, at + 80, fitPositive(ofScales, RUNS, SCALE_MOST, runCosts, scaleCodes));
        storeF16(bytes, at + 82, fitPositive(ofMinima, RUNS, SCALE_MOST, runCosts, minimumCodes));
      }
      const d = f16At(bytes, at + 80);
      const dmin = f16At(bytes, at + 82);
      for (let j = 0; j < RUNS; j++) {
        bytes[at + j] = scaleCodes[j] | (minimumCodes[j] << 4);
        const scale = f32(d * scaleCodes[j]);
        if (scale === 0) continue;
        const minimum = f32(dmin * minimumCodes[j]);
        for (let i = from + RUN * j; i < from + RUN * (j + 1); i++) {
          codes[i] = nearestInside(f32(f32(values[i] + minimum) / scale), 0, 3);
        }
      }
      for (let i = 0; i < BLOCK; i++) {
        bytes[at + 16 + 32 * (i >> 7) + (i & 31)] |= codes[from + i] << (2 * ((i >> 5) & 3));
      }
    }
  },
});

/** The largest gets the largest code; returns the scale. */
function roundPositive(numbers: Float32Array, into: Uint8Array): number {
  let most = 0;
  for (let j = 0; j < RUNS; j++) if (numbers[j] > most) most = numbers[j];
  const inverse = most > 0 ? f32(SCALE_MOST / most) : 0;
  for (let j = 0; j < RUNS; j++) into[j] = nearest(f32(inverse * numbers[j]));
  return f32(most / SCALE_MOST);
}
