// RMSNorm over groups of columns, LayerNorm over whole rows, and what flows back through both.
import {
  layerNormGradientOp,
  layerNormOp,
  normGainGradientOp,
  rmsNormGradientOp,
  rmsNormOp,
} from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export const rmsNorm = evaluation(rmsNormOp, ([x, gain], { epsilon }) => {
  const out = Matrix.zeros(x.rows, x.columns);
  const gains = gain.row(0); // (D); x (N, C), C a multiple of D
  for (let n = 0; n < x.rows; n++) {
    const values = Float64Array.from(x.row(n));
    const results = out.row(n);
    for (let first = 0; first < x.columns; first += gains.length) {
      const group = values.subarray(first, first + gains.length);
      const inverse = 1 / Math.sqrt(mean(group.map((value) => value * value)) + epsilon);
      for (let d = 0; d < gains.length; d++) results[first + d] = group[d] * inverse * gains[d];
    }
  }
  return out;
});

export const layerNorm = evaluation(layerNormOp, ([x, gain, bias], { epsilon }) => {
  const out = Matrix.zeros(x.rows, x.columns);
  const [gains, biases] = [gain.row(0), bias.row(0)];
  for (let n = 0; n < x.rows; n++) {
    const values = Float64Array.from(x.row(n));
    const center = mean(values);
    const variance = mean(values.map((value) => (value - center) ** 2));
    const inverse = 1 / Math.sqrt(variance + epsilon);
    const results = out.row(n);
    for (let c = 0; c < x.columns; c++) results[c] = (values[c] - center) * inverse * gains[c] + biases[c];
  }
  return out;
});

/** x̂ of a group, and what its numbers were multiplied by. */
function normalized(group: Float64Array, epsilon: number, isCentred: boolean): { unit: Float64Array; inverse: number } {
  const center = isCentred ? mean(group) : 0;
  const away = group.map((value) => value - center);
  const inverse = 1 / Math.sqrt(mean(away.map((value) => value * value)) + epsilon);
  return { unit: away.map((value) => value * inverse), inverse };
}

/** Calls `use` with each group of `size` columns of each row, x̂ of it, and dy's numbers there. */
function eachGroup(
  [x, dy]: readonly [Rows, Rows],
  { size, epsilon, isCentred }: { size: number; epsilon: number; isCentred: boolean },
  use: (at: { n: number; first: number; unit: Float64Array; inverse: number; upstream: Float64Array }) => void,
): void {
  for (let n = 0; n < x.rows; n++) {
    const [values, upstream] = [x, dy].map((rows) => Float64Array.from(rows.row(n)));
    for (let first = 0; first < x.columns; first += size) {
      const { unit, inverse } = normalized(values.subarray(first, first + size), epsilon, isCentred);
      use({ n, first, unit, inverse, upstream: upstream.subarray(first, first + size) });
    }
  }
}

function normGradient([x, gain, dy]: readonly Rows[], epsilon: number, isCentred: boolean): Matrix {
  const out = Matrix.zeros(x.rows, x.columns);
  const gains = gain.row(0);
  eachGroup([x, dy], { size: gains.length, epsilon, isCentred }, ({ n, first, unit, inverse, upstream }) => {
    const flowing = upstream.map((value, d) => gains[d] * value);
    const along = mean(flowing.map((value, d) => value * unit[d]));
    const away = isCentred ? mean(flowing) : 0;
    for (const [d, value] of flowing.entries()) out.row(n)[first + d] = inverse * (value - away - unit[d] * along);
  });
  return out;
}

export const rmsNormGradient = evaluation(rmsNormGradientOp, (inputs, { epsilon }) =>
  normGradient(inputs, epsilon, false),
);

export const layerNormGradient = evaluation(layerNormGradientOp, (inputs, { epsilon }) =>
  normGradient(inputs, epsilon, true),
);

export const normGainGradient = evaluation(normGainGradientOp, ([x, dy], { epsilon, columns, isCentred }) => {
  const out = Matrix.zeros(1, columns);
  eachGroup([x, dy], { size: columns, epsilon, isCentred }, ({ unit, upstream }) => {
    for (const [d, value] of unit.entries()) out.values[d] += value * upstream[d];
  });
  return out;
});
