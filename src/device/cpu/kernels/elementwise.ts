// Functions of one number and of two as lanes operations: what products end in, and what expressions (expression.ts) are
// made of.
import { type Floats, type KernelBuilder, exp, log, normalCdf, sigmoid, tanh } from "../../../lanes/index.ts";
import type { ActivationName, BinaryName, UnaryName } from "../../../graph/index.ts";

export const SQRT_2_PI = Math.sqrt(2 / Math.PI);

/** Functions of one number that a product can end in. */
export const unary: Readonly<Record<ActivationName, (x: Floats, k: KernelBuilder) => Floats>> = {
  silu: (x) => x.div(exp(x.neg()).add(1)),
  gelu: (x, k) => x.mul(normalCdf(x, k)),
  // 0.5 x (1 + tanh u) is x / (1 + e^-2u)
  geluTanh: (x, k) =>
    x.mul(
      sigmoid(
        x
          .mul(x)
          .mul(x)
          .madd(0.044715, x)
          .mul(2 * SQRT_2_PI),
        k,
      ),
    ),
  tanh,
};

/** e^x from 0 to infinity, which `exp` of lanes stops short of. */
function wholeExp(x: Floats): Floats {
  const root = exp(x.mul(0.5));
  return root.mul(root);
}

/** min(x, 0) - log(1 + u), u = e^-|x|. With w = 1 + u as it was rounded, log(1 + u) is log(w) u / (w - 1) (Kahan). */
function logSigmoid(x: Floats): Floats {
  const u = exp(x.abs().neg());
  const w = u.add(1);
  const kept = w.sub(1);
  const isLost = kept.less(2 ** -24);
  const logarithm = log(w).mul(u.div(isLost.selectFloats(1, kept)));
  return x.min(0).sub(isLost.selectFloats(u, logarithm));
}

/** All functions of one number. */
export const unaryLanes: Readonly<Record<UnaryName, (x: Floats, k: KernelBuilder) => Floats>> = {
  ...unary,
  exp: wholeExp,
  log,
  sqrt: (x) => x.sqrt(),
  sigmoid,
  normalCdf,
  logSigmoid,
  step: (x, k) => k.floats(0).less(x).selectFloats(1, 0),
};

export const binaryLanes: Readonly<Record<BinaryName, (a: Floats, b: Floats) => Floats>> = {
  add: (a, b) => a.add(b),
  subtract: (a, b) => a.sub(b),
  multiply: (a, b) => a.mul(b),
  divide: (a, b) => a.div(b),
  maximum: (a, b) => a.max(b),
  minimum: (a, b) => a.min(b),
};
