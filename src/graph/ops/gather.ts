// Rows by number: `gather` reads them (embeddings, whose table is a parameter or a state; the choice of output rows),
// `scatterAddRows` adds to them. Each is the other's gradient. Where a row has several numbers, what it gets lies side by
// side (the biases of several experts).
import { ShapeError } from "../../base/errors.ts";
import { type Shape, type Size, showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix } from "./checks.ts";

/** The shape of rows of `columns` columns for each of `ids`, (N) or (N, K). */
function rowsShape(op: string, ids: Tensor, columns: number): Shape {
  expectType(op, "ids", ids, "i32");
  const [rows, count = 1] = ids.shape;
  if (ids.shape.length < 1 || ids.shape.length > 2 || typeof count !== "number") {
    throw new ShapeError(`${op}: ids`, showShape(ids.shape), "[rows], or [rows, count] of a fixed count");
  }
  return [rows, count * columns];
}

/** Numbers that a row has. */
const countOf = (ids: Tensor): number => (ids.shape.length === 1 ? 1 : (ids.shape[1] as number));

/** out[i] = table[ids[i]]; out[n, j] = table[ids[n, j]]. Inputs: table (V, C), ids (N) or (N, K) i32. */
export const gatherOp: Op = {
  name: "gather",
  result: "fresh",
  infer([table, ids]) {
    const [, columns] = matrix("gather", "table", table);
    expectType("gather", "table", table, "f32");
    return { shape: rowsShape("gather", ids, columns), type: "f32" }; // table (V, C), ids (N) -> (N, C)
  },
  gradient: (_, dy, [table, ids]) => [scatterAddRows(ids, dy, table.shape[0]), undefined],
};

/** out[v] = the sum of rows[i] where ids[i] = v, in order of i. Inputs: ids (N) i32, rows (N, C); or (N, K), (N, K*C). */
export const scatterAddRowsOp: Op<{ readonly count: Size }> = {
  name: "scatterAddRows",
  result: "fresh",
  infer([ids, rows], { count }) {
    const [, columns] = matrix("scatterAddRows", "rows", rows);
    expectType("scatterAddRows", "rows", rows, "f32");
    expectDivisible("scatterAddRows", "columns of rows", columns, countOf(ids));
    expectShape("scatterAddRows", "rows", rows, rowsShape("scatterAddRows", ids, columns / countOf(ids)));
    return { shape: [count, columns / countOf(ids)], type: "f32" };
  },
  gradient: (_, dy, [ids]) => [undefined, gather(dy, ids)],
};

/** table (V, C), ids (N) i32 -> (N, C), or (N, K) -> (N, K*C). */
export const gather = (table: Tensor, ids: Tensor): Tensor => apply(gatherOp, [table, ids], {});
/** ids (N) i32, rows (N, C) -> (count, C), or (N, K), (N, K*C): rows of one id are added up. */
export const scatterAddRows = (ids: Tensor, rows: Tensor, count: Size): Tensor =>
  apply(scatterAddRowsOp, [ids, rows], { count });
