// How far a copy of a model is from it over a text: the Kullback-Leibler divergence of what they predict next, and both
// perplexities, over the same windows. Windows are short enough that the logits of both fit in little memory.
// Not here: how a copy is made (quantize/).
import { FormatError, UsageError } from "../base/errors.ts";
import type { OnProgress } from "../base/progress.ts";
import type { LanguageModel } from "../chat/types.ts";

/** Bytes of the logits of one window of one model. */
const LOGITS_BYTES_MAX = 256 * 2 ** 20;
const WINDOW = 512; // as `liang eval perplexity` cuts a file
/** The share of divergences that the upper figure leaves out. */
const TAIL = 0.01;

export interface Divergence {
  /** Tokens that were predicted. */
  readonly tokens: number;
  /** Of the text, tokens that were not looked at. */
  readonly tokens_left_over: number;
  readonly window: number;
  readonly perplexity_original: number;
  readonly perplexity_copy: number;
  /** Mean over tokens of KL(original || copy), in nats. */
  readonly kl_divergence: number;
  /** One token in a hundred is above this. */
  readonly kl_divergence_99: number;
  /** Share of tokens for which both find the same one most likely. */
  readonly same_top: number;
}

export interface DivergenceOptions {
  /** Tokens of the text to look at. Default 4096. */
  readonly tokensMax?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Reader = Pick<LanguageModel, "info" | "tokenize" | "logits">;

/** The window that two models are compared with: what a model must be loaded for. */
export function divergenceWindow(vocabularySize: number, trainedWindow: number): number {
  const rows = Math.floor(LOGITS_BYTES_MAX / (vocabularySize * Float32Array.BYTES_PER_ELEMENT));
  return Math.max(2, Math.min(WINDOW, trainedWindow, rows));
}

/**
 * Compares `copy` with `original`, which have one vocabulary. Throws UsageError for a text without two tokens,
 * FormatError, naming the copy, when its logits are no numbers.
 */
export async function divergence(
  original: Reader,
  copy: Reader,
  text: string,
  { tokensMax = 4096, onProgress, signal }: DivergenceOptions = {},
): Promise<Divergence> {
  const { vocabularySize, window: loaded } = original.info;
  const window = Math.min(divergenceWindow(vocabularySize, loaded), copy.info.window);
  const all = original.tokenize(text, { bos: true });
  const ids = all.slice(0, Math.max(2, tokensMax));
  if (ids.length < 2) {
    throw new UsageError(`The text has ${ids.length} tokens, expected at least 2.`, { hint: "Take a longer text." });
  }
  const rows = [new Float64Array(vocabularySize), new Float64Array(vocabularySize)] as const;
  const divergences: number[] = [];
  let [natsOriginal, natsCopy, same] = [0, 0, 0];
  for (let start = 0; start + 1 < ids.length; start += window) {
    const part = ids.slice(start, start + window);
    if (part.length < 2) break;
    const [expected, found] = [await original.logits(part, { signal }), await copy.logits(part, { signal })];
    for (let t = 0; t + 1 < part.length; t++) {
      const row = (logits: Float32Array): Float32Array => logits.subarray(t * vocabularySize, (t + 1) * vocabularySize);
      const topOriginal = logProbabilities(row(expected), rows[0]);
      const topCopy = logProbabilities(row(found), rows[1]);
      if (topCopy < 0) {
        throw new FormatError(copy.info.path, `logits of token ${start + t}`, "no numbers", "numbers");
      }
      if (topOriginal === topCopy) same++;
      natsOriginal -= rows[0][part[t + 1]];
      natsCopy -= rows[1][part[t + 1]];
      divergences.push(klDivergence(rows[0], rows[1]));
    }
    onProgress?.({ label: "compare", done: Math.min(start + window, ids.length), total: ids.length, unit: "tokens" });
  }
  const tokens = divergences.length;
  divergences.sort((a, b) => a - b);
  return {
    tokens,
    tokens_left_over: all.length - ids.length,
    window,
    perplexity_original: Math.exp(natsOriginal / tokens),
    perplexity_copy: Math.exp(natsCopy / tokens),
    kl_divergence: divergences.reduce((sum, value) => sum + value, 0) / tokens,
    kl_divergence_99: divergences[Math.ceil((1 - TAIL) * tokens) - 1],
    same_top: same / tokens,
  };
}

/** Fills `into` with the log-probabilities; returns the most likely id, -1 where the logits are no numbers. */
function logProbabilities(logits: Float32Array, into: Float64Array): number {
  let top = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[top]) top = i;
  const most = logits[top];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - most);
  if (!Number.isFinite(sum)) return -1;
  const shift = most + Math.log(sum);
  for (let i = 0; i < logits.length; i++) into[i] = logits[i] - shift;
  return top;
}

/** Sum of p (log p - log q), from log-probabilities. */
function klDivergence(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += Math.exp(p[i]) * (p[i] - q[i]);
  return Math.max(0, sum); // rounding may leave less than nothing
}
