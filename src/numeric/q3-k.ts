// Q3_K: 256 weights in 110 bytes: 32 bytes with the third bits (bit r of byte i belongs to weight i of run of 32 number
// r), 64 bytes of bit pairs as in Q2_K, 12 bytes with the 6-bit scales of 16 runs of 16, f16 d; w = d * (sc - 32) * (q - 4).
// Scale j has its low nibble in byte j % 8 (the upper one from 8 on), its upper two bits in byte 8 + j % 4.
import { blockFormat } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { packQ6 } from "./q6-k.ts";
import { blockCosts, sumOfCosts } from "./importance.ts";
import { LEAST, type RunSearches, fitSigned, nearestInside } from "./search.ts";

const f32 = Math.fround;
const RUNS = 16;
const RUN = 16;
const HALF = 4;
const SCALE_HALF = 32;
const ROUNDS = 5;
const BLOCK = RUNS * RUN;

const codes = new Uint8Array(BLOCK);
const runCosts = new Float32Array(RUNS);
const scales = new Float32Array(RUNS);
const scaleCodes = new Uint8Array(RUNS);
const signed = new Int8Array(RUN);

export const q3_k = blockFormat({
  name: "q3_k",
  ggmlType: 11,
  blockSize: 256,
  blockBytes: 110,
  asked: [{ run: RUN, half: HALF }],
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 110, out += 256) {
      const d = f16At(bytes, at + 108);
      for (let i = 0; i < 256; i++) {
        values[out + i] = f32(d * (runScale(bytes, at + 96, i >> 4) - SCALE_HALF)) * (codeAt(bytes, at, i) - HALF);
      }
    }
  },
  encodeBlocks(values, bytes, importance, searches) {
    const fitNext = importance === undefined ? fitPlain : weightedFits(values, importance, searches);
    for (let at = 0, from = 0; from < values.length; at += 110, from += BLOCK) {
      const scale = fitNext(values, from);
      storeF16(bytes, at + 108, scale);
      const d = f16At(bytes, at + 108);
      for (let j = 0; j < RUNS; j++) {
        bytes[at + 96 + (j & 7)] |= (scaleCodes[j] & 15) << (j < 8 ? 0 : 4);
        bytes[at + 104 + (j & 3)] |= (scaleCodes[j] >> 4) << (2 * (j >> 2));
        const run = f32(d * (scaleCodes[j] - SCALE_HALF));
        if (run === 0) continue;
        for (let i = RUN * j; i < RUN * (j + 1); i++) {
          codes[i] = nearestInside(f32(values[from + i] / run), -HALF, HALF - 1) + HALF;
        }
      }
      for (let i = 0; i < 256; i++) {
        bytes[at + (i & 31)] |= (codes[i] >> 2) << (i >> 5);
        bytes[at + 32 + 32 * (i >> 7) + (i & 31)] |= (codes[i] & 3) << (2 * ((i >> 5) & 3));
      }
    }
  },
});

