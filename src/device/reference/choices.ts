// Columns that rows choose, by sorting; numbers of columns are checked, unlike in fast executors.
import { ShapeError } from "../../base/errors.ts";
import { type ColumnGroups, gatherColumnsOp, scatterColumnsOp, topColumnsOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

/** Numbers of the values from the largest down, of equal ones the first first. */
const fromLargest = (values: readonly number[]): number[] =>
  Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);

/** Values whose group is not among those kept become -Infinity. */
function inKeptGroups(values: readonly number[], { count, kept, by }: ColumnGroups): number[] {
  const size = values.length / count;
  const scores = Array.from({ length: count }, (_, group) => {
    const of = values.slice(group * size, (group + 1) * size).sort((a, b) => b - a);
    return of.slice(0, by).reduce((a, b) => a + b);
  });
  const keeps = new Set(fromLargest(scores).slice(0, kept));
  return values.map((value, i) => (keeps.has(Math.floor(i / size)) ? value : -Infinity));
}

export const topColumns = evaluation(topColumnsOp, ([x], { count, groups }) => {
  const out = Matrix.zeros(x.rows, count);
  for (let n = 0; n < x.rows; n++) {
    const values = Array.from(x.row(n));
    out.row(n).set(fromLargest(groups === undefined ? values : inKeptGroups(values, groups)).slice(0, count));
  }
  return out;
});

function columnAt(op: string, columns: Rows, n: number, j: number, of: number): number {
  const column = columns.row(n)[j];
  if (column < 0 || column >= of) throw new ShapeError(`${op}: column`, column, `one from 0 to ${of - 1}`);
  return column;
}

export const gatherColumns = evaluation(gatherColumnsOp, ([x, columns]) => {
  const out = Matrix.zeros(x.rows, columns.columns);
  for (let n = 0; n < x.rows; n++) {
    for (let j = 0; j < columns.columns; j++) {
      out.row(n)[j] = x.row(n)[columnAt("gatherColumns", columns, n, j, x.columns)];
    }
  }
  return out;
});

export const scatterColumns = evaluation(scatterColumnsOp, ([columns, x], { count }) => {
  const out = Matrix.zeros(x.rows, count);
  for (let n = 0; n < x.rows; n++) {
    for (let j = 0; j < x.columns; j++) {
      out.row(n)[columnAt("scatterColumns", columns, n, j, count)] += x.row(n)[j];
    }
  }
  return out;
});
