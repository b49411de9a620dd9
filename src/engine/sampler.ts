// Chooses the next id from a row of logits: bias, repetition, presence and frequency penalties, temperature, top-k,
// top-p, min-p, typical-p, draw, in the order of transformers' processors; or the first largest at temperature 0.
// A pure function of its arguments. Not here: any text, end ids, what history is (reply.ts).
import { LiangError } from "../base/errors.ts";
import { uniform } from "../base/random.ts";
import { Adjustments } from "./sampling/adjustments.ts";
import { Candidates } from "./sampling/candidates.ts";
import { bestLogprobs, largestOf, logSumExp } from "./sampling/log-probability.ts";
import { RowScan } from "./sampling/row-scan.ts";
import type { IdLogprob, SamplingSettings } from "./types.ts";

/** The stream of `uniform` that token draws use. */
export const DRAW_STREAM = 0;

export interface Choice {
  readonly id: number;
  readonly logprob?: number;
  readonly top?: readonly IdLogprob[];
}

/** One serves any number of sequences, one call at a time: it holds scratch memory only. */
export class Sampler {
  readonly #adjustments: Adjustments;
  readonly #scan: RowScan;
  readonly #candidates: Candidates;
  readonly #vocabularySize: number;
  /** A row of them (V); allocated when they are first asked for. */
  #logprobs: Float32Array | undefined;

  constructor(vocabularySize: number) {
    this.#adjustments = new Adjustments(vocabularySize);
    this.#scan = new RowScan(vocabularySize);
    this.#candidates = new Candidates(vocabularySize);
    this.#vocabularySize = vocabularySize;
  }

  /**
   * Chooses from `row` (V) for a sequence of `history` (its ids so far; the draw is keyed by their number). `logprobs`:
   * report ln p of the raw row, with that many alternatives. `peaks`: the raw row's largest logits by block, where they
   * are known. The row is as before afterwards.
   * Throws LiangError when no logit is finite.
   */
  choose(
    row: Float32Array,
    history: Int32Array,
    settings: SamplingSettings,
    logprobs?: number,
    peaks?: Float32Array,
  ): Choice {
    const id = this.#withAdjusted(row, history, settings, peaks, () => {
      if (settings.temperature === 0) return this.#scan.best();
      this.#candidates.narrow(this.#scan, settings);
      return this.#candidates.draw(uniform(settings.seed, DRAW_STREAM, history.length));
    });
    if (logprobs === undefined) return { id };
    this.#read(row, peaks);
    const logTotal = logSumExp(row, this.#scan.largest);
    return { id, logprob: row[id] - logTotal, top: bestLogprobs(this.#scan, logprobs, logTotal) };
  }

  /**
   * The `count` likeliest ids of `row`, or as many as are not forbidden, best first. Penalties and bias act on
   * log-probabilities, as transformers' beam search has it.
   */
  likeliest(row: Float32Array, history: Int32Array, settings: SamplingSettings, count: number): readonly IdLogprob[] {
    const logprobs = (this.#logprobs ??= new Float32Array(this.#vocabularySize));
    const total = logSumExp(row, largestOf(row));
    for (let id = 0; id < row.length; id++) logprobs[id] = row[id] - total;
    return this.#withAdjusted(logprobs, history, settings, undefined, () => bestLogprobs(this.#scan, count, 0));
  }

  /** What `choose` draws from, as probabilities (V); settings.temperature > 0. */
  distribution(row: Float32Array, history: Int32Array, settings: SamplingSettings): Float64Array {
    return this.#withAdjusted(row, history, settings, undefined, () => {
      this.#candidates.narrow(this.#scan, settings);
      return this.#candidates.probabilities();
    });
  }

  #withAdjusted<T>(
    row: Float32Array,
    history: Int32Array,
    settings: SamplingSettings,
    peaks: Float32Array | undefined,
    use: () => T,
  ): T {
    this.#adjustments.apply(row, history, settings);
    try {
      this.#read(row, peaks, this.#adjustments.ids);
      return use();
    } finally {
      this.#adjustments.restore(row);
    }
  }

  /** `moved`: ids whose logits are no longer those of the peaks. */
  #read(row: Float32Array, peaks?: Float32Array, moved?: readonly number[]): void {
    this.#scan.read(row, peaks, moved);
    if (!Number.isFinite(this.#scan.largest)) {
      const hint = "Weights that are damaged or overflow give this; so does a bias that forbids every id.";
      throw new LiangError("bad_logits", `The largest logit is ${this.#scan.largest}, expected a number.`, { hint });
    }
  }
}
