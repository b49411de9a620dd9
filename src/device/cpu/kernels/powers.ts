// 2^x for softmax: scores are multiplied by log2(e) on their way, so that weights are powers of two. Two precisions.
// Coefficients: minimax in relative error over [-0.5, 0.5] by the Remez exchange, of degree 5 (7.5e-8, f32) and 3
// (7.5e-5, for weights that are rounded to bf16, whose half unit is 2e-3).
import type { Floats } from "../../../lanes/index.ts";

const coefficients = {
  f32: [
    1.0000000716546822, 0.6931469670647332, 0.24022119723848565, 0.055507132735425686, 0.009675541334211306,
    0.0013276471979469665,
  ],
  bf16: [0.9999280735404955, 0.6932609854573363, 0.24261112219433054, 0.05517166907486393],
} as const;

/** Smaller than any score, and finite, so that differences stay numbers; its weight is 0. */
export const LEAST = -1e30;

/** 2^x for x <= 0, exactly 0 below 2^-126. */
export function power(x: Floats): Floats {
  const clamped = x.max(-127);
  const n = clamped.nearest();
  const r = clamped.sub(n);
  const [highest, ...lower] = coefficients.f32.toReversed();
  let fraction = r.madd(highest, lower[0]);
  for (const coefficient of lower.slice(1)) fraction = fraction.madd(r, coefficient);
  return fraction.mul(n.toInts().add(127).shl(23).asFloats());
}

/** Adding this to a small number leaves its nearest integer in the sum's lowest bits. */
const ROUNDING = 1.5 * 2 ** 23;

/** 2^x for x < 100, to bf16's precision; about 2^-126 below that. */
export function roughPower(x: Floats): Floats {
  const clamped = x.max(-126);
  const n = clamped.add(ROUNDING);
  const r = clamped.sub(n.sub(ROUNDING));
  const [highest, ...lower] = coefficients.bf16.toReversed();
  let fraction = r.madd(highest, lower[0]);
  for (const coefficient of lower.slice(1)) fraction = fraction.madd(r, coefficient);
  return fraction.asInts().add(n.asInts().shl(23)).asFloats();
}
