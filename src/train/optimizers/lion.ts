// Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms"): steps of one size, by the sign alone.
import { add, assign, multiply, scale, sign, subtract } from "../../graph/index.ts";
import { type Optimizer, type RateOptions, blend } from "./optimizer.ts";

export interface LionOptions extends RateOptions {
  readonly beta1?: number;
  readonly beta2?: number;
}

/** w = (1 - η λ) w - η sign(β1 m + (1 - β1) g); then m = β2 m + (1 - β2) g. */
export function lion({ beta1 = 0.9, beta2 = 0.99, weightDecay = 0, rate = 1 }: LionOptions = {}): Optimizer {
  return {
    name: "lion",
    scalars: (_, learningRate) => ({ step: rate * learningRate, kept: 1 - rate * learningRate * weightDecay }),
    update({ weight, gradient, moment, scalar }) {
      const c = add(scale(moment("m"), beta1), scale(gradient, 1 - beta1));
      const changed = subtract(multiply(weight, scalar("kept")), multiply(sign(c), scalar("step")));
      return [blend(moment("m"), gradient, beta2), assign(weight, changed)];
    },
  };
}
