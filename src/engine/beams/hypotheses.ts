// Beam search without a model: of all continuations of the beginnings that go on, which go on next, which are whole, and when
// it is over. A whole reply's score is its log-probability over (its tokens, the end included) ^ length penalty. What is chosen
// and when it ends is as transformers has it (generation/utils.py, `_beam_search`). Not here: where scores come from.
import type { BeamSettings } from "../types.ts";

/** One id after one of the beginnings. */
export interface Continuation {
  /** Which beginning. */
  readonly lane: number;
  readonly id: number;
  /** Log-probability of all of it. */
  readonly score: number;
  /** Whether the id ends a reply. */
  readonly isEnd: boolean;
}

export interface Hypothesis {
  readonly ids: Int32Array;
  /** The end id after them, if there is one. */
  readonly endId: number | undefined;
  readonly score: number;
}

export class Hypotheses {
  readonly #settings: Required<BeamSettings>;
  readonly #longest: number;
  /** The best whole ones, best first. */
  #whole: Hypothesis[] = [];

  /** `longest`: the tokens that a reply may have. */
  constructor(settings: Required<BeamSettings>, longest: number) {
    this.#settings = settings;
    this.#longest = longest;
  }

  /**
   * After token `tokens` (from 1): the continuations that go on, as many as there are beams, best first; undefined when the
   * search is over. `continuations` hold the best of every beginning, ends besides. `idsOf` gives a beginning's ids so far.
   */
  step(
    continuations: readonly Continuation[],
    tokens: number,
    idsOf: (lane: number) => Int32Array,
  ): Continuation[] | undefined {
    const { count, earlyStopping } = this.#settings;
    const sorted = continuations.toSorted((a, b) => b.score - a.score);
    const isLast = tokens === this.#longest;
    // those that are less likely than `count` others are never whole: they are there so that enough go on
    const whole = sorted.slice(0, count).filter(({ isEnd }) => isEnd || isLast);
    this.#keep(whole.map((one) => this.#hypothesis(one, tokens, idsOf)));
    const running = sorted.filter(({ isEnd }) => !isEnd).slice(0, count);
    if (isLast || running.length === 0) return undefined;
    const isFull = this.#whole.length === count;
    if (isFull && (earlyStopping === true || !this.#mayImprove(running[0].score, tokens))) return undefined;
    return running;
  }

  /** The best whole reply; there is one once `step` gave undefined. */
  best(): Hypothesis {
    return this.#whole[0];
  }

  #hypothesis(
    { lane, id, score, isEnd }: Continuation,
    tokens: number,
    idsOf: (lane: number) => Int32Array,
  ): Hypothesis {
    const before = idsOf(lane);
    return {
      ids: isEnd ? before.slice() : Int32Array.of(...before, id),
      endId: isEnd ? id : undefined,
      score: score / tokens ** this.#settings.lengthPenalty,
    };
  }

  /** The best stay; of equal ones those that were there first. */
  #keep(whole: readonly Hypothesis[]): void {
    this.#whole = [...this.#whole, ...whole].sort((a, b) => b.score - a.score).slice(0, this.#settings.count);
  }

  /** Whether the likeliest beginning could be better than the worst whole reply: at the present length, or at the best one. */
  #mayImprove(score: number, tokens: number): boolean {
    const { lengthPenalty, earlyStopping } = this.#settings;
    const length = earlyStopping === "never" && lengthPenalty > 0 ? this.#longest : tokens;
    return score / length ** lengthPenalty > this.#whole.at(-1)!.score;
  }
}
