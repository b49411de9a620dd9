// Rotary position embedding (Su et al. 2021): rotates the first R columns of every head by its row's angles; the rest
// pass. The cos and sin rows are inputs that the engine computes, so every scaling scheme is one op.
import { ShapeError } from "../../base/errors.ts";
import { showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix } from "./checks.ts";
import { scale } from "./elementwise.ts";

export interface RopeAttributes {
  readonly headSize: number;
  /** Pairs are (i, i + R/2) for "halves", (2i, 2i + 1) for "interleaved". */
  readonly layout: "halves" | "interleaved";
}

/** Inputs: x (N, H*D), cos (N, R/2), sin (N, R/2), R <= D. */
export const ropeOp: Op<RopeAttributes> = {
  name: "rope",
  result: "fresh",
  infer([x, cos, sin], { headSize }) {
    const [rows, columns] = matrix("rope", "x", x);
    const [, half] = matrix("rope", "cos", cos);
    expectType("rope", "x", x, "f32");
    expectDivisible("rope", "columns", columns, headSize);
    expectType("rope", "cos", cos, "f32");
    expectType("rope", "sin", sin, "f32");
    if (2 * half > headSize) throw new ShapeError("rope: cos", showShape(cos.shape), `at most ${headSize / 2} columns`);
    expectShape("rope", "cos", cos, [rows, half]);
    expectShape("rope", "sin", sin, [rows, half]);
    return { shape: x.shape, type: "f32" };
  },
  // turns back; the angles are given
  gradient: (_, dy, [, cos, sin], attributes) => [rope(dy, cos, scale(sin, -1), attributes), undefined, undefined],
};

/** x (N, H*D), cos and sin (N, R/2) -> (N, H*D). */
export const rope = (x: Tensor, cos: Tensor, sin: Tensor, attributes: RopeAttributes): Tensor =>
  apply(ropeOp, [x, cos, sin], attributes);
