// What a recipe means before anything large is opened: the model, the data as tokens, steps and schedule, optimizers.
// Not here: running it (run.ts), what it would take (plan.ts).
import type { OnProgress } from "../base/progress.ts";
import { UsageError } from "../base/errors.ts";
import { joinPath } from "#platform";
import type { ParameterStore } from "../device/executor.ts";
import { openSplit, readTokenCard, tokenizeData, tokensFolder } from "./data/tokenize.ts";
import { wordsFingerprint } from "./data/fingerprint.ts";
import { type AdapterPlan, adapterOf } from "./adapter.ts";
import { withSquares } from "./initial-adapter.ts";
import { optimizersOf } from "./parameter-groups.ts";
import { type Recipe, scheduleOf, stepsOf } from "./recipe.ts";
import type { Schedule } from "./schedule.ts";
import { type StartModel, openStartModel } from "./start-model.ts";
import type { TrainerOptions } from "./trainer.ts";
import { stageOf } from "./stages/registry.ts";
import type { StageParts } from "./stages/stage.ts";
import type { TrainingData } from "./training-data.ts";
import { checkTrainable } from "./trainable.ts";

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
  /** What is trained instead of weights of the model. */
  readonly adapter?: AdapterPlan | undefined;
  /** Of models that stay open beside the one that is trained. */
  readonly besideBytes: number;
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
  const owned = new AsyncDisposableStack();
  owned.use(start);
  const close = (): Promise<void> => owned.disposeAsync();
  try {
    checkTrainable(start.model);
    const { window, rows } = recipe.batch;
    if (window > start.model.window) {
      throw new UsageError(`batch.window is ${window}, expected at most the model's window, ${start.model.window}.`, {
        field: "batch.window",
      });
    }
    if (stageOf(recipe).speaks && start.chosen.from === "none") {
      throw new UsageError("The model has no chat template, so nothing tells where a question or a reply ends.", {
        field: "template",
        hint: "Give template in the recipe: a built-in one's name or Jinja text.",
      });
    }
    const { objective, data, bounds, besideBytes = 0, notes = [] } = await openStage(recipe, start, owned, options);
    if (start.model.bothDirections === true && objective.bothDirections === undefined) {
      throw new UsageError(`The model (${start.model.family}) sees what comes next, so it cannot learn to tell it.`, {
        field: "objective.name",
        hint: "It learns to find hidden tokens (pretrain by mlm), or embeddings (embed).",
      });
    }
    const steps = stepsOf(recipe, data.batchesOfEpoch * rows);
    const { threads, signal } = options;
    const adapter = recipe.adapter === undefined ? undefined : adapterOf(recipe.adapter, start.model);
    return {
      recipe,
      start,
      store: storeOf(start, adapter),
      adapter,
      data,
      schedule: scheduleOf(recipe, steps),
      trainer: {
        rows,
        targets: rows,
        ...bounds,
        objective,
        optimizerOf: optimizersOf(recipe, start.model),
        ...(adapter !== undefined && { adapter: adapter.settings }),
        ...(recipe.experts !== undefined && { balance: recipe.experts }),
        precision: recipe.precision,
        ...(threads !== undefined && { threads }),
        ...(signal !== undefined && { signal }),
      },
      besideBytes,
      notes,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function storeOf({ store }: StartModel, adapter: AdapterPlan | undefined): ParameterStore {
  if (store === undefined) return noWeights;
  return adapter?.settings.magnitude === true ? withSquares(store, adapter.projections) : store;
}

async function openStage(
  recipe: Recipe,
  start: StartModel,
  owned: AsyncDisposableStack,
  { onProgress, signal }: PrepareOptions,
): Promise<StageParts> {
  const {
    tokenizer,
    chosen: { template },
  } = start;
  const notes: string[] = [];
  const words = { tokenizer, template };
  const stage = stageOf(recipe);
  const own = (resource: AsyncDisposable | Disposable): void => void owned.use(resource);
  if (stage.reading === "prompts") return await stage.open({ recipe, start, own });
  const { reading } = stage;
  let card = await readTokenCard(recipe.data, reading);
  if (card?.fingerprint !== wordsFingerprint(words)) {
    card = await tokenizeData(recipe.data, words, {
      reading,
      ...(onProgress !== undefined && { onProgress }),
      ...(signal !== undefined && { signal }),
    });
    notes.push(`${recipe.data} was tokenized for this model: ${card.splits.train.tokens} tokens to train on.`);
  }
  if (card.refused.length > 0) {
    const { length } = card.refused;
    const where = joinPath(tokensFolder(recipe.data, reading), "card.json");
    notes.push(
      `${length} records are not learnt (what is wrong with each is in ${where}); the first: ${card.refused[0].reason}`,
    );
  }
  const { train, validation } = card.splits;
  const open = async (split: "train" | "validation") => {
    const store = await openSplit(recipe.data, split, reading);
    owned.use(store);
    return { store, sha256: card.splits[split].sha256 };
  };
  const held = validation.learnt > 0 ? await open("validation") : undefined;
  if (held === undefined) notes.push("The data holds nothing out, so nothing is validated.");
  if (train.learnt === 0) {
    const why = card.refused[0]?.reason ?? "there is nothing in it";
    throw new UsageError(`${recipe.data} has nothing that ${recipe.stage} learns: ${why}`, { field: "data" });
  }
  const parts = await stage.open({
    recipe,
    start,
    train: await open("train"),
    held,
    counts: card.splits,
    own,
  });
  return { ...parts, notes: [...notes, ...(parts.notes ?? [])] };
}
