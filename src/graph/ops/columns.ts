// A range of columns, and the same columns in a wider matrix of zeros: each is the other's gradient. What fused results
// are taken apart with.
import { ShapeError } from "../../base/errors.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectType, matrix } from "./checks.ts";

export interface ColumnsAttributes {
  /** The narrow matrix is columns first .. first + count - 1 of the wide one. */
  readonly first: number;
}

function expectRange(op: string, first: number, count: number, columns: number): void {
  if (!Number.isInteger(first) || !Number.isInteger(count) || first < 0 || count <= 0 || first + count > columns) {
    throw new ShapeError(`${op}: columns`, `${first} to ${first + count - 1}`, `some of 0 to ${columns - 1}`);
  }
}

/** Inputs: x (N, C). */
export const columnsOp: Op<ColumnsAttributes & { readonly count: number }> = {
  name: "columns",
  result: "fresh",
  infer([x], { first, count }) {
    const [rows, columns] = matrix("columns", "x", x);
    expectType("columns", "x", x, "f32");
    expectRange("columns", first, count, columns);
    return { shape: [rows, count], type: "f32" };
  },
  gradient: (_, dy, [x], { first }) => [padColumns(dy, first, matrix("columns", "x", x)[1])],
};

/** Inputs: x (N, K). */
export const padColumnsOp: Op<ColumnsAttributes & { readonly columns: number }> = {
  name: "padColumns",
  result: "fresh",
  infer([x], { first, columns }) {
    const [rows, count] = matrix("padColumns", "x", x);
    expectType("padColumns", "x", x, "f32");
    expectRange("padColumns", first, count, columns);
    return { shape: [rows, columns], type: "f32" };
  },
  gradient: (_, dy, [x], { first }) => [columns(dy, first, matrix("padColumns", "x", x)[1])],
};

/** x (N, C) -> (N, count): columns first .. first + count - 1. */
export const columns = (x: Tensor, first: number, count: number): Tensor => apply(columnsOp, [x], { first, count });
/** x (N, K) -> (N, columns): x from column `first` on, zeros elsewhere. */
export const padColumns = (x: Tensor, first: number, columns: number): Tensor =>
  apply(padColumnsOp, [x], { first, columns });
