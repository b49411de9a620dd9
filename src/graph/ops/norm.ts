// RMSNorm (Zhang & Sennrich 2019) and LayerNorm (Ba et al. 2016) over groups of columns: the gain's length D divides
// the width C, and each of the C/D groups is normalised on its own (per-head norms have D = head size).
import { ShapeError } from "../../base/errors.ts";
import { showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix, vector } from "./checks.ts";
import { sumRows } from "./sums.ts";

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
    apply(rmsNormGradientOp, [x, gain, dy], { epsilon }),
    apply(normGainGradientOp, [x, dy], { epsilon, columns: gain.shape[0] as number, isCentred: false }),
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
  gradient: (_, dy, [x, gain], { epsilon }) => [
    apply(layerNormGradientOp, [x, gain, dy], { epsilon }),
    apply(normGainGradientOp, [x, dy], { epsilon, columns: gain.shape[0] as number, isCentred: true }),
    sumRows(dy),
  ],
};

/**
 * r (g dy - mean(g dy) - x̂ mean(g dy x̂)) with r = 1 / sqrt(var + ε), x̂ = r (x - mean), of each row.
 * Inputs: x (N, C), gain g (C), dy (N, C).
 */
export const layerNormGradientOp: Op<NormAttributes> = {
  name: "layerNormGradient",
  result: "fresh",
  infer([x, gain, dy], attributes) {
    expectType("layerNormGradient", "dy", dy, "f32");
    expectShape("layerNormGradient", "dy", dy, x.shape);
    return layerNormOp.infer([x, gain, gain], attributes);
  },
};

export interface NormGainAttributes extends NormAttributes {
  /** D, of a group. */
  readonly columns: number;
  /** Whether the norm takes the mean away, as LayerNorm does. */
  readonly isCentred: boolean;
}

/** out[d] = the sum of dy x̂ over all rows and all groups of D columns: what a norm's gain gets. Inputs: x, dy (N, C). */
export const normGainGradientOp: Op<NormGainAttributes> = {
  name: "normGainGradient",
  result: "fresh",
  infer([x, dy], { columns }) {
    expectType("normGainGradient", "x", x, "f32");
    expectType("normGainGradient", "dy", dy, "f32");
    expectShape("normGainGradient", "dy", dy, x.shape);
    expectDivisible("normGainGradient", "columns", matrix("normGainGradient", "x", x)[1], columns);
    return { shape: [columns], type: "f32" };
  },
};

export const rmsNorm = (x: Tensor, gain: Tensor, epsilon: number): Tensor => apply(rmsNormOp, [x, gain], { epsilon });
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor =>
  apply(layerNormOp, [x, gain, bias], { epsilon });
