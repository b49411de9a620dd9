// Attention of rows over each other and its gradient, one query row and head at a time, straight from the definition.
import { type RowAttentionAttributes, rowAttentionGradientOp, rowAttentionOp } from "../../graph/index.ts";
import { attendRow } from "./attention.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

/** The rows that row n sees, in order. */
function visibleRows(
  n: number,
  starts: Rows,
  ends: Rows | undefined,
  { window = Infinity }: RowAttentionAttributes,
): number[] {
  const first = Math.max(starts.row(0)[n], n - window + 1);
  const end = ends === undefined ? n + 1 : ends.row(0)[n];
  return Array.from({ length: end - first }, (_, i) => first + i);
}

export const rowAttention = evaluation(rowAttentionOp, async ([q, k, v, starts, ends], attributes, pacer) => {
  const out = Matrix.zeros(q.rows, q.columns); // (N, H*D)
  for (let n = 0; n < q.rows; n++) {
    if (pacer.due()) await pacer.giveWay();
    const seen = visibleRows(n, starts, ends, attributes);
    const rowsOf = (x: Rows): ArrayLike<number>[] => seen.map((j) => x.row(j));
    attendRow(q.row(n), rowsOf(k), rowsOf(v), attributes, out.row(n));
  }
  return out;
});

export const rowAttentionGradient = evaluation(
  rowAttentionGradientOp,
  async ([y, dy, q, k, v, starts, ends], attributes, pacer) => {
    const { heads, kvHeads, scale, softCap } = attributes;
    const out = Matrix.zeros(q.rows, q.columns + 2 * k.columns); // dq (H*D), dk (G*D), dv (G*D)
    const headSize = q.columns / heads;
    for (let n = 0; n < q.rows; n++) {
      if (pacer.due()) await pacer.giveWay();
      const seen = visibleRows(n, starts, ends, attributes);
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor(head / (heads / kvHeads));
        const part = (x: Rows, row: number, first: number) =>
          Float64Array.from(x.row(row)).subarray(first, first + headSize);
        const own = (x: Rows): Float64Array => part(x, n, head * headSize);
        const theirs = (x: Rows, j: number): Float64Array => part(x, j, kvHead * headSize);
        const scores = seen.map((j) => dot(own(q), theirs(k, j)) * scale);
        const bent = softCap === undefined ? scores : scores.map((score) => softCap * Math.tanh(score / softCap));
        const largest = bent.reduce((a, b) => Math.max(a, b), -Infinity);
        const whole = bent.reduce((sum, score) => sum + Math.exp(score - largest), 0);
        for (const [i, j] of seen.entries()) {
          const weight = Math.exp(bent[i] - largest) / whole;
          const flowing = weight * (dot(own(dy), theirs(v, j)) - dot(own(dy), own(y)));
          const ds = scale * flowing * (softCap === undefined ? 1 : 1 - (bent[i] / softCap) ** 2);
          addTimes(out.row(n), head * headSize, theirs(k, j), ds);
          addTimes(out.row(j), q.columns + kvHead * headSize, own(q), ds);
          addTimes(out.row(j), q.columns + k.columns + kvHead * headSize, own(dy), weight);
        }
      }
    }
    return out;
  },
);

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, d) => sum + value * b[d], 0);

/** into[first + d] += x[d] * factor. */
function addTimes(into: Float64Array, first: number, x: Float64Array, factor: number): void {
  for (const [d, value] of x.entries()) into[first + d] += value * factor;
}
