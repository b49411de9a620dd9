// Group-relative policy optimisation (Shao et al. 2024, DeepSeekMath, equations 3 and 4) and what differs from it in a
// number or in what the mean is over: DAPO (Yu et al. 2025), Dr. GRPO (Liu et al. 2025), GSPO (Zheng et al. 2025).
// Not here: advantages (advantages.ts).
import { constant, divide, scale, subtract } from "../../graph/index.ts";
import { type ClipRange, clippedGain } from "./clipped.ts";
import { k3 } from "./kl.ts";
import { type Objective, sumsOf } from "./objective.ts";

export interface GrpoOptions extends Partial<ClipRange> {
  /** What the distance from the reference counts; 0: there is no reference. */
  readonly kl?: number;
  /**
   * Elements are answers, and a token counts 1 / answerTokens however long its own answer is (Dr. GRPO). Without it elements
   * are rows, of weight 1 (DAPO), or of 1 / the rows of their answer (GRPO).
   */
  readonly answerTokens?: number;
}

/**
 * -min(ρ A, clip(ρ) A) + kl (exp(r - p) - (r - p) - 1), of each row. Inputs: `targets`; `old`, the log-probabilities when the
 * answers were drawn; `advantages` of each row; `reference` where kl > 0; `elements` where elements are answers.
 */
export function grpo(options: GrpoOptions = {}): Objective {
  const { low = 0.2, high = 0.2, kl = 0, answerTokens } = options;
  return {
    name: "grpo",
    trace(x) {
      const p = x.logProbabilities;
      const { gain, isOutside } = clippedGain(subtract(p, x.rows("old")), x.rows("advantages"), { low, high });
      const away = kl === 0 ? undefined : k3(p, x.rows("reference"));
      const ofRows = away === undefined ? scale(gain, -1) : subtract(scale(away, kl), gain);
      if (answerTokens !== undefined) {
        return { losses: scale(sumsOf(x, ofRows), 1 / answerTokens), rows: { logProbabilities: p } };
      }
      return {
        losses: ofRows,
        measures: { clipped: isOutside, ...(away !== undefined && { kl: away }) },
        rows: { logProbabilities: p },
      };
    },
  };
}

/** -min(s A, clip(s) A), s = exp(mean of p - old over the answer). Elements are answers, `advantages` one each; `elements`. */
export const gspo = ({ low = 0.2, high = 0.2 }: Partial<ClipRange> = {}): Objective => ({
  name: "gspo",
  trace(x) {
    const logRatio = subtract(x.logProbabilities, x.rows("old"));
    const rows = sumsOf(x, constant(1, logRatio.shape));
    const mean = divide(sumsOf(x, logRatio), rows);
    const { gain, isOutside } = clippedGain(mean, x.each("advantages"), { low, high });
    return {
      losses: scale(gain, -1),
      measures: { clipped: isOutside },
      rows: { logProbabilities: x.logProbabilities },
    };
  },
});
