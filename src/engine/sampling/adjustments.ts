// Steps that move single logits: bias, then repetition, presence and frequency penalties. They act on the row in place,
// with a list of what was there, so that `restore` gives the raw row back and nothing of size V is copied.
import type { SamplingSettings } from "../types.ts";

export class Adjustments {
  /** How often each id was seen; all zero between calls. Allocated when a penalty is first used. */
  #counts: Int32Array | undefined;
  readonly #vocabularySize: number;
  readonly #ids: number[] = [];
  readonly #raw: number[] = [];

  constructor(vocabularySize: number) {
    this.#vocabularySize = vocabularySize;
  }

  /** Whose logits are moved now. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Applies the steps to `row` (V) for a sequence that holds `history`. */
  apply(row: Float32Array, history: Int32Array, settings: SamplingSettings): void {
    for (const id in settings.logitBias) this.#set(row, Number(id), row[Number(id)] + settings.logitBias[id]);
    if (settings.repetitionPenalty !== 1 || settings.presencePenalty !== 0 || settings.frequencyPenalty !== 0) {
      this.#penalise(row, history, settings);
    }
  }

  /** Undoes `apply`. */
  restore(row: Float32Array): void {
    // backwards: an id may have been moved twice
    for (let i = this.#ids.length - 1; i >= 0; i--) row[this.#ids[i]] = this.#raw[i];
    this.#ids.length = 0;
    this.#raw.length = 0;
  }

  #penalise(row: Float32Array, history: Int32Array, settings: SamplingSettings): void {
    const { repetitionPenalty, presencePenalty, frequencyPenalty, penaltyTokens } = settings;
    const counts = (this.#counts ??= new Int32Array(this.#vocabularySize));
    const first = penaltyTokens === -1 ? 0 : Math.max(0, history.length - penaltyTokens);
    for (let i = first; i < history.length; i++) counts[history[i]]++;
    for (let i = first; i < history.length; i++) {
      const id = history[i];
      if (counts[id] === 0) continue; // done at its first place
      const logit = row[id] < 0 ? row[id] * repetitionPenalty : row[id] / repetitionPenalty;
      this.#set(row, id, logit - presencePenalty - frequencyPenalty * counts[id]);
      counts[id] = 0;
    }
  }

  #set(row: Float32Array, id: number, logit: number): void {
    this.#ids.push(id);
    this.#raw.push(row[id]);
    row[id] = logit;
  }
}
