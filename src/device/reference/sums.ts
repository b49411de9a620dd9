// Sums over rows, over columns, over everything, and what repeats them.
import { broadcastOp, sumAllOp, sumColumnsOp, sumRowsOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

export const sumRows = evaluation(sumRowsOp, ([x], { columns }) => {
  const out = Matrix.zeros(1, columns);
  for (let n = 0; n < x.rows; n++) {
    const values = x.row(n);
    for (let c = 0; c < x.columns; c++) out.values[c % columns] += values[c];
  }
  return out;
});

function rowSum(x: Rows, n: number): number {
  const values = x.row(n);
  let sum = 0;
  for (let c = 0; c < x.columns; c++) sum += values[c];
  return sum;
}

export const sumColumns = evaluation(sumColumnsOp, ([x]) => {
  return new Matrix(
    Float64Array.from({ length: x.rows }, (_, n) => rowSum(x, n)),
    x.rows,
    1,
  );
});

export const sumAll = evaluation(sumAllOp, ([x]) => {
  const out = Matrix.zeros(1, 1);
  for (let n = 0; n < x.rows; n++) out.values[0] += rowSum(x, n);
  return out;
});

export const broadcast = evaluation(broadcastOp, ([x], _, __, { rows, columns }) => {
  const out = Matrix.zeros(rows, columns);
  for (let n = 0; n < rows; n++) {
    const values = x.row(n % x.rows);
    for (let c = 0; c < columns; c++) out.row(n)[c] = values[c % x.columns];
  }
  return out;
});
