// Rows made of k parts of C columns each, and a weight for each part: their sum, the parts that a row gives, and how alike
// parts and rows are. Each is made of what the other two are, as with products (experts.ts): what the form
// Σ weights[n, j] parts[n, j, c] x[n, c] changes with.
import { type Size } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix } from "./checks.ts";

function weightsOf(op: string, weights: Tensor): [Size, number] {
  expectType(op, "weights", weights, "f32");
  return matrix(op, "weights", weights);
}

/** y[n] = Σ_j weights[n, j] parts[n, j]. Inputs: parts (N, k*C), weights (N, k). */
export const mixPartsOp: Op = {
  name: "mixParts",
  result: "fresh",
  infer([parts, weights]) {
    const [rows, count] = weightsOf("mixParts", weights);
    const [, columns] = matrix("mixParts", "parts", parts);
    expectType("mixParts", "parts", parts, "f32");
    expectDivisible("mixParts", "columns of parts", columns, count);
    expectShape("mixParts", "parts", parts, [rows, columns]);
    return { shape: [rows, columns / count], type: "f32" };
  },
  gradient: (_, dy, [parts, weights]) => [spreadParts(dy, weights), dotParts(parts, dy)],
};

/** y[n, j] = weights[n, j] x[n]. Inputs: x (N, C), weights (N, k). */
export const spreadPartsOp: Op = {
  name: "spreadParts",
  result: "fresh",
  infer([x, weights]) {
    const [rows, count] = weightsOf("spreadParts", weights);
    const [, columns] = matrix("spreadParts", "x", x);
    expectType("spreadParts", "x", x, "f32");
    expectShape("spreadParts", "x", x, [rows, columns]);
    return { shape: [rows, count * columns], type: "f32" };
  },
  gradient: (_, dy, [x, weights]) => [mixParts(dy, weights), dotParts(dy, x)],
};

/** y[n, j] = Σ_c parts[n, j, c] x[n, c]. Inputs: parts (N, k*C), x (N, C). */
export const dotPartsOp: Op = {
  name: "dotParts",
  result: "fresh",
  infer([parts, x]) {
    const [rows, columns] = matrix("dotParts", "x", x);
    const [, all] = matrix("dotParts", "parts", parts);
    expectType("dotParts", "x", x, "f32");
    expectType("dotParts", "parts", parts, "f32");
    expectDivisible("dotParts", "columns of parts", all, columns);
    expectShape("dotParts", "parts", parts, [rows, all]);
    return { shape: [rows, all / columns], type: "f32" };
  },
  gradient: (_, dy, [parts, x]) => [spreadParts(x, dy), mixParts(parts, dy)],
};

/** parts (N, k*C), weights (N, k) -> (N, C). */
export const mixParts = (parts: Tensor, weights: Tensor): Tensor => apply(mixPartsOp, [parts, weights], {});
/** x (N, C), weights (N, k) -> (N, k*C). */
export const spreadParts = (x: Tensor, weights: Tensor): Tensor => apply(spreadPartsOp, [x, weights], {});
/** parts (N, k*C), x (N, C) -> (N, k). */
export const dotParts = (parts: Tensor, x: Tensor): Tensor => apply(dotPartsOp, [parts, x], {});
