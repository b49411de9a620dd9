// Rows by number: `gather` reads them (embeddings, whose table is a parameter or a state; the choice of output rows),
// `scatterAddRows` adds to them. Each is the other's gradient.
import type { Size } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectShape, expectType, matrix, vector } from "./checks.ts";

/** out[i] = table[ids[i]]. Inputs: table (V, C), ids (N) i32. */
export const gatherOp: Op = {
  name: "gather",
  result: "fresh",
  infer([table, ids]) {
    const [, columns] = matrix("gather", "table", table);
    expectType("gather", "table", table, "f32");
    expectType("gather", "ids", ids, "i32");
    return { shape: [vector("gather", "ids", ids), columns], type: "f32" }; // table (V, C), ids (N) -> (N, C)
  },
  gradient: (_, dy, [table, ids]) => [scatterAddRows(ids, dy, table.shape[0]), undefined],
};

/** out[v] = the sum of rows[i] where ids[i] = v, in order of i. Inputs: ids (N) i32, rows (N, C). */
export const scatterAddRowsOp: Op<{ readonly count: Size }> = {
  name: "scatterAddRows",
  result: "fresh",
  infer([ids, rows], { count }) {
    const [, columns] = matrix("scatterAddRows", "rows", rows);
    expectType("scatterAddRows", "ids", ids, "i32");
    expectType("scatterAddRows", "rows", rows, "f32");
    expectShape("scatterAddRows", "rows", rows, [vector("scatterAddRows", "ids", ids), columns]);
    return { shape: [count, columns], type: "f32" };
  },
  gradient: (_, dy, [ids]) => [undefined, gather(dy, ids)],
};

/** table (V, C), ids (N) i32 -> (N, C). */
export const gather = (table: Tensor, ids: Tensor): Tensor => apply(gatherOp, [table, ids], {});
/** ids (N) i32, rows (N, C) -> (count, C): rows of one id are added up. */
export const scatterAddRows = (ids: Tensor, rows: Tensor, count: Size): Tensor =>
  apply(scatterAddRowsOp, [ids, rows], { count });
