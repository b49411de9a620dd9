// Perplexity of a text: how surprised the model is, per token, character and byte. Two ways to cut it:
// a file in windows, as llama.cpp's perplexity tool does (so that numbers compare), or documents, each with its BOS and
// EOS. Not here: reading files (cli/).
import { UsageError } from "../base/errors.ts";
import type { OnProgress } from "../base/progress.ts";
import type { LanguageModel } from "../chat/types.ts";

/** Natural-log losses over everything that was predicted; sizes are of the text that the predicted tokens spell. */
export interface Perplexity {
  /** Predicted tokens. */
  readonly tokens: number;
  readonly nats_per_token: number;
  readonly perplexity: number;
  readonly nats_per_char: number;
  readonly bits_per_byte: number;
}

/** Of a file in windows; the plain figures are over positions 1 .. window - 1 of every window. */
export interface FilePerplexity extends Perplexity {
  readonly window: number;
  readonly chunks: number;
  readonly nll_all: number;
  /** Over positions window/2 + 1 .. window - 1, where every prediction has half a window before it. */
  readonly nll_second_half: number;
  readonly perplexity_second_half: number;
  /** Tokens after the last window that was scored. */
  readonly tokens_left_over: number;
}

export interface DocumentsPerplexity extends Perplexity {
  readonly documents: number;
  /** Documents longer than the window, scored in pieces that do not see each other. */
  readonly documents_split: number;
}

export interface EvalOptions {
  /** Score the first windows of a file only. */
  readonly chunksMax?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** A sum of losses and what they are over. */
class Tally {
  nats = 0;
  tokens = 0;
  characters = 0;
  bytes = 0;

  add(losses: Float64Array): void {
    for (const logprob of losses) this.nats -= logprob;
    this.tokens += losses.length;
  }

  spell(text: string): void {
    for (const _ of text) this.characters++;
    this.bytes += new TextEncoder().encode(text).length;
  }

  figures(): Perplexity {
    return {
      tokens: this.tokens,
      nats_per_token: this.nats / this.tokens,
      perplexity: Math.exp(this.nats / this.tokens),
      nats_per_char: this.nats / this.characters,
      bits_per_byte: this.nats / Math.LN2 / this.bytes,
    };
  }
}

/**
 * Scores `text` in windows of `window` ids: tokenised once, specials in it plain text, BOS first where the model wants
 * it; in every window the first id is then replaced by BOS (where wanted). Throws UsageError for less than one window.
 */
export async function filePerplexity(
  model: LanguageModel,
  text: string,
  window: number,
  { chunksMax = Infinity, onProgress, signal }: EvalOptions = {},
): Promise<FilePerplexity> {
  if (!Number.isInteger(window) || window < 4 || window > model.info.window) {
    throw new UsageError(`window is ${window}, expected a whole number from 4 to ${model.info.window}.`, {
      field: "window",
    });
  }
  const ids = model.tokenize(text, { bos: true });
  const chunks = Math.min(chunksMax, Math.floor(ids.length / window));
  if (chunks === 0) {
    throw new UsageError(`The text has ${ids.length} tokens, expected at least one window of ${window}.`, {
      hint: "Use a longer text or a smaller --window.",
    });
  }
  const all = new Tally();
  const secondHalf = new Tally();
  for (let chunk = 0; chunk < chunks; chunk++) {
    const part = ids.slice(chunk * window, (chunk + 1) * window);
    if (model.info.addBos) part[0] = model.info.bosId!;
    const logprobs = await model.score(part, { signal }); // of positions 1 .. window - 1
    all.add(logprobs);
    // only behind the BOS of the first window does the text begin; everywhere else it goes on
    all.spell(model.detokenize(part.slice(1), { start: chunk === 0 && model.info.addBos }));
    secondHalf.add(logprobs.subarray(Math.floor(window / 2)));
    onProgress?.({ label: "scoring", done: (chunk + 1) * window, total: chunks * window, unit: "tokens" });
  }
  const second = secondHalf.figures();
  return {
    ...all.figures(),
    window,
    chunks,
    nll_all: all.nats / all.tokens,
    nll_second_half: second.nats_per_token,
    perplexity_second_half: second.perplexity,
    tokens_left_over: ids.length - chunks * window,
  };
}

/** Scores documents one by one, each from BOS (where there is one) to EOS (where there is one). */
export async function documentsPerplexity(
  model: LanguageModel,
  documents: readonly string[],
  { onProgress, signal }: EvalOptions = {},
): Promise<DocumentsPerplexity> {
  const { bosId, eosId, addBos, window } = model.info;
  const first = addBos && bosId !== undefined ? [bosId] : [];
  const last = eosId === undefined ? [] : [eosId];
  const tally = new Tally();
  let split = 0;
  for (const [index, document] of documents.entries()) {
    const ids = [...model.tokenize(document), ...last];
    const room = window - first.length;
    if (ids.length > room) split++;
    for (let start = 0; start < ids.length; start += room) {
      const part = [...first, ...ids.slice(start, start + room)];
      if (part.length > 1) tally.add(await model.score(part, { signal }));
    }
    tally.spell(document);
    onProgress?.({ label: "scoring", done: index + 1, total: documents.length, unit: "items" });
  }
  if (tally.tokens === 0) throw new UsageError("No document has anything to predict.");
  return { ...tally.figures(), documents: documents.length, documents_split: split };
}
