// Finds the largest logits of a row without sorting it: the peak of every block is given with the row, or one pass finds
// it, and whoever asks for the k best or for all above a threshold reads only the blocks whose peak reaches it.
import { LOGIT_BLOCK as BLOCK } from "../../models/trace.ts";
import { kthLargest } from "./select.ts";

export class RowScan {
  readonly #peaks: Float32Array;
  readonly #scratch: Float64Array;
  #row: Float32Array = new Float32Array(0);
  /** The largest logit; -Infinity when the row holds none above that. */
  largest = -Infinity;

  constructor(vocabularySize: number) {
    this.#peaks = new Float32Array(Math.ceil(vocabularySize / BLOCK));
    this.#scratch = new Float64Array(this.#peaks.length);
  }

  /**
   * Reads `row` (V); the other methods then answer about it, until it changes. One NaN makes `largest` NaN. `given`: the
   * peaks of its blocks as they were before the logits of the ids `moved` changed.
   */
  read(row: Float32Array, given?: Float32Array, moved: readonly number[] = []): void {
    const peaks = this.#peaks;
    this.#row = row;
    if (given === undefined || moved.length >= peaks.length) {
      for (let block = 0; block < peaks.length; block++) peaks[block] = this.#peakOf(block);
    } else {
      peaks.set(given);
      for (const id of moved) peaks[Math.floor(id / BLOCK)] = this.#peakOf(Math.floor(id / BLOCK));
    }
    let largest = -Infinity;
    for (let block = 0; block < peaks.length; block++) largest = Math.max(largest, peaks[block]);
    this.largest = largest;
  }

  #peakOf(block: number): number {
    const row = this.#row;
    const end = Math.min(row.length, (block + 1) * BLOCK);
    let peak = -Infinity;
    for (let i = block * BLOCK; i < end; i++) peak = Math.max(peak, row[i]);
    return peak;
  }

  /** The first id with the largest logit. */
  best(): number {
    return this.#row.indexOf(this.largest, this.#peaks.indexOf(this.largest) * BLOCK);
  }

  /** A threshold that at least the k best reach, and not many more; -Infinity when there are fewer blocks than k. */
  boundOfBest(k: number): number {
    if (k > this.#peaks.length) return -Infinity;
    this.#scratch.set(this.#peaks);
    return kthLargest(this.#scratch, this.#scratch.length, k); // k blocks each hold one logit as large
  }

  /** As many as `collect` may find at most. */
  room(threshold: number): number {
    let blocks = 0;
    for (const peak of this.#peaks) if (peak >= threshold) blocks++;
    return blocks * BLOCK;
  }

  /** Writes every finite logit >= threshold and its id, in order of ids; returns how many there are. */
  collect(threshold: number, ids: Int32Array, logits: Float64Array): number {
    const row = this.#row;
    let count = 0;
    for (let block = 0; block < this.#peaks.length; block++) {
      if (this.#peaks[block] < threshold) continue;
      const end = Math.min(row.length, (block + 1) * BLOCK);
      for (let id = block * BLOCK; id < end; id++) {
        const logit = row[id];
        if (logit < threshold || !(logit > -Infinity)) continue;
        ids[count] = id;
        logits[count++] = logit;
      }
    }
    return count;
  }
}
