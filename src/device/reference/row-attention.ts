// Attention of rows over each other and its gradients, one query row and head at a time, straight from the definition.
import {
  type RowAttentionAttributes,
  type ScoreTables,
  rowAttentionBiasGradientOp,
  rowAttentionGradientOp,
  rowAttentionOp,
  rowAttentionSinkGradientOp,
  tablesOf,
} from "../../graph/index.ts";
import { type Addends, addendsOf, attendRow, biasColumn } from "./attention.ts";
import { type Pacer, evaluation } from "./evaluation.ts";
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

const addendsOfRow = (n: number, seen: readonly number[], tables: ScoreTables<Rows>, ends: Rows | undefined): Addends =>
  addendsOf(
    tables,
    seen.map((j) => n - j),
    ends !== undefined,
  );

export const rowAttention = evaluation(rowAttentionOp, async (inputs, attributes, pacer) => {
  const { others, ...tables } = tablesOf<Rows | undefined>(inputs, attributes);
  const [q, k, v, starts] = inputs;
  const ends = others[4];
  const out = Matrix.zeros(q.rows, q.columns); // (N, H*D)
  for (let n = 0; n < q.rows; n++) {
    if (pacer.due()) await pacer.giveWay();
    const seen = visibleRows(n, starts, ends, attributes);
    const rowsOf = (x: Rows): ArrayLike<number>[] => seen.map((j) => x.row(j));
    attendRow(q.row(n), rowsOf(k), rowsOf(v), attributes, addendsOfRow(n, seen, tables, ends), out.row(n));
  }
  return out;
});

/** One query row and head, and what the loss says of its scores. */
interface Flow {
  readonly n: number;
  readonly head: number;
  /** The rows that it sees; of each its weight and how the loss changes with its score. */
  readonly seen: readonly number[];
  readonly weights: readonly number[];
  readonly changes: readonly number[];
  /** The sink's share, and dy · y. */
  readonly sinkWeight: number;
  readonly dot: number;
}

/** Calls `use` for every query row and head of a gradient's inputs: y, dy, then the attention's. */
async function eachFlow(
  [y, dy, ...inputs]: readonly Rows[],
  attributes: RowAttentionAttributes,
  pacer: Pacer,
  use: (flow: Flow) => void,
): Promise<void> {
  const { heads, kvHeads, scale, softCap } = attributes;
  const { others, bias, sinks } = tablesOf<Rows | undefined>(inputs, attributes);
  const [q, k, v, starts] = inputs;
  const ends = others[4];
  const headSize = q.columns / heads;
  const [qs, ks, vs, ys, dys] = [q, k, v, y, dy].map((x) => headsOf(x, headSize));
  for (let n = 0; n < q.rows; n++) {
    if (pacer.due()) await pacer.giveWay();
    const seen = visibleRows(n, starts, ends, attributes);
    const addends = addendsOfRow(n, seen, { bias, sinks }, ends);
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor(head / (heads / kvHeads));
      const [own, ownChange] = [qs(n, head), dys(n, head)];
      const scores = seen.map((j) => dot(own, ks(j, kvHead)) * scale);
      const bent = softCap === undefined ? scores : scores.map((score) => softCap * Math.tanh(score / softCap));
      const all = bent.map((score, i) => score + addends.bias(head, i));
      const largest = all.reduce((a, b) => Math.max(a, b), addends.sink(head));
      const sinkPower = Math.exp(addends.sink(head) - largest);
      const whole = all.reduce((sum, score) => sum + Math.exp(score - largest), sinkPower);
      const weights = all.map((score) => Math.exp(score - largest) / whole);
      const out = dot(ownChange, ys(n, head));
      const changes = seen.map((j, i) => {
        const flowing = weights[i] * (dot(ownChange, vs(j, kvHead)) - out);
        return flowing * (softCap === undefined ? 1 : 1 - (bent[i] / softCap) ** 2);
      });
      use({ n, head, seen, weights, changes, sinkWeight: sinkPower / whole, dot: out });
    }
  }
}

export const rowAttentionGradient = evaluation(rowAttentionGradientOp, async (inputs, attributes, pacer) => {
  const [, dy, q, k] = inputs;
  const { heads, kvHeads, scale } = attributes;
  const out = Matrix.zeros(q.rows, q.columns + 2 * k.columns); // dq (H*D), dk (G*D), dv (G*D)
  const headSize = q.columns / heads;
  const [qs, ks, dys] = [q, k, dy].map((x) => headsOf(x, headSize));
  await eachFlow(inputs, attributes, pacer, ({ n, head, seen, weights, changes }) => {
    const kvHead = Math.floor(head / (heads / kvHeads));
    for (const [i, j] of seen.entries()) {
      const ds = scale * changes[i];
      addTimes(out.row(n), head * headSize, ks(j, kvHead), ds);
      addTimes(out.row(j), q.columns + kvHead * headSize, qs(n, head), ds);
      addTimes(out.row(j), q.columns + k.columns + kvHead * headSize, dys(n, head), weights[i]);
    }
  });
  return out;
});

export const rowAttentionBiasGradient = evaluation(
  rowAttentionBiasGradientOp,
  async (inputs, attributes, pacer, { rows, columns }) => {
    const out = Matrix.zeros(rows, columns); // (H, B)
    const bothWays = tablesOf(inputs, attributes).others.length === 7; // y, dy, q, k, v, starts, ends
    await eachFlow(inputs, attributes, pacer, ({ n, head, seen, changes }) => {
      for (const [i, j] of seen.entries()) out.row(head)[biasColumn(columns, n - j, bothWays)] += changes[i];
    });
    return out;
  },
);

export const rowAttentionSinkGradient = evaluation(rowAttentionSinkGradientOp, async (inputs, attributes, pacer) => {
  const out = Matrix.zeros(1, attributes.heads); // (H)
  await eachFlow(inputs, attributes, pacer, ({ head, sinkWeight, dot }) => {
    out.row(0)[head] -= sinkWeight * dot;
  });
  return out;
});

/** The columns of a row's head. */
function headsOf(x: Rows, size: number): (row: number, head: number) => Float64Array {
  const rows = Array.from({ length: x.rows }, (_, row) => Float64Array.from(x.row(row)));
  return (row, head) => rows[row].subarray(head * size, (head + 1) * size);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
}

/** into[first + d] += x[d] * factor. */
function addTimes(into: Float64Array, first: number, x: Float64Array, factor: number): void {
  for (let d = 0; d < x.length; d++) into[first + d] += x[d] * factor;
}
