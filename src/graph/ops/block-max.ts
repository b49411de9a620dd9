// The largest number of every block of columns: what sampling asks of a row of logits before it reads any of it.
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectPositive, expectType, matrix } from "./checks.ts";

export interface BlockMaxAttributes {
  /** Columns of a block; the last one of a row may have fewer. */
  readonly size: number;
}

/** Inputs: x (N, C). A block with a NaN or +Infinity in it gives NaN. */
export const blockMaxOp: Op<BlockMaxAttributes> = {
  name: "blockMax",
  result: "fresh",
  infer([x], { size }) {
    const [rows, columns] = matrix("blockMax", "x", x);
    expectType("blockMax", "x", x, "f32");
    expectPositive("blockMax", "size", size);
    return { shape: [rows, Math.ceil(columns / size)], type: "f32" };
  },
};

/** x (N, C) -> (N, ceil(C / size)). */
export const blockMax = (x: Tensor, size: number): Tensor => apply(blockMaxOp, [x], { size });
