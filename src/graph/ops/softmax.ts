// Softmax of each row, and the logarithm of its denominator, both without overflow.
import { type Op, type Tensor, type TensorType, apply } from "../tensor.ts";
import { expectType, matrix } from "./checks.ts";
import { multiply, subtract } from "./elementwise.ts";
import { sumColumns } from "./sums.ts";

function rowsOf(op: string, x: Tensor): TensorType["shape"] {
  matrix(op, "x", x);
  expectType(op, "x", x, "f32");
  return x.shape;
}

/** y[n, c] = exp(x[n, c]) / Σ_j exp(x[n, j]). Inputs: x (N, C). */
export const softmaxOp: Op = {
  name: "softmax",
  result: "fresh",
  infer: ([x]) => ({ shape: rowsOf("softmax", x), type: "f32" }),
  gradient: (y, dy) => [multiply(y, subtract(dy, sumColumns(multiply(dy, y))))],
};

/** y[n, 0] = log Σ_j exp(x[n, j]). Inputs: x (N, C). */
export const logSumExpOp: Op = {
  name: "logSumExp",
  result: "fresh",
  infer: ([x]) => ({ shape: [rowsOf("logSumExp", x)[0], 1], type: "f32" }),
  gradient: (_, dy, [x]) => [multiply(softmax(x), dy)],
};

/** x (N, C) -> (N, C). */
export const softmax = (x: Tensor): Tensor => apply(softmaxOp, [x], {});
/** x (N, C) -> (N, 1). */
export const logSumExp = (x: Tensor): Tensor => apply(logSumExpOp, [x], {});
/** The logarithm of softmax: x (N, C) -> (N, C). */
export const logSoftmax = (x: Tensor): Tensor => subtract(x, logSumExp(x));
