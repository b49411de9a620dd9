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

/** The sum of the first `count` costs, in order. */
export function sumOfCosts(costs: Float32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = f32(sum + costs[i]);
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
