// A projection's weight with its adapter folded in: the same function without an adapter.
import { type LoraSettings, loraScale } from "../nn/index.ts";

/** One projection: W (M, K), A (R, K), B (M, R) and for DoRA magnitudes (M). */
export interface AdaptedWeight {
  readonly weight: Float32Array;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly magnitude?: Float32Array | undefined;
}

/** V = W + s B A, or m V / |V| with |V| the length of each row: (M, K), sums in f64. */
export function mergedWeight({ weight, a, b, magnitude }: AdaptedWeight, settings: LoraSettings): Float32Array {
  const { rank } = settings;
  const [rows, columns, s] = [b.length / rank, a.length / rank, loraScale(settings)];
  const merged = new Float32Array(rows * columns);
  const row = new Float64Array(columns);
  for (let m = 0; m < rows; m++) {
    for (let k = 0; k < columns; k++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += b[m * rank + r] * a[r * columns + k];
      row[k] = weight[m * columns + k] + s * sum;
    }
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    const by = magnitude === undefined ? 1 : magnitude[m] / length;
    for (let k = 0; k < columns; k++) merged[m * columns + k] = row[k] * by;
  }
  return merged;
}
