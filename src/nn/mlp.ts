// Feed-forward parts. C width, F feed-forward width.
import { type Tensor, multiply } from "../graph/index.ts";
import { type Weights, project } from "./weights.ts";

export type Activation = (x: Tensor) => Tensor;

/** down(activation(gate x) * up x) (Shazeer 2020, "GLU variants"): SwiGLU with silu, GeGLU with gelu. */
export function gatedMlp(x: Tensor, weights: Weights, activation: Activation): Tensor {
  const gate = activation(project(x, weights, "gate")); // (N, C) -> (N, F)
  return project(multiply(gate, project(x, weights, "up")), weights, "down"); // (N, F) -> (N, C)
}

/** down(activation(up x)). */
export function mlp(x: Tensor, weights: Weights, activation: Activation): Tensor {
  return project(activation(project(x, weights, "up")), weights, "down"); // (N, C) -> (N, F) -> (N, C)
}
