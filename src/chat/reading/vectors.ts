// Vectors of texts from the values of their rows, in f64.

/** The mean of a text's rows, (T, C) -> (C). */
export function meanOf(rows: Float32Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let first = 0; first < rows.length; first += columns) {
    for (let column = 0; column < columns; column++) sums[column] += rows[first + column];
  }
  const count = rows.length / columns;
  return sums.map((sum) => sum / count);
}

/** Its first `dimensions` numbers at length 1; a vector of zeros stays one. */
export function unitVector(vector: ArrayLike<number>, dimensions = vector.length): Float32Array<ArrayBuffer> {
  let squares = 0;
  for (let i = 0; i < dimensions; i++) squares += vector[i] * vector[i];
  const scale = squares === 0 ? 1 : 1 / Math.sqrt(squares);
  return Float32Array.from({ length: dimensions }, (_, i) => vector[i] * scale);
}
