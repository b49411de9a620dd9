// Activations whose results are rounded to bf16 at once: of 12 bits where the result keeps 8, without a division. Exact
// ones: elementwise.ts.
import type { Floats, KernelBuilder } from "../../../lanes/index.ts";
import type { ActivationName, UnaryName } from "../../../graph/index.ts";
import { SQRT_2_PI, unary, unaryLanes } from "./elementwise.ts";
import { boundedRoughPower } from "./powers.ts";

/** Beyond these 1 / (1 + 2^x) is 0 or 1 for who adds up products; subnormal numbers, which are slow, stay far away. */
const MOST = 60;
/** The bits of 1/d are about these minus the bits of d (as in Blinn 1997, "Floating-point tricks"): 5 % off at most. */
const RECIPROCAL_BITS = 0x7ef311c3;

/** 1 / (1 + 2^x). */
function roughLogistic(x: Floats, k: KernelBuilder): Floats {
  const sum = boundedRoughPower(x.max(-MOST).min(MOST)).add(1);
  let inverse = k.ints(RECIPROCAL_BITS).sub(sum.asInts()).asFloats();
  // Newton's step squares the error: 0.26 %, then 7e-6
  for (let step = 0; step < 2; step++) inverse = inverse.mul(sum.mul(inverse).neg().add(2));
  return inverse;
}

/** As `unary`, off by 2^-11 of the result at most. */
export const roughUnary: Readonly<Record<ActivationName, (x: Floats, k: KernelBuilder) => Floats>> = {
  ...unary,
  silu: (x, k) => x.mul(roughLogistic(x.mul(-Math.LOG2E), k)),
  geluTanh: (x, k) => {
    const cube = x.mul(x).madd(0.044715, 1).mul(x);
    return x.mul(roughLogistic(cube.mul(-2 * SQRT_2_PI * Math.LOG2E), k));
  },
};

/** All functions of one number, those that a sigmoid is in roughly. */
export const roughLanes: Readonly<Record<UnaryName, (x: Floats, k: KernelBuilder) => Floats>> = {
  ...unaryLanes,
  ...roughUnary,
  sigmoid: (x, k) => roughLogistic(x.mul(-Math.LOG2E), k),
};
