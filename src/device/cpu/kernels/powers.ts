// 2^x: softmax's scores are multiplied by log2(e) on their way, so that weights are powers of two. Two precisions.
// Coefficients: minimax in relative error over [-0.5, 0.5] by the Remez exchange, of degree 5 (7.5e-8, f32) and 3
// (7.5e-5, for what is rounded to bf16, whose half unit is 2e-3).
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
  return polynomial(clamped.sub(n), coefficients.f32).mul(n.toInts().add(127).shl(23).asFloats());
}

/** Adding this to a small number leaves its nearest integer in the sum's lowest bits. */
const ROUNDING = 1.5 * 2 ** 23;

/** 2^x for x from -126 to 127, to bf16's precision. */
export function boundedRoughPower(x: Floats): Floats {
  const n = x.add(ROUNDING);
  const r = x.sub(n.sub(ROUNDING));
  return polynomial(r, coefficients.bf16).asInts().add(n.asInts().shl(23)).asFloats();
}

/** 2^x for x up to 127, to bf16's precision; about 2^-126 below that. */
export const roughPower = (x: Floats): Floats => boundedRoughPower(x.max(-126));

function polynomial(x: Floats, coefficients: readonly number[]): Floats {
  const [highest, next, ...lower] = coefficients.toReversed();
  let sum = x.madd(highest, next);
  for (const coefficient of lower) sum = sum.madd(x, coefficient);
  return sum;
}
