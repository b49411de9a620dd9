// Products of rows and the matrices that they choose, of E matrices W_e (M, K) stored one after another: y = W x, x = Wᵀ y,
// and the sums of y xᵀ by matrix. Each is made of what the other two are: the form Σ y[n, j] · W_c x[n, j] is linear in all
// three, and they are what it changes with. Choices are those of mixtures of experts: k a row.
import { ShapeError } from "../../base/errors.ts";
import { type Size, showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix } from "./checks.ts";
import { constant } from "./elementwise.ts";
import { mixParts } from "./parts.ts";

export interface ExpertAttributes {
  /** E. */
  readonly experts: number;
}

/** [rows N, choices of a row k]. */
function choicesOf(op: string, choices: Tensor): [Size, number] {
  expectType(op, "choices", choices, "i32");
  return matrix(op, "choices", choices);
}

/** M and K of weights (E*M, K). */
function weightSizes(op: string, weight: Tensor, experts: number): [number, number] {
  const [rows, inner] = matrix(op, "weight", weight);
  expectType(op, "weight", weight, "f32");
  if (typeof rows !== "number") throw new ShapeError(`${op}: weight rows`, showShape([rows]), "a fixed row count");
  expectDivisible(op, "weight rows", rows, experts);
  return [rows / experts, inner];
}

/** Rows of x have `inner` columns that all choices of a row share, or so many for each. */
function expectInner(op: string, x: Tensor, rows: Size, choices: number, inner: number): void {
  expectType(op, "x", x, "f32");
  if (matrix(op, "x", x)[1] !== inner) expectShape(op, "x", x, [rows, choices * inner]);
  else expectShape(op, "x", x, [rows, inner]);
}

const isShared = (x: Tensor, inner: number): boolean => x.shape[1] === inner;

/** y[n, j] = W_c x[n, j], c = choices[n, j]. Inputs: x (N, K) or (N, k*K), weight (E*M, K), choices (N, k) i32. */
export const expertLinearOp: Op<ExpertAttributes> = {
  name: "expertLinear",
  result: "fresh",
  infer([x, weight, choices], { experts }) {
    const [rows, count] = choicesOf("expertLinear", choices);
    const [outer, inner] = weightSizes("expertLinear", weight, experts);
    expectInner("expertLinear", x, rows, count, inner);
    return { shape: [rows, count * outer], type: "f32" };
  },
  gradient: (_, dy, [x, weight, choices], { experts }) => [
    joined(expertTransposed(dy, weight, choices, experts), x, choices),
    expertProducts(dy, x, choices, experts, weight.shape[1] as number),
    undefined,
  ],
};

/** x[n, j] = W_cᵀ y[n, j]. Inputs: y (N, k*M), weight (E*M, K), choices (N, k) i32. */
export const expertTransposedOp: Op<ExpertAttributes> = {
  name: "expertTransposed",
  result: "fresh",
  infer([y, weight, choices], { experts }) {
    const [rows, count] = choicesOf("expertTransposed", choices);
    const [outer, inner] = weightSizes("expertTransposed", weight, experts);
    expectType("expertTransposed", "y", y, "f32");
    expectShape("expertTransposed", "y", y, [rows, count * outer]);
    return { shape: [rows, count * inner], type: "f32" };
  },
  gradient: (_, dx, [y, weight, choices], { experts }) => [
    expertLinear(dx, weight, choices, experts),
    expertProducts(y, dx, choices, experts, weight.shape[1] as number),
    undefined,
  ],
};

/** W_e = the sum of y[n, j] x[n, j]ᵀ where choices[n, j] = e. Inputs: y (N, k*M), x (N, K) or (N, k*K), choices (N, k). */
export const expertProductsOp: Op<ExpertAttributes & { readonly inner: number }> = {
  name: "expertProducts",
  result: "fresh",
  infer([y, x, choices], { experts, inner }) {
    const [rows, count] = choicesOf("expertProducts", choices);
    const [, columns] = matrix("expertProducts", "y", y);
    expectType("expertProducts", "y", y, "f32");
    expectShape("expertProducts", "y", y, [rows, columns]);
    expectDivisible("expertProducts", "columns of y", columns, count);
    expectInner("expertProducts", x, rows, count, inner);
    return { shape: [(experts * columns) / count, inner], type: "f32" };
  },
  gradient: (_, dw, [y, x, choices], { experts }) => [
    expertLinear(x, dw, choices, experts),
    joined(expertTransposed(y, dw, choices, experts), x, choices),
    undefined,
  ],
};

/** What flows back to x of what does to its choices: their sum, where they share it. */
function joined(dx: Tensor, x: Tensor, choices: Tensor): Tensor {
  const count = choices.shape[1] as number;
  return isShared(x, (dx.shape[1] as number) / count) ? mixParts(dx, constant(1, choices.shape)) : dx;
}

/** x (N, K) or (N, k*K), weight (E*M, K), choices (N, k) i32 -> (N, k*M). */
export const expertLinear = (x: Tensor, weight: Tensor, choices: Tensor, experts: number): Tensor =>
  apply(expertLinearOp, [x, weight, choices], { experts });
/** y (N, k*M), weight (E*M, K), choices (N, k) i32 -> (N, k*K). */
export const expertTransposed = (y: Tensor, weight: Tensor, choices: Tensor, experts: number): Tensor =>
  apply(expertTransposedOp, [y, weight, choices], { experts });
/** y (N, k*M), x (N, inner) or (N, k*inner), choices (N, k) i32 -> (E*M, inner). */
export const expertProducts = (y: Tensor, x: Tensor, choices: Tensor, experts: number, inner: number): Tensor =>
  apply(expertProductsOp, [y, x, choices], { experts, inner });
