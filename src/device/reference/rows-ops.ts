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

/** All ids, row after row. */
const idsOf = (ids: Rows): number[] => Array.from({ length: ids.rows }, (_, n) => Array.from(ids.row(n))).flat();

export const gather = evaluation(gatherOp, async ([table, ids], _, __, size) => {
  const out = Matrix.zeros(size.rows, size.columns);
  for (const [i, id] of idsOf(ids).entries()) {
    await table.reach?.(rowAt("gather: id", table, id), id + 1);
    out.values.set(table.row(rowAt("gather: id", table, id)), i * table.columns);
  }
  return out;
});

export const scatterAddRows = evaluation(scatterAddRowsOp, ([ids, rows], _, __, size) => {
  const out = Matrix.zeros(size.rows, size.columns);
  const inRow = rows.columns / size.columns;
  for (const [i, id] of idsOf(ids).entries()) {
    const sums = out.row(rowAt("scatterAddRows: id", out, id));
    const [values, first] = [rows.row(Math.floor(i / inRow)), (i % inRow) * size.columns];
    for (let c = 0; c < size.columns; c++) sums[c] += values[first + c];
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
