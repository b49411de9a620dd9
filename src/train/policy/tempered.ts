// Replies that are drawn at a temperature are judged at it: the gradient of a policy is that of the distribution that its
// replies come from, softmax(logits / temperature).
import { crossEntropy, scale } from "../../graph/index.ts";
import type { ObjectiveInputs } from "../objectives/objective.ts";

/** The same inputs, their log-probabilities those of logits divided by `temperature`, > 0. */
export function tempered(x: ObjectiveInputs, temperature: number): ObjectiveInputs {
  if (temperature === 1) return x;
  let known: ObjectiveInputs["logProbabilities"] | undefined;
  const logProbabilities = () =>
    (known ??= scale(crossEntropy(scale(x.logits, 1 / temperature), x.ids("targets")), -1));
  return Object.create(x, { logProbabilities: { get: logProbabilities } }) as ObjectiveInputs;
}
