// Row gather: out[i] = table[ids[i]]. Embeddings (the table is a parameter) and the choice of output rows.
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectType, matrix, vector } from "./checks.ts";

export const gatherOp: Op = {
  name: "gather",
  result: "fresh",
  infer([table, ids]) {
    const [, columns] = matrix("gather", "table", table);
    expectType("gather", "table", table, "f32");
    expectType("gather", "ids", ids, "i32");
    return { shape: [vector("gather", "ids", ids), columns], type: "f32" }; // table (V, C), ids (N) -> (N, C)
  },
};

/** table (V, C), ids (N) i32 -> (N, C). */
export const gather = (table: Tensor, ids: Tensor): Tensor => apply(gatherOp, [table, ids], {});
