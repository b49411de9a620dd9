// Objectives over how much more than a reference model the trained one prefers the chosen answer to the rejected one.
import { type Tensor, scale, step, subtract } from "../../graph/index.ts";
import { type Objective, pairMeans, pairSums } from "./objective.ts";

export interface MarginOptions {
  /** β: how much a difference of log-probabilities counts; lower: further from the reference. */
  readonly beta?: number;
  /** Means over an answer's tokens instead of sums, so that length does not count. */
  readonly averaged?: boolean;
}

/**
 * Elements are pairs, h = (pc - pr) - (rc - rr) with p the log-probabilities of the chosen and the rejected answer, r the
 * reference's. Inputs: `targets`, `elements`, `first`, and `reference`, the reference's log-probability of each row.
 */
export function marginObjective(
  name: string,
  { beta = 0.1, averaged = false }: MarginOptions,
  losses: (h: Tensor, beta: number) => Tensor,
): Objective {
  return {
    name,
    trace(x) {
      const more = subtract(x.logProbabilities, x.rows("reference"));
      const { first, second } = (averaged ? pairMeans : pairSums)(x, more);
      const h = subtract(first, second);
      return {
        losses: losses(h, beta),
        rows: { logProbabilities: x.logProbabilities },
        measures: {
          chosenReward: scale(first, beta),
          rejectedReward: scale(second, beta),
          accuracy: step(h),
          margin: scale(h, beta),
        },
      };
    },
  };
}
