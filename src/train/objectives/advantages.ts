// How much better an answer, or a token, was than expected: numbers that policy objectives take as inputs, and that no
// gradient flows through. Plain numbers, not ops.

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** Sample variance. */
function variance(values: ArrayLike<number>, center: number): number {
  return Array.from(values).reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1);
}

/** So that a group of equal rewards has none. */
const DEVIATION_LEAST = 1e-4;

/**
 * r - mean over the answers to one question, at least two, divided by their deviation + 1e-4 (Shao et al. 2024) unless
 * `divide` is false.
 */
export function groupAdvantages(rewards: ArrayLike<number>, divide = true): Float64Array {
  const center = mean(rewards);
  const by = divide ? Math.sqrt(variance(rewards, center)) + DEVIATION_LEAST : 1;
  return Float64Array.from(rewards, (reward) => (reward - center) / by);
}

/** r - the mean reward of the other answers to the same question (Kool et al. 2019). */
export function leaveOneOutAdvantages(rewards: ArrayLike<number>): Float64Array {
  const sum = mean(rewards) * rewards.length;
  return Float64Array.from(rewards, (reward) => reward - (sum - reward) / (rewards.length - 1));
}

/** An answer's tokens as they were drawn; arrays of equal length. */
export interface DrawnAnswer {
  /** The reward of the whole. */
  readonly score: number;
  /** Of tokens besides. */
  readonly tokenRewards?: ArrayLike<number> | undefined;
  readonly logProbabilities: ArrayLike<number>;
  readonly reference: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

export interface GaeSettings {
  /** What a token's distance from the reference takes off its reward. */
  readonly kl: number;
  readonly gamma: number;
  readonly lambda: number;
}

/**
 * Generalised advantage estimation (Schulman et al. 2016, equation 16): rewards -kl (p - r) and the token's own, plus the
 * score at the last token; δ_t = r_t + γ v_{t+1} - v_t, A_t = δ_t + γ λ A_{t+1}; returns A + v. The value after the last token is 0.
 */
export function generalisedAdvantages(
  { score, tokenRewards, logProbabilities, reference, values }: DrawnAnswer,
  { kl, gamma, lambda }: GaeSettings,
): Readonly<Record<"rewards" | "advantages" | "returns", Float64Array>> {
  const length = values.length;
  const rewards = Float64Array.from(logProbabilities, (p, t) => (tokenRewards?.[t] ?? 0) - kl * (p - reference[t]));
  if (length > 0) rewards[length - 1] += score;
  const advantages = new Float64Array(length);
  for (let t = length - 1, [next, after] = [0, 0]; t >= 0; t--) {
    after = rewards[t] + gamma * next - values[t] + gamma * lambda * after;
    advantages[t] = after;
    next = values[t];
  }
  return { rewards, advantages, returns: advantages.map((advantage, t) => advantage + values[t]) };
}

/** Brought to mean 0 and sample variance 1. */
export function whitened(values: ArrayLike<number>): Float64Array {
  const center = mean(values);
  const by = 1 / Math.sqrt(variance(values, center) + 1e-8);
  return Float64Array.from(values, (value) => (value - center) * by);
}
