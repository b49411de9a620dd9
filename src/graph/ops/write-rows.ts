// state[slots[i]] = rows[i], in place: yields the state's new version, so that readers are ordered after the write.
// The state may be f16: rows are rounded to nearest even, numbers beyond its range to the largest finite one, since an
// infinity that a row does not see would still meet it as 0 times infinity. Slots of one run are distinct.
import { ShapeError } from "../../base/errors.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectShape, expectType, matrix, vector } from "./checks.ts";

/** Inputs: state (S, C), slots (N) i32, rows (N, C). */
export const writeRowsOp: Op = {
  name: "writeRows",
  result: "alias",
  infer([state, slots, rows]) {
    const [, columns] = matrix("writeRows", "state", state);
    if (state.type === "i32") throw new ShapeError("writeRows: state", state.type, "f32 or f16");
    expectType("writeRows", "slots", slots, "i32");
    expectType("writeRows", "rows", rows, "f32");
    expectShape("writeRows", "rows", rows, [vector("writeRows", "slots", slots), columns]);
    return { shape: state.shape, type: state.type };
  },
};

export const writeRows = (state: Tensor, slots: Tensor, rows: Tensor): Tensor =>
  apply(writeRowsOp, [state, slots, rows], {});
