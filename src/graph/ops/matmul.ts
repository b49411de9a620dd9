// Products of matrices that a run computes or states hold; a product with a stored weight is `linear`.
import { ShapeError, UnsupportedError } from "../../base/errors.ts";
import { showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectSize, expectType, matrix } from "./checks.ts";

/** Which operand is read with rows and columns exchanged: one of them at most. */
export interface MatmulAttributes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** A B, A Bᵀ or Aᵀ B. Inputs: a (N, K), or (K, N) if transposed; b (K, M), or (M, K) if transposed. */
export const matmulOp: Op<MatmulAttributes> = {
  name: "matmul",
  result: "fresh",
  infer([a, b], { transposeA = false, transposeB = false }) {
    if (transposeA && transposeB) {
      throw new UnsupportedError("matmul of two transposed matrices: expected (B A), whose transpose it is.");
    }
    matrix("matmul", "a", a);
    matrix("matmul", "b", b);
    expectType("matmul", "a", a, "f32");
    expectType("matmul", "b", b, "f32");
    const [rows, inner] = transposeA ? a.shape.toReversed() : a.shape;
    const [innerB, columns] = transposeB ? b.shape.toReversed() : b.shape;
    expectSize("matmul", "inner size of b", innerB, inner);
    if (typeof columns !== "number") throw new ShapeError("matmul: columns", showShape([columns]), "a fixed count");
    return { shape: [rows, columns], type: "f32" };
  },
  gradient(_, dy, [a, b], { transposeA, transposeB }) {
    if (transposeA) return [matmul(b, dy, { transposeB: true }), matmul(a, dy)];
    if (transposeB) return [matmul(dy, b), matmul(dy, a, { transposeA: true })];
    return [matmul(dy, b, { transposeB: true }), matmul(a, dy, { transposeA: true })];
  },
};

/** a (N, K), b (K, M) -> (N, M); with `transposeA` a is (K, N), with `transposeB` b is (M, K). */
export const matmul = (a: Tensor, b: Tensor, attributes: MatmulAttributes = {}): Tensor =>
  apply(matmulOp, [a, b], attributes);
