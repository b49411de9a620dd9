// What a recipe means before anything large is opened: the model, the data as tokens, steps and schedule, optimizers.
// Not here: running it (run.ts), what it would take (plan.ts).
import type { OnProgress } from "../base/progress.ts";
import { UsageError } from "../base/errors.ts";
import { joinPath } from "#platform";
import type { ParameterStore } from "../device/executor.ts";
import { openSplit, readTokenCard, tokenizeData } from "./data/tokenize.ts";
import { wordsFingerprint } from "./data/fingerprint.ts";
import { optimizersOf } from "./parameter-groups.ts";
import { type Recipe, scheduleOf, stepsOf } from "./recipe.ts";
import type { Schedule } from "./schedule.ts";
import { type StartModel, openStartModel } from "./start-model.ts";
import type { TrainerOptions } from "./trainer.ts";
import { type TrainingData, trainingData } from "./training-data.ts";

export interface PrepareOptions {
  readonly threads?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One owner; closing closes model files and data. */
export interface PreparedRun extends AsyncDisposable {
  readonly recipe: Recipe;
  readonly start: StartModel;
  /** Weights that are there; of a new model none. */
  readonly store: ParameterStore;
  readonly data: TrainingData;
  readonly schedule: Schedule;
  readonly trainer: TrainerOptions;
  /** What a person should know, a sentence each. */
  readonly notes: readonly string[];
}

const noWeights: ParameterStore = {
  parameters: new Map(),
  readRows: (name) => Promise.reject(new UsageError(`A new model has no weight ${name} to be read.`)),
};

/**
 * Opens model and data; data that was not tokenized for this model's words is, into its folder. Throws what these throw,
 * and UsageError for parts of the recipe that do not fit together.
 */
export async function prepareRun(recipe: Recipe, options: PrepareOptions = {}): Promise<PreparedRun> {
  const start = await openStartModel(recipe);
  const stores: Disposable[] = [];
  const close = async (): Promise<void> => {
    for (const store of stores) store[Symbol.dispose]();
    await start[Symbol.asyncDispose]();
  };
  try {
    const { window, rows } = recipe.batch;
    if (window > start.model.window) {
      throw new UsageError(`batch.window is ${window}, expected at most the model's window, ${start.model.window}.`, {
        field: "batch.window",
      });
    }
    if (recipe.stage === "sft" && start.chosen.from === "none") {
      throw new UsageError("The model has no chat template, so nothing tells where a question or a reply ends.", {
        field: "template",
        hint: "Give template in the recipe: a built-in one's name or Jinja text.",
      });
    }
    const { data, notes } = await openData(recipe, start, stores, options);
    const steps = stepsOf(recipe, data.batchesOfEpoch * rows);
    const { threads, signal } = options;
    return {
      recipe,
      start,
      store: start.store ?? noWeights,
      data,
      schedule: scheduleOf(recipe, steps),
      trainer: {
        rows,
        targets: rows,
        optimizerOf: optimizersOf(recipe, start.model),
        precision: recipe.precision,
        ...(threads !== undefined && { threads }),
        ...(signal !== undefined && { signal }),
      },
      notes,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openData(
  recipe: Recipe,
  { tokenizer, chosen: { template } }: StartModel,
  stores: Disposable[],
  { onProgress, signal }: PrepareOptions,
): Promise<{ data: TrainingData; notes: string[] }> {
  const notes: string[] = [];
  const words = { tokenizer, template };
  let card = await readTokenCard(recipe.data);
  if (card?.fingerprint !== wordsFingerprint(words)) {
    card = await tokenizeData(recipe.data, words, {
      ...(onProgress !== undefined && { onProgress }),
      ...(signal !== undefined && { signal }),
    });
    notes.push(`${recipe.data} was tokenized for this model: ${card.splits.train.tokens} tokens to train on.`);
  }
  if (card.refused.length > 0) {
    const { length } = card.refused;
    const where = joinPath(recipe.data, "tokens", "card.json");
    notes.push(`The chat template refuses ${length} of the conversations, named in ${where}.`);
  }
  const { train, validation } = card.splits;
  const open = async (split: "train" | "validation") => {
    const store = await openSplit(recipe.data, split);
    stores.push(store);
    return { store, sha256: card.splits[split].sha256 };
  };
  const held = validation.learnt > 0 ? await open("validation") : undefined;
  if (held === undefined) notes.push("The data holds nothing out, so nothing is validated.");
  if (train.learnt === 0) throw new UsageError(`${recipe.data} has no token to learn.`, { field: "data" });
  const data = trainingData(await open("train"), held, recipe, validation.learntBytes || undefined);
  return { data, notes };
}
