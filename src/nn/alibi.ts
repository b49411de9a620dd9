// Attention with linear biases (Press et al. 2022): no positions, but scores that fall with the distance, by a slope of each
// head's own.
import { type Tensor, table } from "../graph/index.ts";

/** Distances of a table are whole pages of a cache. */
const DISTANCES = 256;

/**
 * Slopes of the heads: 2^(-8(h + 1)/H) where H is a power of two; else those of the next lower one, then every second one,
 * from the first on, of the next higher one.
 */
export function alibiSlopes(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const of = (count: number): number[] => Array.from({ length: count }, (_, h) => 2 ** ((-8 * (h + 1)) / count));
  const between = of(2 * power).filter((_, h) => h % 2 === 0);
  return [...of(power), ...between].slice(0, heads);
}

/** What scores of `heads` heads have by distance, for sequences of up to `window` tokens: (H, B), as attention reads it. */
export function alibi(heads: number, window: number): Tensor {
  const distances = Math.ceil(window / DISTANCES) * DISTANCES;
  const values = alibiSlopes(heads).flatMap((slope) =>
    Array.from({ length: distances }, (_, column) => slope * (column + 1 - distances)),
  );
  return table("alibi", [heads, distances], Float32Array.from(values));
}
