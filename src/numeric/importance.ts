// What an error of each weight costs where importances of columns are given: as ggml has it, the importance times the
// root of the weight's square and a mean square around it, so that large weights count for more, but not all.
const f32 = Math.fround;

/** The sum of squares of `count` values from x[at] on, in order. */
export function sumOfSquares(x: Float32Array, at: number, count: number): number {
  let sum = 0;
  for (let i = at; i < at + count; i++) sum = f32(sum + f32(x[i] * x[i]));
  return sum;
}

/** Fills `costs` for `count` weights from x[at] on; `meanSquare`: of the weights around them. */
export function weighCosts(
  x: Float32Array,
  at: number,
  count: number,
  importance: Float32Array,
  meanSquare: number,
  costs: Float32Array,
): void {
  const columns = importance.length;
  const column = at % columns; // blocks never cross rows
  for (let i = 0; i < count; i++) {
    costs[i] = importance[column + i] * f32(Math.sqrt(f32(meanSquare + f32(x[at + i] * x[at + i]))));
  }
}

/** The same for all weights of blocks of `block`; `meanOf`: the mean square by a block's sum of squares. */
export function blockCosts(
  x: Float32Array,
  block: number,
  importance: Float32Array,
  meanOf: (sum: number) => number,
): Float32Array {
  const costs = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += block) {
    weighCosts(x, from, block, importance, meanOf(sumOfSquares(x, from, block)), costs.subarray(from));
  }
  return costs;
}

/** The sum of `count` costs from `from` on, in order. */
export function sumOfCosts(costs: Float32Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum = f32(sum + costs[i]);
  return sum;
}

/**
 * Calls `encode` with the start of every run of 32 of whole rows, once `costs` are filled with what its errors cost; the
 * mean square is the row's.
 */
export function eachWeightedRun(
  x: Float32Array,
  importance: Float32Array,
  costs: Float32Array,
  encode: (from: number) => void,
): void {
  const columns = importance.length;
  for (let row = 0; row < x.length; row += columns) {
    const meanSquare = f32(sumOfSquares(x, row, columns) / columns);
    for (let from = row; from < row + columns; from += 32) {
      weighCosts(x, from, 32, importance, meanSquare, costs);
      encode(from);
    }
  }
}
