// Norms by the weights a model has for them.
import { type Tensor, layerNorm, rmsNorm } from "../graph/index.ts";
import type { Weights } from "./weights.ts";

/** LayerNorm with `name`.weight and `name`.bias; RMSNorm where there is no bias. x (N, C) -> (N, C). */
export function norm(x: Tensor, weights: Weights, name: string, epsilon: number): Tensor {
  const gain = weights.get(`${name}.weight`);
  const bias = weights.find(`${name}.bias`);
  return bias === undefined ? rmsNorm(x, gain, epsilon) : layerNorm(x, gain, bias, epsilon);
}

/** The same where the model has such a norm; else x. */
export const normIfAny = (x: Tensor, weights: Weights, name: string, epsilon: number): Tensor =>
  weights.find(`${name}.weight`) === undefined ? x : norm(x, weights, name, epsilon);
