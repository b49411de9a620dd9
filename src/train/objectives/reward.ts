// A reward model from comparisons (Bradley and Terry 1952; Ouyang et al. 2022): a number for each answer, read off its last
// token by a head of its own.
import { type Tensor, add, linear, logSigmoid, multiply, scale, step, subtract } from "../../graph/index.ts";
import { type Objective, type ObjectiveInputs, pairSums } from "./objective.ts";

export interface RewardOptions {
  /** Pairs bring `margin`: how much better the first is, by whoever compared them (Touvron et al. 2023, Llama 2). */
  readonly margins?: boolean;
  /** k of k (rc + rr)², which keeps rewards around 0 (Eisenstein et al. 2023). */
  readonly centering?: number;
}

export const REWARD_WEIGHT = "reward.weight";

/** Of each row: (M, 1). */
export const rewardOf = (x: Pick<ObjectiveInputs, "hidden" | "weight">): Tensor =>
  linear(x.hidden, x.weight(REWARD_WEIGHT, [1, x.hidden.shape[1] as number]));

/** -log σ(rc - rr - margin) + k (rc + rr)². Elements are pairs, rows the last of each answer: `elements`, `first`. */
export const reward = ({ margins = false, centering = 0 }: RewardOptions = {}): Objective => ({
  name: "reward",
  trace(x) {
    const rewards = rewardOf(x);
    const { first, second } = pairSums(x, rewards);
    const apart = subtract(first, second);
    const losses = scale(logSigmoid(margins ? subtract(apart, x.each("margin")) : apart), -1);
    const sum = add(first, second);
    return {
      losses: centering === 0 ? losses : add(losses, scale(multiply(sum, sum), centering)),
      measures: { accuracy: step(apart), chosenReward: first, rejectedReward: second },
      rows: { rewards },
    };
  },
});
