// Opens the original and the written copy as a person would, and holds one against the other: the prompt that a
// conversation becomes, and what they predict over a text.
import { FormatError, LiangError, MemoryError } from "../base/errors.ts";
import { load } from "../chat/load.ts";
import type { LanguageModel, LoadOptions, Message } from "../chat/types.ts";
import { divergence, divergenceWindow } from "../eval/divergence.ts";
import type { Model } from "../models/index.ts";
import type { Comparison, QuantizeOptions } from "./types.ts";

/** With what templates treat each in its own way: a system message, turns on both sides, blanks at the ends. */
const CONVERSATION: readonly Message[] = [
  { role: "system", content: "Answer briefly." },
  { role: "user", content: " What is 量? \n" },
  { role: "assistant", content: "A measure." },
  { role: "user", content: "And 2 + 2?" },
];

/**
 * A copy that says nothing of what the original would is broken, not rough: guessing diverges by about the vocabulary's
 * logarithm less what the original knows. Half of it is beyond what any type has done to a model that works.
 */
const DIVERGENCE_SHARE_MOST = 0.5;

/**
 * Throws FormatError, naming what differs, for a copy that renders another prompt or has lost the model. Where both do
 * not fit in memory, says so instead.
 */
export async function compareModels(
  original: string,
  copy: string,
  { vocabularySize, window: trainedWindow }: Pick<Model, "vocabularySize" | "window">,
  { text = "", textTokens, threads, onProgress, signal }: QuantizeOptions,
): Promise<Comparison> {
  if (text === "") return { skipped: "no text was given" };
  const options: LoadOptions = {
    window: divergenceWindow(vocabularySize, trainedWindow),
    slots: 1,
    packCache: false, // the copy has a name that goes away
    ...(threads !== undefined && { threads }),
    ...(onProgress !== undefined && { onProgress }),
    ...(signal !== undefined && { signal }),
  };
  try {
    await using before = await load(original, options);
    await using after = await load(copy, options);
    const [expected, found] = [await renderingOf(before), await renderingOf(after)];
    if (found !== expected)
      throw new FormatError(copy, "the prompt of a conversation", found, JSON.stringify(expected));
    const result = await divergence(before, after, text, { tokensMax: textTokens, onProgress, signal });
    const most = DIVERGENCE_SHARE_MOST * Math.log(vocabularySize);
    if (!(result.kl_divergence <= most)) {
      const expectedMost = `at most ${most.toFixed(2)} nats a token`;
      throw new FormatError(copy, "the divergence from the original", result.kl_divergence, expectedMost, {
        hint: "The copy has lost the model. Take a type with more bits, or give --importance.",
      });
    }
    return result;
  } catch (error) {
    if (error instanceof MemoryError) return { skipped: error.message };
    throw error;
  }
}

/** The prompt, or why there is none: templates may refuse a role. */
async function renderingOf(model: LanguageModel): Promise<string> {
  try {
    return await model.render(CONVERSATION);
  } catch (error) {
    if (error instanceof LiangError) return `refused: ${error.message}`;
    throw error;
  }
}
