// Feed-forward parts. C width, F feed-forward width.
import { type Tensor, multiply } from "../graph/index.ts";
import type { Weights } from "./weights.ts";

export type Activation = (x: Tensor) => Tensor;

/** down(activation(gate x) * up x) (Shazeer 2020, "GLU variants"): SwiGLU with silu, GeGLU with gelu. */
export function gatedMlp(x: Tensor, weights: Weights, activation: Activation): Tensor {
  const gate = activation(weights.project(x, "gate")); // (N, C) -> (N, F)
  return weights.project(multiply(gate, weights.project(x, "up")), "down"); // (N, F) -> (N, C)
}

/** down(activation(up x)). */
export function mlp(x: Tensor, weights: Weights, activation: Activation): Tensor {
  return weights.project(activation(weights.project(x, "up")), "down"); // (N, C) -> (N, F) -> (N, C)
}
