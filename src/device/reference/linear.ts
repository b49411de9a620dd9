// y = x Wᵀ + b. Each row of W is decoded once and met by all rows of x; sums are f64.
import { linearOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix } from "./rows.ts";

export const linear = evaluation(linearOp, async ([x, weight, bias], _, pacer) => {
  const out = Matrix.zeros(x.rows, weight.rows); // x (N, K), weight (M, K) -> (N, M)
  const offsets = bias?.row(0);
  for (let m = 0; m < weight.rows; m++) {
    if (pacer.due()) await pacer.giveWay();
    const reached = weight.reach?.(m, weight.rows);
    if (reached !== undefined) await reached;
    const w = weight.row(m);
    for (let n = 0; n < x.rows; n++) {
      const values = x.row(n);
      let sum = offsets?.[m] ?? 0;
      for (let k = 0; k < w.length; k++) sum += values[k] * w[k];
      out.row(n)[m] = sum;
    }
  }
  return out;
});
