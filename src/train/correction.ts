// The correction loop: what a person said of replies (good, bad, better so) becomes pairs, and a recipe that learns from
// them. Not here: the run (run.ts), how the model stands before and after (judgement.ts).
import { UsageError } from "../base/errors.ts";
import { openModelParts } from "../chat/model-parts.ts";
import { resolveModel } from "../chat/resolve.ts";
import type { DataCard } from "./data/data-card.ts";
import { rowsOfDocument } from "./data/groups.ts";
import { type PrepareOptions, prepareData } from "./data/prepare.ts";
import type { PreferenceRecord } from "./data/record.ts";
import { documentRows, openSplit, tokenizeData } from "./data/tokenize.ts";
import { documentsOf } from "./data/token-store.ts";
import { joinPath } from "#platform";
import { type Recipe, parseRecipe } from "./recipe.ts";
import { stageObjectives } from "./stages/settings.ts";

/** How marks are learnt: `sft` takes the better answers as text, all others compare. */
export const correctionWays = ["sft", ...stageObjectives.dpo] as const;
export type CorrectionWay = (typeof correctionWays)[number];

/** A step holds two of the longest pairs and more of shorter ones: there are few marks, and many small steps. */
const ROWS_OF_PAIRS = 4;

export interface MarkCounts {
  /** With a better answer beside the worse. */
  readonly rewritten: number;
  readonly good: number;
  readonly bad: number;
  readonly heldOut: number;
}

/** Marks → the prepared folder `folder`. Throws what `prepareData` throws, and UsageError where no line is a mark. */
export async function prepareMarks(
  files: readonly string[],
  folder: string,
  options: Pick<PrepareOptions, "validationShare" | "seed" | "signal" | "onProgress"> = {},
): Promise<{ card: DataCard; counts: MarkCounts }> {
  // a person may mark replies that are nearly alike, and means each
  const card = await prepareData(files, folder, { validationShare: 0.2, ...options, alike: 1, force: true });
  const counts = { rewritten: 0, good: 0, bad: 0, heldOut: card.total.validation.documents };
  for (const split of ["train", "validation"]) {
    for await (const row of documentRows(joinPath(folder, `${split}.jsonl`))) {
      if (!("prompt" in row)) {
        throw new UsageError(`Line ${row.line} of ${card.sources[row.source].path} is no mark.`, {
          hint: "A line is {messages, reply, mark, rewrite?}; see docs/training.md.",
        });
      }
      const { chosen, rejected }: PreferenceRecord = row;
      counts[rejected === undefined ? "good" : chosen === undefined ? "bad" : "rewritten"]++;
    }
  }
  return { card, counts };
}

/**
 * Tokenizes the pairs of prepared marks for a model, and gives the tokens of the longest question with its answer that the
 * model's window holds. Throws as opening a model does.
 */
export async function longestMark(model: string, folder: string, signal?: AbortSignal): Promise<number> {
  await using parts = await openModelParts(await resolveModel(model));
  const words = { tokenizer: parts.tokenizer, template: parts.chosen.template };
  await tokenizeData(folder, words, { reading: "pairs", ...(signal !== undefined && { signal }) });
  let longest = 1;
  for (const split of ["train", "validation"] as const) {
    using store = await openSplit(folder, split, "pairs");
    for (let document = 0; document < documentsOf(store); document++) {
      longest = Math.max(longest, rowsOfDocument(store, document));
    }
  }
  return Math.min(longest, parts.model.window);
}

/** Pairs are compared; where most marks are of one answer alone, only kto learns from all. */
export const wayFor = ({ rewritten, good, bad }: MarkCounts): CorrectionWay =>
  rewritten >= good + bad ? "dpo" : "kto";

/** The recipe of a correction, which `settings` change. Throws as parseRecipe does. */
export function correctionRecipe(
  { model, data, way, window }: { model: string; data: string; way: CorrectionWay; window: number },
  settings: readonly string[] = [],
): Recipe {
  const rate = way === "sft" ? 1e-5 : 5e-6; // what a model knows is to stay
  const recipe = {
    stage: way === "sft" ? "sft" : "dpo",
    ...(way !== "sft" && { objective: { name: way } }),
    model,
    data,
    epochs: 5,
    batch: { window, rows: ROWS_OF_PAIRS * window, tokens: ROWS_OF_PAIRS * window },
    optimizer: { matrices: { name: "adamw", rate }, others: { name: "adamw", rate } },
    validate: { every: 10 },
    checkpoint: { every: 50, keep: 1 },
  };
  return parseRecipe("the correction", JSON.stringify(recipe), settings);
}
