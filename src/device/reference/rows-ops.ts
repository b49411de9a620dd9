// Ops that move rows: gather from a table, adding up by id, and writes into a state. Indices are checked, unlike in fast
// executors.
import { ShapeError } from "../../base/errors.ts";
import { assignOp, gatherOp, scatterAddRowsOp, writeRowsOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows, type StateRows } from "./rows.ts";

function rowAt(what: string, { rows }: Rows, index: number): number {
  if (index < 0 || index >= rows) throw new ShapeError(what, index, `a row from 0 to ${rows - 1}`);
  return index;
}

export const gather = evaluation(gatherOp, ([table, ids]) => {
  const out = Matrix.zeros(ids.columns, table.columns);
  for (const [n, id] of Array.from(ids.row(0)).entries()) out.row(n).set(table.row(rowAt("gather: id", table, id)));
  return out;
});

export const scatterAddRows = evaluation(scatterAddRowsOp, ([ids, rows], _, __, size) => {
  const out = Matrix.zeros(size.rows, size.columns);
  for (const [n, id] of Array.from(ids.row(0)).entries()) {
    const sums = out.row(rowAt("scatterAddRows: id", out, id));
    for (let c = 0; c < size.columns; c++) sums[c] += rows.row(n)[c];
  }
  return out;
});

export const assign = evaluation(assignOp, ([state, value]) => {
  for (let i = 0; i < state.rows; i++) (state as StateRows).store(i, value.row(i));
  return state;
});

export const writeRows = evaluation(writeRowsOp, ([state, slots, rows]) => {
  for (const [n, slot] of Array.from(slots.row(0)).entries()) {
    (state as StateRows).store(rowAt("writeRows: slot", state, slot), rows.row(n));
  }
  return state;
});
