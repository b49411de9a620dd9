// Stochastic gradient descent, plain, with momentum or Nesterov's (Sutskever et al. 2013), as PyTorch has it.
import { add, assign, multiply, scale, subtract } from "../../graph/index.ts";
import type { Optimizer, RateOptions } from "./optimizer.ts";

export interface SgdOptions extends RateOptions {
  /** μ; 0 keeps no moment. */
  readonly momentum?: number;
  /** What is taken off a gradient before it joins the moment, from the second update on. */
  readonly dampening?: number;
  readonly nesterov?: boolean;
}

/** g += λ w; b = μ b + (1 - dampening) g, g at first; w = w - η b, with Nesterov w - η (g + μ b). */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, rate = 1 } = options;
  return {
    name: "sgd",
    scalars: (step, learningRate) => ({
      step: rate * learningRate,
      ...(momentum > 0 && { joins: step === 1 ? 1 : 1 - dampening }),
    }),
    update({ weight, gradient, moment, scalar }) {
      const g = weightDecay === 0 ? gradient : add(gradient, scale(weight, weightDecay));
      const descend = (by: typeof g) => assign(weight, subtract(weight, multiply(by, scalar("step"))));
      if (momentum === 0) return [descend(g)];
      const b = assign(moment("b"), add(scale(moment("b"), momentum), multiply(g, scalar("joins"))));
      return [b, descend(nesterov ? add(g, scale(b, momentum)) : b)];
    },
  };
}
