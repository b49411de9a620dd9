// RMSNorm (Zhang & Sennrich 2019) and LayerNorm (Ba et al. 2016) over groups of columns: the gain's length D divides
// the width C, and each of the C/D groups is normalised on its own (per-head norms have D = head size).
import { ShapeError } from "../../base/errors.ts";
import { showShape } from "../shape.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectShape, expectType, matrix, vector } from "./checks.ts";

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
};

export const rmsNorm = (x: Tensor, gain: Tensor, epsilon: number): Tensor => apply(rmsNormOp, [x, gain], { epsilon });
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor =>
  apply(layerNormOp, [x, gain, bias], { epsilon });
