// Rows that are each multiplied by a matrix of their own choice out of several of one shape, which lie one after another in
// one table; 0 chooses none. What adapters are made of: in one run each row may have another one.
import { ShapeError } from "../../base/errors.ts";
import { sameShape, showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix } from "./checks.ts";

/**
 * out[n] = addend[n] + x[n] T_c, where c = choices[n] and T_c is rows [(c - 1) K, c K) of tables; out[n] = addend[n] where
 * c is 0. Inputs: x (N, K), tables (S*K, M), choices (N) i32, or [1] where all rows choose alike, and optionally addend
 * (N, M).
 */
export const gatherMatmulOp: Op = {
  name: "gatherMatmul",
  result: "fresh",
  infer([x, tables, choices, addend]) {
    const [rows, inner] = matrix("gatherMatmul", "x", x);
    const [tableRows, columns] = matrix("gatherMatmul", "tables", tables);
    for (const [name, tensor] of Object.entries({ x, tables })) expectType("gatherMatmul", name, tensor, "f32");
    expectType("gatherMatmul", "choices", choices, "i32");
    if (typeof tableRows !== "number") {
      throw new ShapeError("gatherMatmul: rows of tables", showShape([tableRows]), "a fixed row count");
    }
    expectDivisible("gatherMatmul", "rows of tables", tableRows, inner);
    if (!sameShape(choices.shape, [1])) expectShape("gatherMatmul", "choices", choices, [rows]);
    if (addend !== undefined) {
      expectType("gatherMatmul", "addend", addend, "f32");
      expectShape("gatherMatmul", "addend", addend, [rows, columns]);
    }
    return { shape: [rows, columns], type: "f32" };
  },
};

/** x (N, K), tables (S*K, M), choices (N) or [1] of 0 .. S, addend (N, M) -> (N, M). */
export const gatherMatmul = (x: Tensor, tables: Tensor, choices: Tensor, addend?: Tensor): Tensor =>
  apply(gatherMatmulOp, addend === undefined ? [x, tables, choices] : [x, tables, choices, addend], {});
