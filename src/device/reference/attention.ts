// Attention over paged keys and values, one query row and head at a time, straight from the definition.
import { type AttentionAttributes, attentionOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

export const attention = evaluation(
  attentionOp,
  async ([q, keys, values, pages, positions, sequences], attributes, pacer) => {
    const out = Matrix.zeros(q.rows, q.columns); // (N, H*D)
    for (let n = 0; n < q.rows; n++) {
      if (pacer.due()) await pacer.giveWay();
      const seen = visibleSlots(positions.row(0)[n], pages.row(sequences.row(0)[n]), attributes);
      const rowsOf = (state: Rows): ArrayLike<number>[] => seen.map((slot) => state.row(slot));
      attendRow(q.row(n), rowsOf(keys), rowsOf(values), attributes, out.row(n));
    }
    return out;
  },
);

/** State rows of the positions that a query at `position` sees, in order. */
function visibleSlots(
  position: number,
  pages: ArrayLike<number>,
  { pageSize, window = Infinity }: AttentionAttributes,
): number[] {
  const slots: number[] = [];
  for (let j = Math.max(0, position - window + 1); j <= position; j++) {
    slots.push(pages[Math.floor(j / pageSize)] * pageSize + (j % pageSize));
  }
  return slots;
}

/** One query row over the rows that it sees. */
export function attendRow(
  q: ArrayLike<number>,
  keys: readonly ArrayLike<number>[],
  values: readonly ArrayLike<number>[],
  { heads, kvHeads, scale, softCap }: Pick<AttentionAttributes, "heads" | "kvHeads" | "scale" | "softCap">,
  out: Float64Array,
): void {
  const headSize = q.length / heads;
  for (let head = 0; head < heads; head++) {
    const first = head * headSize;
    const kvFirst = Math.floor(head / (heads / kvHeads)) * headSize;
    const scores = keys.map((key) => {
      let dot = 0;
      for (let d = 0; d < headSize; d++) dot += q[first + d] * key[kvFirst + d];
      const score = dot * scale;
      return softCap === undefined ? score : softCap * Math.tanh(score / softCap);
    });
    const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const weights = scores.map((score) => Math.exp(score - largest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let d = 0; d < headSize; d++) {
      let sum = 0;
      for (const [j, weight] of weights.entries()) sum += weight * values[j][kvFirst + d];
      out[first + d] = sum / total;
    }
  }
}
