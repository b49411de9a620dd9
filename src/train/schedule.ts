// Learning rates over a run: a warm-up from 0, a flat part, and a decay to a share of the peak. Not here: the peak itself,
// which the recipe says.
import { UsageError } from "../base/errors.ts";

/** What is left at a share of the way from the decay's begin, from 0 to 1; `step` of `begin` where that counts. */
export const decays = {
  /** Flat to the end. */
  constant: () => 1,
  linear: (progress: number) => 1 - progress,
  /** Half a wave (Loshchilov and Hutter 2017). */
  cosine: (progress: number) => (1 + Math.cos(Math.PI * progress)) / 2,
  /** 1 - sqrt(progress), for the end of a trapezoid (Hägele et al. 2024). */
  sqrt: (progress: number) => 1 - Math.sqrt(progress),
  /** By the square root of the step (Vaswani et al. 2017, "Noam"). */
  inverseSqrt: (_: number, step: number, begin: number) => Math.sqrt(begin / (step + 1)),
} as const;
export type DecayName = keyof typeof decays;

export interface Schedule {
  /** Training steps in all. */
  readonly steps: number;
  /** Steps of the warm-up; default 0. */
  readonly warmup?: number;
  readonly decay: DecayName;
  /** Steps at the end over which it decays; default: all after the warm-up. Fewer make a trapezoid ("WSD"). */
  readonly decaySteps?: number;
  /** The share of the peak that the decay ends at; default 0. */
  readonly least?: number;
}

/**
 * The share of the peak learning rate at training step `step`, from 0 on: (step + 1) / warmup, then 1, and `least` at
 * step `steps`, one after the last. Throws UsageError where the parts do not fit into the steps.
 */
export function rateAt(schedule: Schedule, step: number): number {
  const { steps, warmup = 0, decay, decaySteps = steps - warmup, least = 0 } = schedule;
  if (warmup < 0 || decaySteps < 0 || warmup + decaySteps > steps) {
    throw new UsageError(`A schedule of ${steps} steps has ${warmup} of warm-up and ${decaySteps} of decay.`, {
      hint: "Together they may be as many as the steps.",
    });
  }
  if (step < warmup) return (step + 1) / warmup;
  const begin = steps - decaySteps;
  if (step < begin) return 1;
  return least + (1 - least) * decays[decay](Math.min(1, (step - begin) / decaySteps), step, begin);
}
