// The largest number of every block of columns.
import { blockMaxOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix } from "./rows.ts";

export const blockMax = evaluation(blockMaxOp, ([x], { size }) => {
  const out = Matrix.zeros(x.rows, Math.ceil(x.columns / size));
  for (let n = 0; n < x.rows; n++) {
    const [values, results] = [x.row(n), out.row(n)];
    for (const block of results.keys()) {
      let largest = -Infinity;
      for (let c = block * size; c < Math.min(x.columns, (block + 1) * size); c++) {
        largest = Math.max(largest, values[c]);
      }
      results[block] = largest === Infinity ? NaN : largest;
    }
  }
  return out;
});
