// AdamW (Loshchilov and Hutter 2019): Adam (Kingma and Ba 2015) whose weight decay is apart from the moments.
import { add, assign, divide, multiply, sqrt, subtract } from "../../graph/index.ts";
import { type Optimizer, type RateOptions, blend } from "./optimizer.ts";

export interface AdamWOptions extends RateOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/**
 * m = β1 m + (1 - β1) g; v = β2 v + (1 - β2) g²; w = (1 - η λ) w - η m' / (sqrt(v') + ε), m' = m / (1 - β1^t) and
 * v' = v / (1 - β2^t).
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, rate = 1 } = options;
  return {
    name: "adamw",
    scalars: (step, learningRate) => ({
      step: (rate * learningRate) / (1 - beta1 ** step),
      correction: 1 / (1 - beta2 ** step),
      kept: 1 - rate * learningRate * weightDecay,
    }),
    update({ weight, gradient, moment, scalar }) {
      const m = blend(moment("m"), gradient, beta1);
      const v = blend(moment("v"), multiply(gradient, gradient), beta2);
      const root = sqrt(multiply(v, scalar("correction")));
      const change = divide(multiply(m, scalar("step")), add(root, epsilon));
      return [m, v, assign(weight, subtract(multiply(weight, scalar("kept")), change))];
    },
  };
}
