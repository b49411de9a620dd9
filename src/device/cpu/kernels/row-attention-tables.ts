// What attention of rows adds to its scores besides products (graph/ops/score-tables.ts). The distances between a block of
// queries and one of keys are fewer than two blocks: their biases are brought to scratch, where each query's lie side by side.
import type { Floats, Int, KernelBuilder } from "../../../lanes/index.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { BLOCK, type RowAttentionShape } from "./row-attention.ts";

/** Distances between the rows of two blocks, and one more, so that they are whole registers. */
export const BLOCK_DISTANCES = 2 * BLOCK;

/** A head and where blocks of queries and keys begin. */
export interface Blocks {
  readonly head: Int;
  readonly query: Int;
  readonly key: Int;
}

/** The column that the first distance of two blocks has, or would have in a table that goes on. */
export function firstColumn(distances: Int, { bothWays }: RowAttentionShape, { query, key }: Blocks): Int {
  const own = bothWays ? distances.shr(1) : distances.sub(1);
  return key
    .sub(query)
    .add(own)
    .sub(BLOCK - 1);
}

/** Calls `use` with each distance of two blocks, by number, and its column. */
export function eachColumn(k: KernelBuilder, distances: Int, first: Int, use: (i: Int, column: Int) => void): void {
  k.range(0, BLOCK_DISTANCES - 1, 1, (i) => use(i, first.add(i).max(0).min(distances.sub(1))));
}

/** Where the numbers of a block's query begin: those of its first key. */
export const distancesOf = (at: Int, query: Int): Int => at.add((BLOCK - 1) * FLOAT_BYTES).sub(query.mul(FLOAT_BYTES));

/**
 * Brings the biases of two blocks to `to`; gives them for a query of its block and the register of keys from the `key`th of
 * theirs on.
 */
export function bringBias(
  k: KernelBuilder,
  { bias, distances }: Readonly<Record<"bias" | "distances", Int>>,
  shape: RowAttentionShape,
  blocks: Blocks,
  to: Int,
): (query: Int, key: number) => Floats {
  const row = bias.add(blocks.head.mul(distances).mul(FLOAT_BYTES));
  const first = firstColumn(distances, shape, blocks);
  const end = first.add(BLOCK_DISTANCES - 1);
  k.when(
    first.less(0).or(distances.less(end)),
    () => {
      eachColumn(k, distances, first, (i, column) => {
        to.add(i.mul(FLOAT_BYTES)).store(row.add(column.mul(FLOAT_BYTES)).loadFloat());
      });
    },
    () => {
      const from = row.add(first.mul(FLOAT_BYTES));
      for (let i = 0; i < BLOCK_DISTANCES; i += k.lanes) {
        to.store(from.loadFloats(i * FLOAT_BYTES), i * FLOAT_BYTES);
      }
    },
  );
  return (query, key) => distancesOf(to, query).loadFloats(key * FLOAT_BYTES);
}
