// The ids that may still be chosen, in order of ids, with score (logit / temperature, the largest is 0) and weight
// (exp of the score). `narrow` takes from the row no more than the settings can need, and then goes through the steps
// in the order that transformers has: top-k, top-p, min-p, typical-p.
import type { SamplingSettings } from "../types.ts";
import type { RowScan } from "./row-scan.ts";
import { cutAtMass, kthLargest } from "./select.ts";

/** Top-p alone first tries whether so many of the best hold the mass: a language model's mostly do. */
const NUCLEUS_GUESS = 256;

export class Candidates {
  readonly #vocabularySize: number;
  #ids = new Int32Array(0);
  #scores = new Float64Array(0);
  #weights = new Float64Array(0);
  /** What a step orders the ids by, and what selections may reorder. */
  #traits = new Float64Array(0);
  #keys = new Float64Array(0);
  #masses = new Float64Array(0);
  #count = 0;

  constructor(vocabularySize: number) {
    this.#vocabularySize = vocabularySize;
  }

  /** Makes the list what the settings leave of the row in `scan`; settings.temperature > 0. */
  narrow(scan: RowScan, { temperature, topK, topP, minP, typicalP }: SamplingSettings): void {
    if (topK > 0) {
      this.#collect(scan, scan.boundOfBest(topK), temperature);
      this.#keepBest(topK);
      this.#weigh();
      if (topP < 1) this.#keepMass(this.#scores, topP * this.#total());
    } else if (topP < 1) {
      this.#collect(scan, -Infinity, temperature);
      this.#weigh();
      this.#keepNucleus(topP, (scan.boundOfBest(NUCLEUS_GUESS) - scan.largest) / temperature);
    } else {
      // without top-k and top-p nothing below min-p's bound can matter; 1e-9: rounding is left to the exact check
      const bound = minP > 0 ? scan.largest + temperature * (Math.log(minP) - 1e-9) : -Infinity;
      this.#collect(scan, bound, temperature);
      this.#weigh();
    }
    if (minP > 0) this.#keepFrom(this.#weights, minP); // the most likely has weight 1
    if (typicalP < 1) this.#keepTypical(typicalP);
  }

  /** Inverse transform: the first id whose cumulative probability, in order of ids, exceeds u in [0, 1). */
  draw(u: number): number {
    const target = u * this.#total();
    let cumulative = 0;
    for (let i = 0; i < this.#count; i++) {
      cumulative += this.#weights[i];
      if (cumulative > target) return this.#ids[i];
    }
    return this.#ids[this.#count - 1]; // not reached: target < total, added in the same order
  }

  /** Probabilities (V); 0 where an id is not in the list. */
  probabilities(): Float64Array {
    const total = this.#total();
    const all = new Float64Array(this.#vocabularySize);
    for (let i = 0; i < this.#count; i++) all[this.#ids[i]] = this.#weights[i] / total;
    return all;
  }

  /** Every id whose logit reaches the bound, with its score; weights are for `#weigh`. */
  #collect(scan: RowScan, bound: number, temperature: number): void {
    const room = scan.room(bound);
    if (room > this.#ids.length) this.#allocate(room);
    this.#count = scan.collect(bound, this.#ids, this.#scores);
    for (let i = 0; i < this.#count; i++) this.#scores[i] = (this.#scores[i] - scan.largest) / temperature;
  }

  #weigh(): void {
    for (let i = 0; i < this.#count; i++) this.#weights[i] = Math.exp(this.#scores[i]);
  }

  #total(): number {
    let total = 0;
    for (let i = 0; i < this.#count; i++) total += this.#weights[i];
    return total;
  }

  /** Top-k: what is as likely as the k-th stays, so ties do not depend on order. */
  #keepBest(k: number): void {
    if (k >= this.#count) return;
    this.#keys.set(this.#scores.subarray(0, this.#count));
    this.#keepFrom(this.#scores, kthLargest(this.#keys, this.#count, k));
  }

  /** Top-p (Holtzman et al. 2020) of all ids: at once of those with at least `guess` as score if they hold the mass. */
  #keepNucleus(topP: number, guess: number): void {
    const mass = topP * this.#total();
    let likely = 0;
    for (let i = 0; i < this.#count; i++) if (this.#scores[i] >= guess) likely += this.#weights[i];
    if (likely >= mass) this.#keepFrom(this.#scores, guess);
    this.#keepMass(this.#scores, mass);
  }

  /** Locally typical sampling (Meister et al. 2022): those whose surprise is nearest to the entropy. */
  #keepTypical(typicalP: number): void {
    const total = this.#total();
    const logTotal = Math.log(total);
    let entropy = 0;
    for (let i = 0; i < this.#count; i++) {
      const weight = this.#weights[i];
      if (weight > 0) entropy += (weight / total) * (logTotal - this.#scores[i]); // 0 where both are extreme
    }
    for (let i = 0; i < this.#count; i++) this.#traits[i] = -Math.abs(logTotal - this.#scores[i] - entropy);
    this.#keepMass(this.#traits, typicalP * total);
  }

  /** Keeps the largest by `values`, up to and with the first at which their weights reach `mass`; its ties stay too. */
  #keepMass(values: Float64Array, mass: number): void {
    for (let i = 0; i < this.#count; i++) this.#keys[i] = -values[i];
    this.#masses.set(this.#weights.subarray(0, this.#count));
    this.#keepFrom(values, -cutAtMass(this.#keys, this.#masses, this.#count, mass));
  }

  /** Keeps those whose entry of `values` (one of the arrays here) is at least `least`. */
  #keepFrom(values: Float64Array, least: number): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      if (values[i] < least) continue;
      this.#ids[kept] = this.#ids[i];
      this.#scores[kept] = this.#scores[i];
      this.#weights[kept++] = this.#weights[i];
    }
    this.#count = kept;
  }

  #allocate(room: number): void {
    this.#ids = new Int32Array(room);
    this.#scores = new Float64Array(room);
    this.#weights = new Float64Array(room);
    this.#traits = new Float64Array(room);
    this.#keys = new Float64Array(room);
    this.#masses = new Float64Array(room);
  }
}
