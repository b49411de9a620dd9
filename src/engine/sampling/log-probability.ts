// Log-probabilities of raw logits, in f64. Not here: which ids are asked for (sampler.ts, engine.ts).
import type { IdLogprob } from "../types.ts";
import type { RowScan } from "./row-scan.ts";

/** The largest logit; -Infinity of a row that holds none above that. */
export function largestOf(row: Float32Array): number {
  let largest = -Infinity;
  for (let i = 0; i < row.length; i++) if (row[i] > largest) largest = row[i];
  return largest;
}

/** ln of the sum of e^logit; NaN when a logit is. */
export function logSumExp(row: Float32Array, largest: number): number {
  let total = 0;
  for (let i = 0; i < row.length; i++) total += Math.exp(row[i] - largest);
  return largest + Math.log(total);
}

/** The n most likely ids of the row in `scan`, most likely first, ties by id. */
export function bestLogprobs(scan: RowScan, n: number, logTotal: number): IdLogprob[] {
  if (n === 0) return [];
  const bound = scan.boundOfBest(n);
  const ids = new Int32Array(scan.room(bound));
  const logits = new Float64Array(ids.length);
  const count = scan.collect(bound, ids, logits);
  const order = Array.from(ids.subarray(0, count).keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  return order.slice(0, n).map((i) => ({ id: ids[i], logprob: logits[i] - logTotal }));
}
