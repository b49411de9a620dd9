// Estimates of KL(p || q) from samples of p, of both log-probabilities (Schulman 2020, "Approximating KL divergence").
import { type Tensor, add, exp, multiply, scale, subtract } from "../../graph/index.ts";

/** p - q: right on average, of either sign. */
export const k1 = (p: Tensor, q: Tensor): Tensor => subtract(p, q);

/** (p - q)² / 2: steadier, a little off. */
export function k2(p: Tensor, q: Tensor): Tensor {
  const apart = subtract(p, q);
  return scale(multiply(apart, apart), 0.5);
}

/** exp(q - p) - (q - p) - 1: right on average, steadier, never negative. */
export function k3(p: Tensor, q: Tensor): Tensor {
  const apart = subtract(q, p);
  return add(subtract(exp(apart), apart), -1);
}
