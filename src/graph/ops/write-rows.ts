// state[slots[i]] = rows[i], in place: yields the state's new version, so that readers are ordered after the write.
// Rows are rounded to the state's type, f16 to nearest even, quantized blocks as `numeric` encodes them; numbers beyond its
// range to the largest finite one, since an infinity that a row does not see would still meet it as 0 times infinity, and
// NaN stays NaN (of a quantized block, in all 32). Slots of one run are distinct.
import { ShapeError } from "../../base/errors.ts";
import { type Op, type Tensor, apply, stateTypes } from "../tensor.ts";
import { expectBlocks, expectShape, expectType, matrix, vector } from "./checks.ts";

/** Inputs: state (S, C), slots (N) i32, rows (N, C). */
export const writeRowsOp: Op = {
  name: "writeRows",
  result: "alias",
  infer([state, slots, rows]) {
    const [, columns] = matrix("writeRows", "state", state);
    if (state.type === "i32") throw new ShapeError("writeRows: state", state.type, stateTypes.join(" or "));
    expectBlocks("writeRows", "state columns", columns, state.type);
    expectType("writeRows", "slots", slots, "i32");
    expectType("writeRows", "rows", rows, "f32");
    expectShape("writeRows", "rows", rows, [vector("writeRows", "slots", slots), columns]);
    return { shape: state.shape, type: state.type };
  },
};

export const writeRows = (state: Tensor, slots: Tensor, rows: Tensor): Tensor =>
  apply(writeRowsOp, [state, slots, rows], {});
