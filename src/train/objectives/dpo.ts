// Direct preference optimisation (Rafailov et al. 2023, equation 7), and its forms for pairs of which a share ε is the
// wrong way round.
import { type Tensor, add, logSigmoid, scale } from "../../graph/index.ts";
import { type MarginOptions, marginObjective } from "./margin.ts";
import type { Objective } from "./objective.ts";

export interface DpoOptions extends MarginOptions {
  /** ε; default 0. */
  readonly flipped?: number;
  /** Unbiased under such noise (Chowdhury et al. 2024); otherwise conservative, as smoothed labels are (Mitchell 2023). */
  readonly robust?: boolean;
}

/** -log σ(β h); conservative: -(1 - ε) log σ(β h) - ε log σ(-β h); robust: (-(1 - ε) log σ(β h) + ε log σ(-β h)) / (1 - 2 ε). */
function losses(h: Tensor, beta: number, { flipped = 0, robust = false }: DpoOptions): Tensor {
  const right = logSigmoid(scale(h, beta));
  if (flipped === 0) return scale(right, -1);
  const wrong = logSigmoid(scale(h, -beta));
  const of = robust ? 1 / (1 - 2 * flipped) : 1;
  return add(scale(right, -of * (1 - flipped)), scale(wrong, (robust ? of : -of) * flipped));
}

export const dpo = (options: DpoOptions = {}): Objective =>
  marginObjective("dpo", options, (h, beta) => losses(h, beta, options));
