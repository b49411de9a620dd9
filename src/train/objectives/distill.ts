// Distillation: a student takes on a teacher's distribution (Hinton et al. 2015), or what of it the student can say
// (reverse KL; Gu et al. 2023, MiniLLM).
import {
  type Tensor,
  add,
  crossEntropy,
  logSoftmax,
  multiply,
  scale,
  softmax,
  subtract,
  sumColumns,
} from "../../graph/index.ts";
import type { Losses, Objective } from "./objective.ts";

export interface DistillOptions {
  /** α: the share of the teacher; the rest is the targets' cross-entropy. */
  readonly alpha?: number;
  /** T: both distributions are of logits / T. */
  readonly temperature?: number;
  /** KL(student || teacher) instead of KL(teacher || student). */
  readonly reverse?: boolean;
}

/** Σ_v P (log P - log Q) of each row's logits p and q: (M, V) -> (M, 1). */
export const klOfLogits = (p: Tensor, q: Tensor): Tensor =>
  sumColumns(multiply(softmax(p), subtract(logSoftmax(p), logSoftmax(q))));

/** α T² KL + (1 - α) cross-entropy. Elements are rows: `teacher`, its logits (M, V), and `targets` where α < 1. */
export const distill = ({ alpha = 0.5, temperature = 2, reverse = false }: DistillOptions = {}): Objective => ({
  name: "distill",
  trace(x): Losses {
    const [student, teacher] = [x.logits, x.rows("teacher", x.logits.shape[1] as number)].map((logits) =>
      scale(logits, 1 / temperature),
    );
    const kl = reverse ? klOfLogits(student, teacher) : klOfLogits(teacher, student);
    const ofTeacher = scale(kl, alpha * temperature ** 2);
    if (alpha === 1) return { losses: ofTeacher, measures: { kl } };
    const nats = crossEntropy(x.logits, x.ids("targets"));
    return { losses: add(ofTeacher, scale(nats, 1 - alpha)), measures: { kl, nats } };
  },
});
