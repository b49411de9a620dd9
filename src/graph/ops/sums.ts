// Sums over rows, over columns, over everything, and `broadcast`, which repeats what they give: each is the other's
// gradient. A sum's terms are added in an order that depends on the shape alone.
import { ShapeError } from "../../base/errors.ts";
import { type Shape, type Size, sameShape, sameSize, showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectType, matrix } from "./checks.ts";

/** out[d] = the sum of x[n, c] over all rows n and all columns c = d, d + D, d + 2D, ... Inputs: x (N, C); D divides C. */
export const sumRowsOp: Op<{ readonly columns: number }> = {
  name: "sumRows",
  result: "fresh",
  infer([x], { columns }) {
    expectType("sumRows", "x", x, "f32");
    expectDivisible("sumRows", "columns", matrix("sumRows", "x", x)[1], columns);
    return { shape: [columns], type: "f32" };
  },
  gradient: (_, dy, [x]) => [broadcast(dy, x.shape)],
};

/** out[n, 0] = the sum of x[n, c] over all columns c. Inputs: x (N, C). */
export const sumColumnsOp: Op = {
  name: "sumColumns",
  result: "fresh",
  infer([x]) {
    expectType("sumColumns", "x", x, "f32");
    return { shape: [matrix("sumColumns", "x", x)[0], 1], type: "f32" };
  },
  gradient: (_, dy, [x]) => [broadcast(dy, x.shape)],
};

/** The sum of all elements of x, of any shape. */
export const sumAllOp: Op = {
  name: "sumAll",
  result: "fresh",
  infer([x]) {
    expectType("sumAll", "x", x, "f32");
    return { shape: [1], type: "f32" };
  },
  gradient: (_, dy, [x]) => [broadcast(dy, x.shape)],
};

/**
 * out[n, c] = x[n mod rows, c mod columns] of x as a matrix: one number [1] everywhere, a row (D) in every row and, where
 * D divides C, again in every D columns, a column (N, 1) in every column.
 */
export const broadcastOp: Op<{ readonly shape: Shape }> = {
  name: "broadcast",
  result: "fresh",
  infer([x], { shape }) {
    expectType("broadcast", "x", x, "f32");
    if (sumTo(x.shape, shape) === undefined) {
      const expected = `[1], a row whose length divides the columns, or a column, of ${showShape(shape)}`;
      throw new ShapeError("broadcast: x", showShape(x.shape), expected);
    }
    return { shape, type: "f32" };
  },
  gradient: (_, dy, [x]) => [sumTo(x.shape, dy.shape)?.(dy)],
};

/** The sum that takes `from` back to `to`, which broadcasts to it; undefined where it does not. */
function sumTo(to: Shape, from: Shape): ((x: Tensor) => Tensor) | undefined {
  if (sameShape(to, [1])) return sumAll;
  const [rows, columns]: readonly Size[] = from;
  if (from.length !== 2 || typeof columns !== "number") return undefined;
  if (to.length === 2) return sameSize(to[0], rows) && to[1] === 1 ? sumColumns : undefined;
  const [length] = to;
  return to.length === 1 && typeof length === "number" && columns % length === 0
    ? (x) => sumRows(x, length)
    : undefined;
}

/** x (N, C) -> (columns): sums over rows, and over groups of columns where `columns` is less than C. */
export const sumRows = (x: Tensor, columns: number = matrix("sumRows", "x", x)[1]): Tensor =>
  apply(sumRowsOp, [x], { columns });
/** x (N, C) -> (N, 1). */
export const sumColumns = (x: Tensor): Tensor => apply(sumColumnsOp, [x], {});
/** x, of any shape -> [1]. */
export const sumAll = (x: Tensor): Tensor => apply(sumAllOp, [x], {});
/** x, [1], (D) or (N, 1) -> `shape`. */
export const broadcast = (x: Tensor, shape: Shape): Tensor => apply(broadcastOp, [x], { shape });
