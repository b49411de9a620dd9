// A range of columns, the same columns in a wider matrix of zeros (each is the other's gradient), and columns side by side.
// What fused results are taken apart and put together with. Rows may be made of parts, such as heads, of one size each:
// then the columns are those of every part.
import { ShapeError } from "../../base/errors.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix } from "./checks.ts";

export interface ColumnsAttributes {
  /** The narrow part is columns first .. first + count - 1 of the wide one. */
  readonly first: number;
  /** Parts of a row; default 1. */
  readonly parts?: number;
}

function expectRange(op: string, first: number, count: number, columns: number): void {
  if (!Number.isInteger(first) || !Number.isInteger(count) || first < 0 || count <= 0 || first + count > columns) {
    throw new ShapeError(`${op}: columns`, `${first} to ${first + count - 1}`, `some of 0 to ${columns - 1}`);
  }
}

/** [rows, columns of a part] of x. */
function partsOf(op: string, name: string, x: Tensor, parts: number): [Tensor["shape"][number], number] {
  const [rows, columns] = matrix(op, name, x);
  expectType(op, name, x, "f32");
  expectDivisible(op, `${name} columns`, columns, parts);
  return [rows, columns / parts];
}

/** Inputs: x (N, k*C), k parts. */
export const columnsOp: Op<ColumnsAttributes & { readonly count: number }> = {
  name: "columns",
  result: "fresh",
  infer([x], { first, count, parts = 1 }) {
    const [rows, columns] = partsOf("columns", "x", x, parts);
    expectRange("columns", first, count, columns);
    return { shape: [rows, parts * count], type: "f32" };
  },
  gradient: (_, dy, [x], { first, parts = 1 }) => [padColumns(dy, first, partsOf("columns", "x", x, parts)[1], parts)],
};

/** Inputs: x (N, k*K), k parts. */
export const padColumnsOp: Op<ColumnsAttributes & { readonly columns: number }> = {
  name: "padColumns",
  result: "fresh",
  infer([x], { first, columns, parts = 1 }) {
    const [rows, count] = partsOf("padColumns", "x", x, parts);
    expectRange("padColumns", first, count, columns);
    return { shape: [rows, parts * columns], type: "f32" };
  },
  gradient: (_, dy, [x], { first, parts = 1 }) => [columns(dy, first, partsOf("padColumns", "x", x, parts)[1], parts)],
};

/** Inputs: a (N, k*A), b (N, k*B), k parts. */
export const joinColumnsOp: Op<{ readonly parts: number }> = {
  name: "joinColumns",
  result: "fresh",
  infer([a, b], { parts }) {
    const [rows, left] = partsOf("joinColumns", "a", a, parts);
    const [, right] = partsOf("joinColumns", "b", b, parts);
    expectShape("joinColumns", "b", b, [rows, parts * right]);
    return { shape: [rows, parts * (left + right)], type: "f32" };
  },
  gradient(_, dy, inputs, { parts }) {
    const [left, right] = inputs.map((x) => partsOf("joinColumns", "x", x, parts)[1]);
    return [columns(dy, 0, left, parts), columns(dy, left, right, parts)];
  },
};

/** x (N, k*C) -> (N, k*count): of each of k parts columns first .. first + count - 1. */
export const columns = (x: Tensor, first: number, count: number, parts = 1): Tensor =>
  apply(columnsOp, [x], { first, count, ...(parts !== 1 && { parts }) });
/** x (N, k*K) -> (N, k*columns): each of k parts from column `first` on, zeros elsewhere. */
export const padColumns = (x: Tensor, first: number, columns: number, parts = 1): Tensor =>
  apply(padColumnsOp, [x], { first, columns, ...(parts !== 1 && { parts }) });
/** a (N, k*A), b (N, k*B) -> (N, k*(A+B)): each of k parts of a, and that of b behind it. */
export const joinColumns = (a: Tensor, b: Tensor, parts = 1): Tensor => apply(joinColumnsOp, [a, b], { parts });
