// Cross-entropy of rows and its gradient, straight from the definition.
import { ShapeError } from "../../base/errors.ts";
import { crossEntropyGradientOp, crossEntropyOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";
import { logSumExpOf } from "./softmax.ts";

/** The target of row n; undefined where it has none. */
function targetOf(logits: Rows, targets: Rows, n: number): number | undefined {
  const target = targets.row(0)[n];
  if (target >= logits.columns) throw new ShapeError("crossEntropy: target", target, `below ${logits.columns}`);
  return target < 0 ? undefined : target;
}

export const crossEntropy = evaluation(crossEntropyOp, ([logits, targets], { labelSmoothing = 0, zLoss = 0 }) => {
  const out = Matrix.zeros(logits.rows, 1);
  for (let n = 0; n < logits.rows; n++) {
    const target = targetOf(logits, targets, n);
    if (target === undefined) continue;
    const values = Float64Array.from(logits.row(n));
    const whole = logSumExpOf(values);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    out.values[n] = whole - (1 - labelSmoothing) * values[target] - labelSmoothing * mean + zLoss * whole * whole;
  }
  return out;
});

export const crossEntropyGradient = evaluation(
  crossEntropyGradientOp,
  ([logits, targets, dy], { labelSmoothing = 0, zLoss = 0 }) => {
    const out = Matrix.zeros(logits.rows, logits.columns);
    for (let n = 0; n < logits.rows; n++) {
      const target = targetOf(logits, targets, n);
      if (target === undefined) continue;
      const [values, results, upstream] = [logits.row(n), out.row(n), dy.row(n)[0]];
      const whole = logSumExpOf(values);
      for (let v = 0; v < logits.columns; v++) {
        const wanted = (v === target ? 1 - labelSmoothing : 0) + labelSmoothing / logits.columns;
        results[v] = upstream * ((1 + 2 * zLoss * whole) * Math.exp(values[v] - whole) - wanted);
      }
    }
    return out;
  },
);