function codeAt(bytes: Uint8Array, at: number, i: number): number {
  const low = (bytes[at + 32 + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
  return low | (((bytes[at + (i & 31)] >> (i >> 5)) & 1) << 2);
}

/** The same weights, bit for bit, as Q6_K: its runs are as long, its scales and codes hold these. */
export function q3AsQ6(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = bytes.length / 110;
  const made = new Uint8Array(210 * blocks);
  for (let at = 0, to = 0; at < bytes.length; at += 110, to += 210) {
    for (let i = 0; i < 256; i++) codes[i] = codeAt(bytes, at, i) - HALF + 32; // Q6_K's codes stand for code - 32
    packQ6(made, to, codes);
    for (let j = 0; j < RUNS; j++) made[to + 192 + j] = runScale(bytes, at + 96, j) - SCALE_HALF;
    made[to + 208] = bytes[at + 108];
    made[to + 209] = bytes[at + 109];
  }
  return made;
}

const runScale = (bytes: Uint8Array, at: number, j: number): number =>
  ((bytes[at + (j & 7)] >> (j < 8 ? 0 : 4)) & 15) | (((bytes[at + 8 + (j & 3)] >> (2 * (j >> 2))) & 3) << 4);

/** Fills codes and scale codes; returns the scale. Source: ggml-quants.c, quantize_row_q3_K_ref. */
function fitPlain(x: Float32Array, from: number): number {
  let largest = 0;
  for (let j = 0; j < RUNS; j++) {
    scales[j] = fitBySquares(x, from + RUN * j, RUN * j);
    if (Math.abs(scales[j]) > Math.abs(largest)) largest = scales[j];
  }
  if (largest === 0) {
    scaleCodes.fill(0);
    return 0;
  }
  const inverse = f32(-SCALE_HALF / largest);
  for (let j = 0; j < RUNS; j++) {
    scaleCodes[j] = nearestInside(f32(inverse * scales[j]), -SCALE_HALF, SCALE_HALF - 1) + SCALE_HALF;
  }
  return f32(1 / inverse);
}

/**
 * Codes of a run that stand for scale * (code - 4): from the plain scale on, one code after another goes where the fit by
 * least squares is better. Returns the scale. Source: ggml-quants.c, make_q3_quants.
 */
function fitBySquares(x: Float32Array, at: number, codesAt: number): number {
  let extreme = 0;
  for (let i = at; i < at + RUN; i++) if (Math.abs(x[i]) > Math.abs(extreme)) extreme = x[i];
  if (Math.abs(extreme) < LEAST) {
    codes.fill(0, codesAt, codesAt + RUN);
    return 0;
  }
  const inverse = f32(-HALF / extreme);
  let sumXl = 0;
  let sumL2 = 0;
  for (let i = 0; i < RUN; i++) {
    const value = x[at + i];
    const l = nearestInside(f32(inverse * value), -HALF, HALF - 1);
    signed[i] = l;
    const cost = f32(value * value);
    sumXl = f32(sumXl + f32(f32(cost * value) * l));
    sumL2 = f32(sumL2 + f32(f32(cost * l) * l));
  }
  for (let round = 0; round < ROUNDS; round++) {
    let changed = false;
    for (let i = 0; i < RUN; i++) {
      const value = x[at + i];
      const cost = f32(value * value);
      const before = signed[i];
      const otherXl = f32(sumXl - f32(f32(cost * value) * before));
      if (!(otherXl > 0)) continue;
      const otherL2 = f32(sumL2 - f32(f32(cost * before) * before));
      const l = nearestInside(f32(f32(value * otherL2) / otherXl), -HALF, HALF - 1);
      if (l === before) continue;
      const newXl = f32(otherXl + f32(f32(cost * value) * l));
      const newL2 = f32(otherL2 + f32(f32(cost * l) * l));
      if (!(newL2 > 0 && f32(f32(newXl * newXl) * sumL2) > f32(f32(sumXl * sumXl) * newL2))) continue;
      signed[i] = l;
      sumXl = newXl;
      sumL2 = newL2;
      changed = true;
    }
    if (!changed) break;
  }
  for (let i = 0; i < RUN; i++) codes[codesAt + i] = signed[i] + HALF;
  return sumL2 > 0 ? f32(sumXl / sumL2) : 0;
}

/** The same with importances, block by block of `x`. Source: quantize_row_q3_K_impl. */
function weightedFits(
  x: Float32Array,
  importance: Float32Array,
  searches: RunSearches,
): (x: Float32Array, from: number) => number {
  const costs = blockCosts(x, BLOCK, importance, (sum) => f32(f32(2 * sum) / BLOCK));
  const found = searches.signed(x, costs, RUN, HALF);
  return (_, from) => {
    codes.set(found.codes.subarray(from, from + BLOCK));
    for (let j = 0; j < RUNS; j++) runCosts[j] = sumOfCosts(costs, from + RUN * j, RUN);
    return fitSigned(found.scales, from / RUN, RUNS, SCALE_HALF, runCosts, scaleCodes, 0);
  };
}
