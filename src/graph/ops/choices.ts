// Columns that each row chooses: the numbers of its largest values, what stands in such columns, and the way back. What
// routing rows to experts is made of.
import { ShapeError } from "../../base/errors.ts";
import { showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix } from "./checks.ts";

/** Of groups of columns of one size those that score best are kept, and columns of the others are not chosen. */
export interface ColumnGroups {
  readonly count: number;
  readonly kept: number;
  /** What a group scores: the sum of so many of its largest values. */
  readonly by: 1 | 2;
}

export interface TopColumnsAttributes {
  /** Columns chosen in each row. */
  readonly count: number;
  readonly groups?: ColumnGroups;
}

/**
 * y[n, j]: the column of x's row n with its j-th largest value; of equal ones the first. Inputs: x (N, C), above -Infinity.
 */
export const topColumnsOp: Op<TopColumnsAttributes> = {
  name: "topColumns",
  result: "fresh",
  infer([x], { count, groups }) {
    const [rows, columns] = matrix("topColumns", "x", x);
    expectType("topColumns", "x", x, "f32");
    let most = columns;
    if (groups !== undefined) {
      expectDivisible("topColumns", "columns", columns, groups.count);
      const size = columns / groups.count;
      if (!(groups.kept >= 1 && groups.kept <= groups.count && groups.by <= size)) {
        throw new ShapeError("topColumns: groups", [groups.kept, groups.by], `at most [${groups.count}, ${size}]`);
      }
      most = size * groups.kept;
    }
    if (!(Number.isInteger(count) && count >= 1 && count <= most)) {
      throw new ShapeError("topColumns: count", count, `a whole number from 1 to ${most}`);
    }
    return { shape: [rows, count], type: "i32" };
  },
};

/** y[n, j] = x[n, columns[n, j]]. Inputs: x (N, C), columns (N, K) i32. */
export const gatherColumnsOp: Op = {
  name: "gatherColumns",
  result: "fresh",
  infer([x, columns]) {
    const [rows] = matrix("gatherColumns", "x", x);
    const [, count] = matrix("gatherColumns", "columns", columns);
    expectType("gatherColumns", "x", x, "f32");
    expectType("gatherColumns", "columns", columns, "i32");
    expectShape("gatherColumns", "columns", columns, [rows, count]);
    return { shape: [rows, count], type: "f32" };
  },
  gradient: (_, dy, [x, columns]) => [scatterColumns(columns, dy, matrix("gatherColumns", "x", x)[1]), undefined],
};

/** y[n, c] = the sum of x[n, j] where columns[n, j] = c, in order of j. Inputs: columns (N, K) i32, x (N, K). */
export const scatterColumnsOp: Op<{ readonly count: number }> = {
  name: "scatterColumns",
  result: "fresh",
  infer([columns, x], { count }) {
    const [rows] = matrix("scatterColumns", "columns", columns);
    expectType("scatterColumns", "columns", columns, "i32");
    expectType("scatterColumns", "x", x, "f32");
    expectShape("scatterColumns", "x", x, columns.shape);
    if (!(count >= 1)) throw new ShapeError("scatterColumns: count", showShape([count]), "a positive number");
    return { shape: [rows, count], type: "f32" };
  },
  gradient: (_, dy, [columns]) => [undefined, gatherColumns(dy, columns)],
};

/** x (N, C) -> (N, count) i32: the columns of each row's largest values, the largest first. */
export const topColumns = (x: Tensor, count: number, groups?: ColumnGroups): Tensor =>
  apply(topColumnsOp, [x], groups === undefined ? { count } : { count, groups });
/** x (N, C), columns (N, K) i32 -> (N, K). */
export const gatherColumns = (x: Tensor, columns: Tensor): Tensor => apply(gatherColumnsOp, [x, columns], {});
/** columns (N, K) i32, x (N, K) -> (N, count). */
export const scatterColumns = (columns: Tensor, x: Tensor, count: number): Tensor =>
  apply(scatterColumnsOp, [columns, x], { count });
