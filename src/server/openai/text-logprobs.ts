// The log-probabilities of /v1/completions: parallel arrays of tokens, their values, the best alternatives and where in
// the text each token begins. Those of a reply come with it; those of an echoed prompt are computed here.
import { UsageError } from "../../base/errors.ts";
import type { LanguageModel, TokenLogprob } from "../../chat/types.ts";

export interface TextLogprobs {
  readonly tokens: readonly string[];
  /** null for the first token of a prompt: nothing is before it. */
  readonly token_logprobs: readonly (number | null)[];
  readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
  readonly text_offset: readonly number[];
}

/** A text, or token ids. */
export type Prompt = string | readonly number[];

/** The ids that the model reads for a prompt. */
export function idsOf(model: LanguageModel, prompt: Prompt): readonly number[] {
  return typeof prompt === "string" ? model.tokenize(prompt, { bos: true }) : prompt;
}

/** Those of a reply's tokens; offsets count from `start`. */
export function replyLogprobs(logprobs: readonly TokenLogprob[], start = 0): TextLogprobs {
  return {
    tokens: logprobs.map((one) => one.token),
    token_logprobs: logprobs.map((one) => one.logprob),
    top_logprobs: logprobs.map((one) => Object.fromEntries(one.top.map(({ token, logprob }) => [token, logprob]))),
    text_offset: offsets(
      logprobs.map((one) => one.token),
      start,
    ),
  };
}

/** Several one after the other, offsets going on. */
export function joinLogprobs(blocks: readonly TextLogprobs[]): TextLogprobs {
  const tokens = blocks.flatMap((block) => block.tokens);
  return {
    tokens,
    token_logprobs: blocks.flatMap((block) => block.token_logprobs),
    top_logprobs: blocks.flatMap((block) => block.top_logprobs),
    text_offset: offsets(tokens, 0),
  };
}

function offsets(tokens: readonly string[], start: number): number[] {
  let offset = start;
  return tokens.map((token) => {
    offset += token.length;
    return offset - token.length;
  });
}

// Alternatives need every position's logits at once: 2^26 of them are 256 MB.
const LOGITS_MAX = 2 ** 26;

/**
 * Those of a prompt's own tokens, with `alternatives` of the best at each place. Throws UsageError when the alternatives
 * of so long a prompt would not fit memory.
 */
export async function promptLogprobs(
  model: LanguageModel,
  prompt: Prompt,
  alternatives: number,
  signal: AbortSignal,
): Promise<TextLogprobs> {
  const ids = idsOf(model, prompt);
  // A BOS that was put before a text is no part of it; specials among given ids are.
  const special = typeof prompt !== "string";
  const tokens = ids.map((id) => model.detokenize([id], { special }));
  const text_offset = offsets(tokens, 0);
  if (alternatives === 0 || ids.length < 2) {
    const scores = ids.length < 2 ? [] : [...(await model.score(ids, { signal }))];
    return { tokens, token_logprobs: [null, ...scores], top_logprobs: ids.map(() => null), text_offset };
  }
  const width = model.info.vocabularySize; // V
  if (ids.length * width > LOGITS_MAX) {
    const fits = Math.floor(LOGITS_MAX / width);
    throw new UsageError(`echo with logprobs is for at most ${fits} tokens with this model, found ${ids.length}.`, {
      field: "logprobs",
      hint: "With logprobs 0 (no alternatives) any length is read.",
    });
  }
  const logits = await model.logits(ids, { signal }); // (T, V)
  const rows = ids.slice(1).map((id, position) => {
    const row = logits.subarray(position * width, (position + 1) * width);
    const normaliser = logSumExp(row);
    const best = topIndices(row, alternatives).map((index) => [model.detokenize([index]), row[index] - normaliser]);
    return { chosen: row[id] - normaliser, best: Object.fromEntries(best) as Record<string, number> };
  });
  return {
    tokens,
    token_logprobs: [null, ...rows.map((row) => row.chosen)],
    top_logprobs: [null, ...rows.map((row) => row.best)],
    text_offset,
  };
}

function logSumExp(row: Float32Array): number {
  const highest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return highest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}

/** Indices of the `count` largest values, largest first. */
function topIndices(row: Float32Array, count: number): number[] {
  const best: number[] = [];
  row.forEach((value, index) => {
    if (best.length === count && value <= row[best[count - 1]]) return;
    const place = best.findIndex((other) => row[other] < value);
    best.splice(place < 0 ? best.length : place, 0, index);
    if (best.length > count) best.pop();
  });
  return best;
}
