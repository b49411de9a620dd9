// RMSNorm (Zhang & Sennrich 2019) and LayerNorm (Ba et al. 2016) over groups of columns: the gain's length D divides
// the width C, and each of the C/D groups is normalised on its own (per-head norms have D = head size).
import { ShapeError } from "../../base/errors.ts";
import { type Shape, showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix, vector } from "./checks.ts";
import { constant, multiply, scale, subtract } from "./elementwise.ts";
import { sumColumns, sumRows } from "./sums.ts";

export interface NormAttributes {
  readonly epsilon: number;
}

/** x * gain / sqrt(mean(x²) + ε). Inputs: x (N, C), gain (D). */
export const rmsNormOp: Op<NormAttributes> = {
  name: "rmsNorm",
  result: "fresh",
  infer([x, gain]) {
    const [, columns] = matrix("rmsNorm", "x", x);
    expectType("rmsNorm", "x", x, "f32");
    expectType("rmsNorm", "gain", gain, "f32");
    const group = vector("rmsNorm", "gain", gain);
    if (typeof group !== "number") throw new ShapeError("rmsNorm: gain", showShape([group]), "a fixed length");
    expectDivisible("rmsNorm", "columns", columns, group);
    return { shape: x.shape, type: "f32" };
  },
  gradient: (_, dy, [x, gain], { epsilon }) => [
    rmsNormGradient(x, gain, dy, epsilon),
    sumRows(multiply(dy, normalized(x, gain.shape, epsilon)), gain.shape[0] as number),
  ],
};

/**
 * r (g dy - x̂ mean(g dy x̂)) with r = 1 / sqrt(mean(x²) + ε), x̂ = r x, each group of D columns on its own.
 * Inputs: x (N, C), gain g (D), dy (N, C).
 */
export const rmsNormGradientOp: Op<NormAttributes> = {
  name: "rmsNormGradient",
  result: "fresh",
  infer([x, gain, dy], attributes) {
    expectType("rmsNormGradient", "dy", dy, "f32");
    expectShape("rmsNormGradient", "dy", dy, x.shape);
    return rmsNormOp.infer([x, gain], attributes);
  },
};

/** (x - mean) * gain / sqrt(var + ε) + bias, population variance. Inputs: x (N, C), gain (C), bias (C). */
export const layerNormOp: Op<NormAttributes> = {
  name: "layerNorm",
  result: "fresh",
  infer([x, gain, bias]) {
    const [, columns] = matrix("layerNorm", "x", x);
    expectType("layerNorm", "x", x, "f32");
    expectType("layerNorm", "gain", gain, "f32");
    expectType("layerNorm", "bias", bias, "f32");
    expectShape("layerNorm", "gain", gain, [columns]);
    expectShape("layerNorm", "bias", bias, [columns]);
    return { shape: x.shape, type: "f32" };
  },
  // rmsNorm of the centred row, plus the bias
  gradient(_, dy, [x, gain], { epsilon }) {
    const centred = withoutMean(x);
    return [
      withoutMean(rmsNormGradient(centred, gain, dy, epsilon)),
      sumRows(multiply(dy, normalized(centred, gain.shape, epsilon))),
      sumRows(dy),
    ];
  },
};

/** x̂: x without a gain. */
const normalized = (x: Tensor, group: Shape, epsilon: number): Tensor => rmsNorm(x, constant(1, group), epsilon);
const withoutMean = (x: Tensor): Tensor => subtract(x, scale(sumColumns(x), 1 / matrix("layerNorm", "x", x)[1]));
const rmsNormGradient = (x: Tensor, gain: Tensor, dy: Tensor, epsilon: number): Tensor =>
  apply(rmsNormGradientOp, [x, gain, dy], { epsilon });

export const rmsNorm = (x: Tensor, gain: Tensor, epsilon: number): Tensor => apply(rmsNormOp, [x, gain], { epsilon });
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor =>
  apply(layerNormOp, [x, gain, bias], { epsilon });
