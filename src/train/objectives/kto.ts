// Kahneman-Tversky optimisation (Ethayarajh et al. 2024, equation 8): single answers, each marked good or bad.
import { add, maximum, multiply, scale, sigmoid, step, subtract } from "../../graph/index.ts";
import { type Objective, sumsOf } from "./objective.ts";

export interface KtoOptions {
  readonly beta?: number;
  /** What good and bad answers count: more for the rarer kind. */
  readonly desirable?: number;
  readonly undesirable?: number;
}

/**
 * w (1 - σ(±β (k - z))), + where an answer is good; k the sum of p - r over its rows, z = max(0, kl). Elements are answers.
 * Inputs: `targets`, `elements`, `reference` (each row), `desirable` (each answer, 1 or 0), and `kl` [1], the mean of p - r
 * over questions with other questions' answers, as the model is before the step.
 */
export const kto = ({ beta = 0.1, desirable = 1, undesirable = 1 }: KtoOptions = {}): Objective => ({
  name: "kto",
  trace(x) {
    const k = sumsOf(x, subtract(x.logProbabilities, x.rows("reference")));
    const isGood = x.each("desirable");
    const gain = scale(subtract(k, maximum(x.one("kl"), 0)), beta);
    const good = scale(subtract(1, sigmoid(gain)), desirable);
    const bad = scale(subtract(1, sigmoid(scale(gain, -1))), undesirable);
    const accuracy = step(multiply(gain, add(scale(isGood, 2), -1)));
    const losses = add(multiply(isGood, good), multiply(subtract(1, isGood), bad));
    return { losses, measures: { reward: scale(k, beta), accuracy }, rows: { logProbabilities: x.logProbabilities } };
  },
});
