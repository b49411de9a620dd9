// The ids that may still be chosen, in order of ids, with score (logit / temperature, the largest is 0) and weight
// (exp of the score). `collect` takes from the row no more than the settings can need; the steps then narrow the list
// in the order that transformers has: top-k, top-p, min-p, typical-p.
import type { SamplingSettings } from "../types.ts";
import type { RowScan } from "./row-scan.ts";
import { cutAtMass, kthLargest } from "./select.ts";

export class Candidates {
  readonly #vocabularySize: number;
  ids = new Int32Array(1024);
  scores = new Float64Array(1024);
  weights = new Float64Array(1024);
  /** Keys and weights that selections may reorder. */
  #keys = new Float64Array(1024);
  #masses = new Float64Array(1024);
  count = 0;

  constructor(vocabularySize: number) {
    this.#vocabularySize = vocabularySize;
  }

  /** Fills the list with what the settings leave of the row in `scan`; settings.temperature > 0. */
  narrow(scan: RowScan, settings: SamplingSettings): void {
    const { temperature, topK, topP, minP, typicalP } = settings;
    if (topK > 0) {
      this.#collect(scan, scan.boundOfBest(topK), temperature);
      this.#keepBest(topK);
      if (topP < 1) this.#keepMass(topP * this.total());
    } else if (topP < 1) {
      this.#collectMass(scan, topP, temperature);
    } else {
      // without top-k and top-p nothing below min-p's bound can matter; e^-1e-9: rounding is left to the exact check
      const bound = minP > 0 ? scan.largest + temperature * (Math.log(minP) - 1e-9) : -Infinity;
      this.#collect(scan, bound, temperature);
    }
    if (minP > 0) this.#keep((i) => this.weights[i] >= minP); // the most likely has weight 1
    if (typicalP < 1) this.#keepTypical(typicalP);
  }

  /** Sum of the weights. */
  total(): number {
    let total = 0;
    for (let i = 0; i < this.count; i++) total += this.weights[i];
    return total;
  }

  /** Probabilities (V); 0 where an id is not in the list. */
  probabilities(): Float64Array {
    const total = this.total();
    const all = new Float64Array(this.#vocabularySize);
    for (let i = 0; i < this.count; i++) all[this.ids[i]] = this.weights[i] / total;
    return all;
  }

  /** Inverse transform: the first id whose cumulative probability, in order of ids, exceeds u in [0, 1). */
  draw(u: number): number {
    const target = u * this.total();
    let cumulative = 0;
    for (let i = 0; i < this.count; i++) {
      cumulative += this.weights[i];
      if (cumulative > target) return this.ids[i];
    }
    return this.ids[this.count - 1]; // not reached: target < total, added in the same order
  }

  /** Every id whose logit reaches the bound. */
  #collect(scan: RowScan, bound: number, temperature: number): void {
    this.count = 0;
    const { largest } = scan;
    scan.forEachFrom(bound, (id, logit) => {
      if (this.count === this.ids.length) this.#grow();
      const score = (logit - largest) / temperature;
      this.ids[this.count] = id;
      this.scores[this.count] = score;
      this.weights[this.count++] = Math.exp(score);
    });
  }

  /** Top-p of the whole row: the sum is over all, but the list holds all only when a few of the best do not suffice. */
  #collectMass(scan: RowScan, topP: number, temperature: number): void {
    const { largest } = scan;
    let total = 0;
    scan.forEachFrom(-Infinity, (_, logit) => (total += Math.exp((logit - largest) / temperature)));
    this.#collect(scan, scan.boundOfBest(256), temperature);
    if (this.total() < topP * total) this.#collect(scan, -Infinity, temperature);
    this.#keepMass(topP * total);
  }

  /** Top-k: what is as likely as the k-th stays, so ties do not depend on order. */
  #keepBest(k: number): void {
    if (k >= this.count) return;
    this.#keys.set(this.scores.subarray(0, this.count));
    const bound = kthLargest(this.#keys, this.count, k);
    this.#keep((i) => this.scores[i] >= bound);
  }

  /** Top-p (Holtzman et al. 2020): the most likely, up to and with the first at which the sum reaches `mass`. */
  #keepMass(mass: number): void {
    this.#keepByKey((i) => -this.scores[i], mass);
  }

  /** Locally typical sampling (Meister et al. 2022): those whose surprise is nearest to the entropy. */
  #keepTypical(typicalP: number): void {
    const total = this.total();
    const logTotal = Math.log(total);
    let entropy = 0;
    for (let i = 0; i < this.count; i++) {
      const weight = this.weights[i];
      if (weight > 0) entropy += (weight / total) * (logTotal - this.scores[i]);
    }
    this.#keepByKey((i) => Math.abs(logTotal - this.scores[i] - entropy), typicalP * total);
  }

  /** Keeps the smallest keys, up to and with the first at which their weights reach `mass`; its ties stay too. */
  #keepByKey(key: (index: number) => number, mass: number): void {
    for (let i = 0; i < this.count; i++) this.#keys[i] = key(i);
    this.#masses.set(this.weights.subarray(0, this.count));
    const cut = cutAtMass(this.#keys, this.#masses, this.count, mass);
    this.#keep((i) => key(i) <= cut);
  }

  #keep(keeps: (index: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (!keeps(i)) continue;
      this.ids[kept] = this.ids[i];
      this.scores[kept] = this.scores[i];
      this.weights[kept++] = this.weights[i];
    }
    this.count = kept;
  }

  #grow(): void {
    const capacity = 4 * this.ids.length;
    const { ids, scores, weights } = this;
    this.ids = new Int32Array(capacity);
    this.ids.set(ids);
    this.scores = new Float64Array(capacity);
    this.scores.set(scores);
    this.weights = new Float64Array(capacity);
    this.weights.set(weights);
    this.#keys = new Float64Array(capacity);
    this.#masses = new Float64Array(capacity);
  }
}
