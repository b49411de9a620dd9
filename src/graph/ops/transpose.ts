// Rows as columns. Products do this on their way (matmul's transposeA and transposeB); it is for what is no product.
import { ShapeError } from "../../base/errors.ts";
import { showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectType, matrix } from "./checks.ts";

/** Inputs: x (N, C) of a fixed row count. */
export const transposeOp: Op = {
  name: "transpose",
  result: "fresh",
  infer([x]) {
    const [rows, columns] = matrix("transpose", "x", x);
    expectType("transpose", "x", x, "f32");
    if (typeof rows !== "number") throw new ShapeError("transpose: rows", showShape([rows]), "a fixed row count");
    return { shape: [columns, rows], type: "f32" };
  },
  gradient: (_, dy) => [transpose(dy)],
};

/** x (N, C) -> (C, N). */
export const transpose = (x: Tensor): Tensor => apply(transposeOp, [x], {});
