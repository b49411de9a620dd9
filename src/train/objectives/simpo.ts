// Simple preference optimisation (Meng et al. 2024, equation 6): mean log-probabilities, no reference, a margin to reach.
import { add, logSigmoid, scale, step, subtract } from "../../graph/index.ts";
import { type Objective, pairMeans } from "./objective.ts";

export interface SimpoOptions {
  readonly beta?: number;
  readonly gamma?: number;
}

/** -log σ(β (c - r) - γ), c and r the mean log-probabilities of both answers. Elements are pairs: `targets`, `elements`, `first`. */
export const simpo = ({ beta = 2, gamma = 1 }: SimpoOptions = {}): Objective => ({
  name: "simpo",
  trace(x) {
    const { first, second } = pairMeans(x, x.logProbabilities);
    const margin = subtract(first, second);
    const losses = scale(logSigmoid(add(scale(margin, beta), -gamma)), -1);
    return { losses, measures: { accuracy: step(margin) } };
  },
});
