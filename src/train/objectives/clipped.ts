// The clipped policy objective (Schulman et al. 2017, PPO, equation 7): an answer's probability changes only so far from
// what it was when the answer was drawn.
import { type Operand, type Tensor, add, exp, maximum, minimum, multiply, step, subtract } from "../../graph/index.ts";

/** Shares by which the ratio may fall and rise. */
export interface ClipRange {
  readonly low: number;
  readonly high: number;
}

/** x, but no less than `least` and no more than `most`. */
export const clip = (x: Tensor, least: Operand, most: Operand): Tensor => minimum(maximum(x, least), most);

/** min(ρ A, clip(ρ, 1 - low, 1 + high) A) with ρ = exp(log ratio), and 1 where it was clipped, else 0. */
export function clippedGain(logRatio: Tensor, advantages: Tensor, { low, high }: ClipRange) {
  const ratio = exp(logRatio);
  const within = clip(ratio, 1 - low, 1 + high);
  const isOutside = add(step(subtract(ratio, 1 + high)), step(subtract(1 - low, ratio)));
  return { gain: minimum(multiply(ratio, advantages), multiply(within, advantages)), isOutside };
}
