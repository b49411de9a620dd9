// Softmax and log-sum-exp of rows, both from the row's largest number down.
import { logSumExpOp, softmaxOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix } from "./rows.ts";

/** log Σ exp(x). */
export function logSumExpOf(values: ArrayLike<number>): number {
  const list = Float64Array.from(values);
  const largest = list.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(list.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

export const softmax = evaluation(softmaxOp, ([x]) => {
  const out = Matrix.zeros(x.rows, x.columns);
  for (let n = 0; n < x.rows; n++) {
    const values = x.row(n);
    const whole = logSumExpOf(values);
    for (let c = 0; c < x.columns; c++) out.row(n)[c] = Math.exp(values[c] - whole);
  }
  return out;
});

export const logSumExp = evaluation(logSumExpOp, ([x]) => {
  const out = Matrix.zeros(x.rows, 1);
  for (let n = 0; n < x.rows; n++) out.values[n] = logSumExpOf(x.row(n));
  return out;
});
