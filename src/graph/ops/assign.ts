// state = value, whole, in place: yields the state's new version, so that readers are ordered after the write. The state
// may be f16 (numbers are rounded to nearest even).
import { ShapeError } from "../../base/errors.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectShape, expectType } from "./checks.ts";

/** Inputs: state and value, of one shape. */
export const assignOp: Op = {
  name: "assign",
  result: "alias",
  infer([state, value]) {
    if (state.type !== "f32" && state.type !== "f16") throw new ShapeError("assign: state", state.type, "f32 or f16");
    expectType("assign", "value", value, "f32");
    expectShape("assign", "value", value, state.shape);
    return { shape: state.shape, type: state.type };
  },
};

/** Gives the state's new version; the old one can no longer be read. */
export const assign = (state: Tensor, value: Tensor): Tensor => apply(assignOp, [state, value], {});
