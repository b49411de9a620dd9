// Which steps are not to be trusted: a loss or gradient that is no number, or a loss far above what it was lately. Pure:
// the same losses are judged the same wherever a run was stopped and went on.

/** What is known of the losses up to now; part of a checkpoint. */
export interface GuardState {
  /** Running mean and variance of the losses of steps that were applied. */
  readonly mean: number;
  readonly variance: number;
  readonly applied: number;
  readonly leftOut: number;
  readonly leftOutInARow: number;
}

export interface GuardSettings {
  readonly deviations: number;
  readonly patience: number;
}

export const newGuard: GuardState = { mean: 0, variance: 0, applied: 0, leftOut: 0, leftOutInARow: 0 };

/** How many steps the running mean looks back. */
const MEMORY = 50;
/** A mean of fewer steps is not worth much; no step is called a spike before. */
const SETTLED = 20;
/** Nats above the mean that are never a spike, however even the losses are. */
const LEAST_SPIKE = 0.5;

/** Why a step is to be left out; undefined: it is not. */
export function reasonToLeaveOut(
  { mean, variance, applied }: GuardState,
  { loss, norm }: { readonly loss: number; readonly norm: number },
  { deviations }: GuardSettings,
): string | undefined {
  if (!Number.isFinite(loss)) return `its loss is ${loss}`;
  if (!Number.isFinite(norm)) return `its gradient's length is ${norm}`;
  const most = mean + Math.max(LEAST_SPIKE, deviations * Math.sqrt(variance));
  if (applied < SETTLED || loss <= most) return undefined;
  return `its loss is ${loss.toFixed(3)}, with ${mean.toFixed(3)} the mean and ${most.toFixed(3)} the most`;
}

export function afterApplied(state: GuardState, loss: number): GuardState {
  const weight = 1 / Math.min(state.applied + 1, MEMORY);
  const difference = loss - state.mean;
  return {
    mean: state.mean + weight * difference,
    variance: (1 - weight) * (state.variance + weight * difference * difference),
    applied: state.applied + 1,
    leftOut: state.leftOut,
    leftOutInARow: 0,
  };
}

export const afterLeftOut = (state: GuardState): GuardState => ({
  ...state,
  leftOut: state.leftOut + 1,
  leftOutInARow: state.leftOutInARow + 1,
});
