// Cross-entropy of each row's target: what pretraining and fine-tuning on answers make smaller.
import { type CrossEntropyAttributes, crossEntropy } from "../../graph/index.ts";
import type { Objective } from "./objective.ts";

/** Elements are rows, with `targets` (M). */
export const nextToken = (options: CrossEntropyAttributes = {}): Objective => ({
  name: "next token",
  trace: (x) => ({ losses: crossEntropy(x.logits, x.ids("targets"), options) }),
});

/** The same of tokens that were hidden from the model (Devlin et al. 2019, BERT): rows see both sides of them. */
export const maskedToken = (options: CrossEntropyAttributes = {}): Objective => ({
  ...nextToken(options),
  name: "masked token",
  bothDirections: true,
});
