// Rotates the first R columns of every head by the row's angles; the rest pass.
import { ropeOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix } from "./rows.ts";

export const rope = evaluation(ropeOp, ([x, cos, sin], { headSize, layout }) => {
  const out = Matrix.zeros(x.rows, x.columns);
  const half = cos.columns; // R/2
  for (let n = 0; n < x.rows; n++) {
    const [values, results, cosines, sines] = [x.row(n), out.row(n), cos.row(n), sin.row(n)];
    results.set(values);
    for (let head = 0; head < x.columns; head += headSize) {
      for (let i = 0; i < half; i++) {
        const [a, b] = layout === "halves" ? [head + i, head + i + half] : [head + 2 * i, head + 2 * i + 1];
        results[a] = values[a] * cosines[i] - values[b] * sines[i];
        results[b] = values[b] * cosines[i] + values[a] * sines[i];
      }
    }
  }
  return out;
});
