// Texts of which some tokens are hidden, to be found again. Which ones is a pure function of the recipe's seed and the
// batch's number; of what is held out the same ones every time.
import { UsageError } from "../base/errors.ts";
import type { MicroBatch } from "./micro-batch.ts";
import { type MaskSettings, maskTokens } from "./objectives/masked-tokens.ts";
import type { StageInput } from "./stages/stage.ts";
import { type TrainingData, trainingData } from "./training-data.ts";

/** The seed of what is held out. */
const HELD_SEED = 0x6d61736b;
/** Batches of a run at most; beyond them tries are numbered. */
const TRIES = 2 ** 20;

/** `share`: of the tokens that are to be found. Throws UsageError where the tokenizer has no token that hides others. */
export function maskedData({ recipe, start, train, held }: StageInput, share: number): TrainingData {
  const { tokenizer, model } = start;
  const { mask } = tokenizer.specials;
  if (mask === undefined) {
    throw new UsageError("The tokenizer has no token that stands for a hidden one, such as [MASK].", {
      field: "tokenizer",
    });
  }
  const settings: MaskSettings = {
    maskId: mask,
    vocabularySize: model.vocabularySize,
    share,
    keeps: (id) => tokenizer.isSpecial(id),
  };
  const texts = trainingData(train, held, recipe);
  const { batch, seed } = recipe;
  const ofStep = batch.tokens / batch.rows;
  return {
    ...texts,
    updates: (step) => [texts.batches(step).map((one, i) => masked(one, settings, seed, step * ofStep + i))],
    *validation() {
      let index = 0;
      for (const one of texts.validation()) yield masked(one, settings, HELD_SEED, index++);
    },
    inNats: false, // hidden tokens are not a text's
    validationBytes: undefined,
  };
}

/** The batch with tokens hidden, one at least. */
function masked(
  { ids, positions, starts }: MicroBatch,
  settings: MaskSettings,
  seed: number,
  index: number,
): MicroBatch {
  for (let attempt = 0; ; attempt++) {
    // a batch of special tokens alone has none to hide: then any will do
    const chosen = attempt < 8 ? settings : { ...settings, keeps: () => false };
    const { ids: read, outputRows, targets } = maskTokens(ids, chosen, seed, index + attempt * TRIES);
    if (outputRows.length === 0) continue;
    return { ids: read, positions, starts, outputRows, targets, weights: new Float32Array(outputRows.length).fill(1) };
  }
}
