// Smooths a curve for people's eyes.

/**
 * Means over both sides, with weights that fall by `share` (0 … 1) a value: it neither lags behind the curve nor begins at
 * 0, as a running mean would. 0 gives the values themselves.
 */
export function smooth(values: readonly number[], share: number): number[] {
  const own = 1 - share;
  const before = sums(values, share);
  const after = sums(values.toReversed(), share).reverse();
  return values.map((value, i) => {
    const sum = before[i].sum + after[i].sum - own * value; // which both have
    return sum / (before[i].weight + after[i].weight - own);
  });
}

/** Of each value and those before it. */
function sums(values: readonly number[], share: number): { sum: number; weight: number }[] {
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    sum = share * sum + (1 - share) * value;
    weight = share * weight + (1 - share);
    return { sum, weight };
  });
}
