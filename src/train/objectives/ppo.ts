// Proximal policy optimisation (Schulman et al. 2017): a policy and, on the same trunk, a value head that foretells rewards.
import { type Tensor, add, linear, maximum, multiply, scale, subtract } from "../../graph/index.ts";
import { type ClipRange, clip, clippedGain } from "./clipped.ts";
import { k2 } from "./kl.ts";
import type { Objective } from "./objective.ts";

export interface PpoOptions extends Partial<ClipRange> {
  /** How far a value may move from what it was. */
  readonly valueRange?: number;
  /** What the values' loss counts beside the policy's. */
  readonly valueWeight?: number;
}

export const VALUE_WEIGHT = "value.weight";

const square = (x: Tensor): Tensor => multiply(x, x);

/**
 * -min(ρ A, clip(ρ) A) + w max((v - R)², (clip(v, v' ± range) - R)²) / 2. Elements are rows: `targets`; `old`, the
 * log-probabilities and `oldValues`, the values when the answers were drawn; `advantages` and `returns` (advantages.ts).
 */
export function ppo(options: PpoOptions = {}): Objective {
  const { low = 0.2, high = 0.2, valueRange = 0.2, valueWeight = 0.1 } = options;
  return {
    name: "ppo",
    trace(x) {
      const [p, old] = [x.logProbabilities, x.rows("old")];
      const { gain, isOutside } = clippedGain(subtract(p, old), x.rows("advantages"), { low, high });
      const values = linear(x.hidden, x.weight(VALUE_WEIGHT, [1, x.hidden.shape[1] as number])); // (M, 1)
      const [oldValues, returns] = [x.rows("oldValues"), x.rows("returns")];
      const near = clip(values, add(oldValues, -valueRange), add(oldValues, valueRange));
      const off = maximum(square(subtract(values, returns)), square(subtract(near, returns)));
      const [policyLoss, valueLoss] = [scale(gain, -1), scale(off, 0.5)];
      return {
        losses: add(policyLoss, scale(valueLoss, valueWeight)),
        measures: { policyLoss, valueLoss, clipped: isOutside, kl: k2(old, p) },
        rows: { logProbabilities: p, values },
      };
    },
  };
}
