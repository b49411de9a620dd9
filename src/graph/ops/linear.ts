// y = x Wᵀ + b, W stored (out, in) as every model file has it.
import { ShapeError } from "../../base/errors.ts";
import { showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectShape, expectSize, expectType, matrix } from "./checks.ts";
import { matmul } from "./matmul.ts";
import { sumRows } from "./sums.ts";

/** Inputs: x (N, K), weight (M, K), and optionally bias (M). */
export const linearOp: Op = {
  name: "linear",
  result: "fresh",
  infer([x, weight, bias]) {
    const [rows, inner] = matrix("linear", "x", x);
    const [outer, weightInner] = matrix("linear", "weight", weight);
    expectType("linear", "x", x, "f32");
    expectType("linear", "weight", weight, "f32");
    expectSize("linear", "weight columns", weightInner, inner);
    if (typeof outer !== "number") throw new ShapeError("linear: weight rows", showShape([outer]), "a fixed row count");
    if (bias !== undefined) {
      expectType("linear", "bias", bias, "f32");
      expectShape("linear", "bias", bias, [outer]);
    }
    return { shape: [rows, outer], type: "f32" };
  },
  gradient(_, dy, [x, weight, bias]) {
    const gradients = [matmul(dy, weight), matmul(dy, x, { transposeA: true })]; // dy W (N, K), dyᵀ x (M, K)
    return bias === undefined ? gradients : [...gradients, sumRows(dy)];
  },
};

/** x (N, K), weight (M, K), bias (M) -> (N, M). */
export const linear = (x: Tensor, weight: Tensor, bias?: Tensor): Tensor =>
  apply(linearOp, bias === undefined ? [x, weight] : [x, weight, bias], {});
