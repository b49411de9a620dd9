// Odds-ratio preference optimisation (Hong et al. 2024, equations 6 and 7): the chosen answer is learnt as text, and its
// odds are raised above the rejected one's. No reference.
import { type Tensor, exp, log, logSigmoid, scale, step, subtract } from "../../graph/index.ts";
import { type Objective, type Pair, pairMeans } from "./objective.ts";

export interface OrpoOptions {
  /** λ: what the odds count beside the chosen answer's loss. */
  readonly weight?: number;
}

/** log(p / (1 - p)) of log p. */
const logOdds = (logP: Tensor): Tensor => subtract(logP, log(subtract(1, exp(logP))));

/** nll - λ log σ(log odds(c) - log odds(r)), c and r mean log-probabilities. */
export function orpoLosses({ first, second }: Pair, nll: Tensor, weight: number) {
  const ratio = subtract(logOdds(first), logOdds(second));
  return { losses: subtract(nll, scale(logSigmoid(ratio), weight)), ratio };
}

/** Elements are pairs: `targets`, `elements`, `first`. */
export const orpo = ({ weight = 0.1 }: OrpoOptions = {}): Objective => ({
  name: "orpo",
  trace(x) {
    const pair = pairMeans(x, x.logProbabilities);
    const nll = scale(pair.first, -1);
    const { losses, ratio } = orpoLosses(pair, nll, weight);
    return { losses, measures: { nll, logOddsRatio: ratio, accuracy: step(ratio) } };
  },
});
