// What the poet's replies are worth in its last stage (grpo.jsonc), and what evaluate.ts counts: src/train/rewards/poem.ts
// over the whole corpus, and 0 for a reply that had to be cut off.
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { UsageError } from "../../src/base/errors.ts";
import { type CopyIndex, createCopyIndex } from "../../src/train/rewards/copying.ts";
import { isRegularForm } from "../../src/train/rewards/forms.ts";
import { faultPlaces } from "../../src/train/rewards/places.ts";
import { type PoemRequest, type PoemReward, poemReward } from "../../src/train/rewards/poem.ts";
import { checkRhyme } from "../../src/train/rewards/rhyme.ts";
import type { RewardFunction } from "../../src/train/rewards/reward-function.ts";
import type { Poem } from "./prepare.ts";

/** What being exact is worth; the rest is for how good the poem is besides. */
const EXACT = 0.5;
/** What a place where form or rhyme go wrong is worth besides. */
const FAULT = -1;

/** Every line and pair of neighbours of the prepared poems, those held out too. */
export async function readCorpus(folder: string): Promise<CopyIndex> {
  const index = createCopyIndex();
  for (const name of ["train.jsonl", "validation.jsonl"]) {
    for await (const line of createInterface({ input: createReadStream(join(folder, name)) })) {
      index.add((JSON.parse(line) as Poem).text);
    }
  }
  return index;
}

export interface JudgedPoem extends PoemReward {
  /** In the form that was asked for, with its rhyme, no character rhyming with itself, and ended by the poet. */
  readonly exact: boolean;
  /** Whether two neighbouring lines stand so in the corpus. */
  readonly copiesPair: boolean;
}

export function judgePoem(text: string, ended: boolean, request: PoemRequest, corpus: CopyIndex): JudgedPoem {
  const reward = poemReward(text, request, corpus);
  const { form, rhyme } = reward.parts;
  const exact =
    ended && form === 1 && rhyme === 1 && !(isRegularForm(request.form) && checkRhyme(text).repeats !== undefined);
  return {
    ...reward,
    total: ended ? EXACT * Number(exact) + (1 - EXACT) * reward.total : 0,
    exact,
    copiesPair: corpus.copiesIn(text).pairs.length > 0,
  };
}

/** `poems`: the folder that prepare.ts wrote. Rows are those of requests.jsonl. */
export async function openReward({ poems }: Readonly<Record<string, unknown>>): Promise<RewardFunction> {
  if (typeof poems !== "string") throw new UsageError("give poems, the folder that prepare.ts wrote");
  const corpus = await readCorpus(poems);
  return ({ reply, ended, row }) => {
    const request = row["request"] as PoemRequest;
    const { total, parts, exact } = judgePoem(reply, ended, request, corpus);
    const places = faultPlaces(reply, request.form).map((place) => ({ place, worth: FAULT }));
    return { whole: { total, exact: Number(exact), ...parts }, places };
  };
}
