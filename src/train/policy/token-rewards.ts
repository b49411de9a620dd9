// What places of a reply's text are worth, as what its tokens are worth: rewards that say where tell a model much more than
// one number for the whole (Wu et al. 2023, Fine-Grained Human Feedback Gives Better Rewards for Language Model Training).
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { PlaceReward } from "../rewards/reward-function.ts";

/**
 * One number for each id, the one that ended the reply included: a place's worth is that of the first token whose text goes
 * beyond it, or of the last token. Undefined where no place is told.
 */
export function tokenRewardsOf(
  tokenizer: Tokenizer,
  ids: readonly number[],
  places: readonly PlaceReward[] | undefined,
): Float32Array | undefined {
  if (places === undefined) return undefined;
  const lengths = ids.map((_, i) => tokenizer.decode(ids.slice(0, i + 1), { special: false, start: false }).length);
  const found = new Float32Array(ids.length);
  for (const { place, worth } of places) {
    const token = lengths.findIndex((length) => length > place);
    found[token < 0 ? ids.length - 1 : token] += worth;
  }
  return found;
}
