// A range of columns, and the same columns among zeros.
import { columnsOp, padColumnsOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix } from "./rows.ts";

export const columns = evaluation(columnsOp, ([x], { first, count }) => {
  const out = Matrix.zeros(x.rows, count);
  for (let n = 0; n < x.rows; n++) {
    for (let c = 0; c < count; c++) out.row(n)[c] = x.row(n)[first + c];
  }
  return out;
});

export const padColumns = evaluation(padColumnsOp, ([x], { first, columns }) => {
  const out = Matrix.zeros(x.rows, columns);
  for (let n = 0; n < x.rows; n++) out.row(n).set(x.row(n), first);
  return out;
});
