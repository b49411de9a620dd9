// Muon (Jordan et al. 2024): momentum, made orthogonal by five steps of a Newton-Schulz iteration. For matrices that
// map vectors to vectors: not for embeddings, heads, gains or biases.
import {
  type Tensor,
  add,
  assign,
  divide,
  matmul,
  multiply,
  scale,
  sqrt,
  subtract,
  sumAll,
} from "../../graph/index.ts";
import { type Optimizer, type RateOptions, blend } from "./optimizer.ts";

export interface MuonOptions extends RateOptions {
  readonly momentum?: number;
  /** Steps of the iteration. */
  readonly iterations?: number;
}

/** The iteration's polynomial: a x + b x³ + c x⁵ of each singular value. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const EPSILON = 1e-7;

/** m = μ m + (1 - μ) g; u = (1 - μ) g + μ m; w = (1 - η λ) w - η sqrt(max(1, M / K)) orthogonal(u), w (M, K). */
export function muon({ momentum = 0.95, iterations = 5, weightDecay = 0, rate = 1 }: MuonOptions = {}): Optimizer {
  return {
    name: "muon",
    scalars: (_, learningRate) => ({ step: rate * learningRate, kept: 1 - rate * learningRate * weightDecay }),
    update({ weight, gradient, moment, scalar }) {
      const [rows, columns] = weight.shape as readonly number[];
      const m = blend(moment("m"), gradient, momentum);
      const u = add(scale(gradient, 1 - momentum), scale(m, momentum));
      const direction = scale(orthogonal(u, iterations), Math.sqrt(Math.max(1, rows / columns)));
      return [m, assign(weight, subtract(multiply(weight, scalar("kept")), multiply(direction, scalar("step"))))];
    },
  };
}

/** The nearest matrix (M, K) whose singular values are all one, roughly. */
export function orthogonal(u: Tensor, iterations: number): Tensor {
  const [rows, columns] = u.shape as readonly number[];
  let x = divide(u, add(sqrt(sumAll(multiply(u, u))), EPSILON));
  for (let i = 0; i < iterations; i++) {
    // on the shorter side: X Xᵀ from the left, or Xᵀ X from the right
    const isTall = rows > columns;
    const square = matmul(x, x, isTall ? { transposeA: true } : { transposeB: true });
    const factor = add(scale(square, B), scale(matmul(square, square), C));
    x = add(scale(x, A), isTall ? matmul(x, factor) : matmul(factor, x));
  }
  return x;
}
