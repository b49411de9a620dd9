// state[slots[i]] = rows[i], in place: yields the state's new version, so that readers are ordered after the write.
// The state may be f16 (rows are rounded to nearest even); slots of one run are distinct.
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectShape, expectType, matrix } from "./checks.ts";

/** Inputs: state (S, C), slots (N) i32, rows (N, C). */
export const writeRowsOp: Op = {
  name: "writeRows",
  result: "alias",
  infer([state, slots, rows]) {
    const [, columns] = matrix("writeRows", "state", state);
    expectType("writeRows", "slots", slots, "i32");
    expectShape("writeRows", "rows", rows, [slots.shape[0], columns]);
    return { shape: state.shape, type: state.type };
  },
};

export const writeRows = (state: Tensor, slots: Tensor, rows: Tensor): Tensor =>
  apply(writeRowsOp, [state, slots, rows], {});
