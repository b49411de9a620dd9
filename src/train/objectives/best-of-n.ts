// The answer that is kept of several to one question: what rejection sampling fine-tunes on.
import { UsageError } from "../../base/errors.ts";

/** The index of the largest score, the first of equals. Throws UsageError where there is none, or one is no number. */
export function bestOf(scores: ArrayLike<number>): number {
  const list = Array.from(scores);
  const bad = list.findIndex((score) => Number.isNaN(score));
  if (list.length === 0 || bad >= 0) {
    const found = bad >= 0 ? `score ${bad} is NaN` : "there is no score";
    throw new UsageError(`The best of ${list.length} answers: ${found}, expected a number for each.`);
  }
  return list.indexOf(list.reduce((a, b) => Math.max(a, b)));
}
