// A B, A Bᵀ or Aᵀ B, one sum after the other.
import { matmulOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

/** Rows as columns. */
export function transposed(x: Rows): Matrix {
  const out = Matrix.zeros(x.columns, x.rows);
  for (let n = 0; n < x.rows; n++) {
    const values = x.row(n);
    for (let c = 0; c < x.columns; c++) out.row(c)[n] = values[c];
  }
  return out;
}

export const matmul = evaluation(matmulOp, async ([a, b], { transposeA, transposeB }, pacer) => {
  const left = transposeA ? transposed(a) : a; // (N, K)
  const right = transposeB ? b : transposed(b); // (M, K)
  const out = Matrix.zeros(left.rows, right.rows);
  for (let m = 0; m < right.rows; m++) {
    if (pacer.due()) await pacer.giveWay();
    const column = right.row(m);
    for (let n = 0; n < left.rows; n++) {
      const row = left.row(n);
      let sum = 0;
      for (let k = 0; k < left.columns; k++) sum += row[k] * column[k];
      out.row(n)[m] = sum;
    }
  }
  return out;
});
