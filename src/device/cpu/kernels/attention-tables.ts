// What attention adds to scores besides products (graph/ops/score-tables.ts), as kernels over a cache read it: scores are in
// powers of two (powers.ts). A query sees the keys before `end`, so the key `key` has column `key - end + distances`.
import type { Float, Floats, Int } from "../../../lanes/index.ts";
import { FLOAT_BYTES } from "./loops.ts";

/** Words of the two tables: bias (H, distances), sinks (H). */
export const tableWords = ["bias", "distances", "sinks"] as const;
type TableWords = Readonly<Record<(typeof tableWords)[number], Int>>;

/**
 * Gives the bias of a head for a register of keys from `key` on, of a query that sees those before `end`. Of keys that it
 * does not see there are any numbers.
 */
export function biasOf({ bias, distances }: TableWords, head: Int): (key: Int, end: Int) => Floats {
  const row = bias.add(head.mul(distances).mul(FLOAT_BYTES));
  const last = distances.sub(1);
  return (key, end) => row.add(key.sub(end).add(distances).min(last).mul(FLOAT_BYTES)).loadFloats().mul(Math.LOG2E);
}

/** The sink of a head. */
export const sinkOf = ({ sinks }: TableWords, head: Int): Float =>
  sinks.add(head.mul(FLOAT_BYTES)).splatFloats().mul(Math.LOG2E).lane(0);
