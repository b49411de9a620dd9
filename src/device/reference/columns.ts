// A range of columns, the same columns among zeros, and columns side by side; of each part of a row.
import { columnsOp, joinColumnsOp, padColumnsOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

/** Puts `count` columns of each part of x, from column `from` on, to column `to` on of the parts of `out`. */
function copy(x: Rows, out: Matrix, parts: number, from: number, to: number, count: number): void {
  const [width, wide] = [x.columns / parts, out.columns / parts];
  for (let n = 0; n < x.rows; n++) {
    for (let part = 0; part < parts; part++) {
      for (let c = 0; c < count; c++) out.row(n)[part * wide + to + c] = x.row(n)[part * width + from + c];
    }
  }
}

export const columns = evaluation(columnsOp, ([x], { first, count, parts = 1 }) => {
  const out = Matrix.zeros(x.rows, parts * count);
  copy(x, out, parts, first, 0, count);
  return out;
});

export const padColumns = evaluation(padColumnsOp, ([x], { first, columns, parts = 1 }) => {
  const out = Matrix.zeros(x.rows, parts * columns);
  copy(x, out, parts, 0, first, x.columns / parts);
  return out;
});

export const joinColumns = evaluation(joinColumnsOp, ([a, b], { parts }) => {
  const out = Matrix.zeros(a.rows, a.columns + b.columns);
  copy(a, out, parts, 0, 0, a.columns / parts);
  copy(b, out, parts, 0, a.columns / parts, b.columns / parts);
  return out;
});
