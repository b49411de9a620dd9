// RMSNorm over groups of columns, LayerNorm over whole rows.
import { layerNormOp, rmsNormGradientOp, rmsNormOp } from "../../graph/index.ts";
import { evaluation } from "./evaluation.ts";
import { Matrix } from "./rows.ts";

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

export const rmsNormGradient = evaluation(rmsNormGradientOp, ([x, gain, dy], { epsilon }) => {
  const out = Matrix.zeros(x.rows, x.columns);
  const gains = gain.row(0);
  for (let n = 0; n < x.rows; n++) {
    const [values, upstream, results] = [Float64Array.from(x.row(n)), dy.row(n), out.row(n)];
    for (let first = 0; first < x.columns; first += gains.length) {
      const group = values.subarray(first, first + gains.length);
      const inverse = 1 / Math.sqrt(mean(group.map((value) => value * value)) + epsilon);
      const unit = group.map((value) => value * inverse);
      const flowing = unit.map((_, d) => gains[d] * upstream[first + d]);
      const along = mean(flowing.map((value, d) => value * unit[d]));
      for (let d = 0; d < gains.length; d++) results[first + d] = inverse * (flowing[d] - unit[d] * along);
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
