// The sixteen levels of IQ4_NL and IQ4_XS, denser near zero, and the search for a scale that goes with them.
// Source: ggml-quants.c (quantize_row_iq4_nl_impl).
import { weighCosts } from "./importance.ts";
import { LEAST } from "./search.ts";

const f32 = Math.fround;
const RUN = 32;
const TRIALS = 7;

export const levels = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

const costs = new Float32Array(RUN);

/** The level nearest to an f32; of two as near the upper one. */
export function nearestLevel(value: number): number {
  const twice = value + value;
  let code = 0;
  for (let step = 8; step > 0; step >>= 1) {
    if (twice >= levels[code + step - 1] + levels[code + step]) code += step;
  }
  return code;
}

/**
 * The scale for 32 weights from x[at] on; 0 for zeros. `importance`: of columns; `meanSquare`: of the weights around
 * them, for importances alone.
 */
export function fitLevels(
  x: Float32Array,
  at: number,
  importance: Float32Array | undefined,
  meanSquare: number,
): number {
  if (importance !== undefined) weighCosts(x, at, RUN, importance, meanSquare, costs);
  else for (let i = 0; i < RUN; i++) costs[i] = x[at + i] * x[at + i];
  let extreme = 0;
  for (let i = at; i < at + RUN; i++) if (Math.abs(x[i]) > Math.abs(extreme)) extreme = x[i];
  if (Math.abs(extreme) < LEAST) return 0;
  let scale = 0;
  let best = 0;
  for (let trial = -TRIALS - 1; trial <= TRIALS; trial++) {
    const isPlain = trial === -TRIALS - 1;
    const inverse = isPlain ? f32(1 / f32(-extreme / levels[0])) : f32((trial + levels[0]) / extreme);
    let sumQx = 0;
    let sumQ2 = 0;
    for (let i = 0; i < RUN; i++) {
      const level = levels[nearestLevel(f32(inverse * x[at + i]))];
      const cost = f32(costs[i] * level);
      sumQx = f32(sumQx + f32(cost * x[at + i]));
      sumQ2 = f32(sumQ2 + f32(cost * level));
    }
    if (!(sumQ2 > 0 && (isPlain || f32(sumQx * sumQx) > f32(best * sumQ2)))) continue;
    scale = f32(sumQx / sumQ2);
    best = f32(scale * sumQx);
  }
  return scale;
}
