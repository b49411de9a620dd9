// Checks of what a request says of beams.
import { UnsupportedError, UsageError, show } from "../../base/errors.ts";
import { checkWhole } from "../request.ts";
import type { BeamSettings, GenerateRequest, SamplingSettings } from "../types.ts";

/** What a beam search has of the engine. */
interface Room {
  readonly slots: number;
  readonly vocabularySize: number;
  readonly ropeStage: (length: number) => number;
}

/**
 * The settings with their defaults, of a request that has beams. Throws UsageError for values out of range, more beams than
 * the engine has sequences, and what beams do not go with; UnsupportedError for a reply that passes to other angles.
 */
export function checkedBeams(
  { beams, logprobs }: GenerateRequest,
  { temperature }: SamplingSettings,
  { slots, vocabularySize, ropeStage }: Room,
  promptTokens: number,
  tokensMax: number,
): Required<BeamSettings> {
  const { count, lengthPenalty = 1, earlyStopping = false } = beams!;
  checkWhole("beams", count, 1, vocabularySize);
  if (count > slots) {
    throw new UsageError(`beams is ${count}, and the model was opened for ${slots} sequences at once.`, {
      field: "beams",
      hint: `Load it with beams: ${count}, or take fewer.`,
    });
  }
  if (!Number.isFinite(lengthPenalty)) {
    throw new UsageError(`lengthPenalty is ${show(lengthPenalty)}, expected a number.`, { field: "lengthPenalty" });
  }
  if (![true, false, "never"].includes(earlyStopping)) {
    const expected = 'true, false or "never"';
    throw new UsageError(`earlyStopping is ${show(earlyStopping)}, expected ${expected}.`, { field: "earlyStopping" });
  }
  if (temperature !== 0) {
    throw new UsageError(`temperature is ${temperature}, but beams are chosen, not drawn.`, {
      field: "temperature",
      hint: "Set it to 0, or take one beam.",
    });
  }
  if (logprobs !== undefined) {
    throw new UsageError("Log-probabilities are not given with beams.", { field: "logprobs", hint: "Take one beam." });
  }
  if (ropeStage(promptTokens) !== ropeStage(promptTokens + tokensMax)) {
    throw new UnsupportedError("The reply may pass to a length at which the model's rope has other angles.", {
      hint: "Beams do not: set maxTokens lower, or take one beam.",
    });
  }
  return { count, lengthPenalty, earlyStopping };
}
