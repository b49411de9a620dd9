// REINFORCE with the other answers to the same question as baseline (Ahmadian et al. 2024).
import { multiply, scale } from "../../graph/index.ts";
import { type Objective, sumsOf } from "./objective.ts";

/** -A Σ p over an answer's rows. Elements are answers: `targets`, `elements`, `advantages` of each (advantages.ts). */
export const rloo = (): Objective => ({
  name: "rloo",
  trace: (x) => ({
    losses: scale(multiply(x.each("advantages"), sumsOf(x, x.logProbabilities)), -1),
    rows: { logProbabilities: x.logProbabilities },
  }),
});
