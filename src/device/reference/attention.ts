// Attention over paged keys and values, one query row and head at a time, straight from the definition.
import { type AttentionAttributes, type ScoreTables, attentionOp, tablesOf } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

export const attention = evaluation(attentionOp, async (inputs, attributes, pacer) => {
  const [q, keys, values, pages, positions, sequences] = inputs;
  const tables = tablesOf(inputs, attributes);
  const out = Matrix.zeros(q.rows, q.columns); // (N, H*D)
  for (let n = 0; n < q.rows; n++) {
    if (pacer.due()) await pacer.giveWay();
    const position = positions.row(0)[n];
    const seen = visibleSlots(position, pages.row(sequences.row(0)[n]), attributes);
    const rowsOf = (state: Rows): ArrayLike<number>[] => seen.map((slot) => state.row(slot));
    const distances = seen.map((_, i) => seen.length - 1 - i); // the last one seen is the query's own
    const addends = addendsOf(tables, distances, false);
    attendRow(q.row(n), rowsOf(keys), rowsOf(values), attributes, addends, out.row(n));
  }
  return out;
});

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

/** By head: what is added to the scores of the keys that a row sees, and the logit of its sink. */
export interface Addends {
  readonly bias: (head: number, key: number) => number;
  readonly sink: (head: number) => number;
}

/** `distances` are query - key, of the keys in order. */
export function addendsOf(
  { bias, sinks }: ScoreTables<Rows>,
  distances: readonly number[],
  bothWays: boolean,
): Addends {
  return {
    bias(head, key) {
      return bias === undefined ? 0 : bias.row(head)[biasColumn(bias.columns, distances[key], bothWays)];
    },
    sink: (head) => (sinks === undefined ? -Infinity : sinks.row(0)[head]),
  };
}

/** Where a table of so many columns has a distance. */
export function biasColumn(columns: number, distance: number, bothWays: boolean): number {
  const own = bothWays ? (columns - 1) / 2 : columns - 1;
  return Math.min(Math.max(0, own - distance), columns - 1);
}

/** One query row over the rows that it sees. */
export function attendRow(
  q: ArrayLike<number>,
  keys: readonly ArrayLike<number>[],
  values: readonly ArrayLike<number>[],
  { heads, kvHeads, scale, softCap }: Pick<AttentionAttributes, "heads" | "kvHeads" | "scale" | "softCap">,
  { bias, sink }: Addends,
  out: Float64Array,
): void {
  const headSize = q.length / heads;
  for (let head = 0; head < heads; head++) {
    const first = head * headSize;
    const kvFirst = Math.floor(head / (heads / kvHeads)) * headSize;
    const scores = keys.map((key, j) => {
      let dot = 0;
      for (let d = 0; d < headSize; d++) dot += q[first + d] * key[kvFirst + d];
      const score = dot * scale;
      return (softCap === undefined ? score : softCap * Math.tanh(score / softCap)) + bias(head, j);
    });
    const largest = scores.reduce((a, b) => Math.max(a, b), sink(head));
    const weights = scores.map((score) => Math.exp(score - largest));
    const total = weights.reduce((sum, weight) => sum + weight, Math.exp(sink(head) - largest));
    for (let d = 0; d < headSize; d++) {
      let sum = 0;
      for (const [j, weight] of weights.entries()) sum += weight * values[j][kvFirst + d];
      out[first + d] = sum / total;
    }
  }
}
