// Each row times the matrix it chooses, one sum after the other; the choices are checked, unlike in fast executors.
import { ShapeError } from "../../base/errors.ts";
import { gatherMatmulOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix } from "./rows.ts";

export const gatherMatmul = evaluation(gatherMatmulOp, async ([x, tables, choices, addend], _, pacer) => {
  const isOne = choices.columns === 1; // for all rows
  const out = Matrix.zeros(x.rows, tables.columns);
  const most = tables.rows / x.columns;
  for (let n = 0; n < x.rows; n++) {
    if (pacer.due()) await pacer.giveWay();
    const [sums, values, choice] = [out.row(n), x.row(n), choices.row(0)[isOne ? 0 : n]];
    if (choice < 0 || choice > most) throw new ShapeError("gatherMatmul: choice", choice, `0 to ${most}`);
    if (addend !== undefined) sums.set(addend.row(n));
    if (choice === 0) continue;
    for (let k = 0; k < x.columns; k++) {
      const row = tables.row((choice - 1) * x.columns + k);
      for (let m = 0; m < tables.columns; m++) sums[m] += values[k] * row[m];
    }
  }
  return out;
});
