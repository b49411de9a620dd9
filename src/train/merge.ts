// An adapter folded into its model: a folder that has the same function without one. What was written is opened again and
// held against the model with the adapter beside it, by logits, before it gets its name. Not here: the GGUF beside it (cli/).
import { FormatError, UsageError } from "../base/errors.ts";
import type { OnProgress } from "../base/progress.ts";
import { fileFacts, joinPath, makeFolder, move, readText, remove } from "#platform";
import type { Executor, ParameterStore } from "../device/executor.ts";
import { type AdapterTables, readAdapterTables } from "../engine/adapter-tables.ts";
import { roomFor } from "../engine/adapters.ts";
import { openEngine, openFileStore, readModelFiles } from "../engine/index.ts";
import { openAdapterFiles, openModelFiles } from "../format/open-model-files.ts";
import type { Model } from "../models/index.ts";
import { writeTrained } from "./checkpoint.ts";
import { wordsFingerprint } from "./data/fingerprint.ts";
import { type ScaledAdapter, mergedStore } from "./merged-adapter.ts";
import { type SavedType, currentValues } from "./saved-tensors.ts";
import { type StartModel, openStartModel } from "./start-model.ts";
import { modelFiles } from "./trained-files.ts";

export interface MergeOptions {
  /** What weights are written as; default f32. */
  readonly type?: SavedType | undefined;
  readonly force?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface MergeReport {
  readonly path: string;
  /** Projections that the adapter changed. */
  readonly projections: number;
  readonly logits: {
    /** Positions whose logits were compared, all of the vocabulary. */
    readonly positions: number;
    readonly largestDifference: number;
    readonly allowed: number;
  };
}

/**
 * Largest difference of logits, as a share of the largest: in f32 what sums in another order round; in bf16 weights keep 8
 * bits, which moves each by up to 2^-9 of it, and logits of the models that were merged by up to a hundredth.
 */
const TOLERANCE = { f32: 2 ** -13, bf16: 2 ** -5 } as const satisfies Record<SavedType, number>;
const POSITIONS = 16;
const NOTES_BYTES_MAX = 1 << 20;

/**
 * Writes the folder `to`. Throws UsageError where something is there already or the adapter was made for another model's
 * words, FormatError where the merged model's logits are not those of the adapter; then nothing is left behind.
 */
export async function mergeAdapter(
  base: string,
  adapter: string,
  to: string,
  executor: Executor,
  options: MergeOptions = {},
): Promise<MergeReport> {
  const { type = "f32", force = false, signal } = options;
  if ((await fileFacts(to)) !== undefined && !force) {
    throw new UsageError(`${to} is there already.`, { hint: "--force replaces it." });
  }
  await using start = await openStartModel({ model: base });
  const { model, store } = start as StartModel & { readonly store: ParameterStore };
  await checkWords(adapter, start);
  await using files = await openAdapterFiles(adapter);
  const tables = await readAdapterTables(files, model, store, signal);
  const merged = mergedStore(store, scaled(tables));
  const unchecked = `${to}.unchecked`;
  await remove(unchecked); // of a merge that was killed
  try {
    await makeFolder(unchecked);
    await writeTrained(
      unchecked,
      modelFiles(start, (name) => currentValues({}, merged, name), type),
    );
    const logits = await compareLogits(unchecked, model, store, tables, executor, TOLERANCE[type], options);
    await remove(to);
    await move(unchecked, to);
    return { path: to, projections: tables.projections.size, logits };
  } finally {
    await remove(unchecked);
  }
}

/** Of factors that have been multiplied already. */
const scaled = ({ projections }: AdapterTables): Map<string, ScaledAdapter> =>
  new Map(
    [...projections].map(([name, { rank, a, b, turn }]) => [name, { scaling: { rank, alpha: rank }, a, b, turn }]),
  );

/** An adapter that Liang trained says for which words: vocabulary, special tokens, template. */
async function checkWords(adapter: string, { tokenizer, chosen: { template } }: StartModel): Promise<void> {
  const path = joinPath(adapter, "liang.json");
  if ((await fileFacts(path))?.kind !== "file") return;
  const { words } = JSON.parse(await readText(path, NOTES_BYTES_MAX)) as { readonly words?: unknown };
  const own = (await fileFacts(joinPath(adapter, "chat_template.jinja"))) !== undefined;
  if (own || words === wordsFingerprint({ tokenizer, template })) return;
  throw new UsageError(`${adapter} was trained with another vocabulary or chat template than this model has.`, {
    hint: "Merge it into the model that it was trained beside: adapter_config.json names it.",
  });
}

async function compareLogits(
  path: string,
  model: Model,
  store: ParameterStore,
  tables: AdapterTables,
  executor: Executor,
  tolerance: number,
  { threads, onProgress, signal }: MergeOptions,
): Promise<MergeReport["logits"]> {
  const positions = Math.min(POSITIONS, model.window);
  // spread over the vocabulary by the golden ratio
  const ids = Int32Array.from({ length: positions }, (_, i) =>
    Math.floor((((i + 1) * 0.618034) % 1) * model.vocabularySize),
  );
  const logitsOf = async (its: Model, from: ParameterStore, adapter?: AdapterTables): Promise<Float32Array> => {
    await using engine = await openEngine(its, from, executor, {
      window: Math.max(2, positions),
      slots: 1,
      kvType: "f32",
      precision: "f32",
      ...(adapter !== undefined && { adapters: roomFor(its, [adapter]) }),
      ...(threads !== undefined && { threads }),
      ...(onProgress !== undefined && { onProgress }),
      ...(signal !== undefined && { signal }),
    });
    const attached = adapter === undefined ? undefined : await engine.attach(adapter);
    return await engine.logits(ids, { adapter: attached, ...(signal !== undefined && { signal }) });
  };
  const expected = await logitsOf(model, store, tables);
  await using files = await openModelFiles(path);
  const written = await readModelFiles(files);
  const found = await logitsOf(written, openFileStore(files, written));
  const allowed = tolerance * expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let largestDifference = 0;
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(found[i] - value);
    if (!(difference <= allowed)) {
      throw new FormatError(
        path,
        `logit ${i}`,
        found[i],
        `${value} to ${allowed}, as with the adapter beside the model`,
      );
    }
    largestDifference = Math.max(largestDifference, difference);
  }
  return { positions, largestDifference, allowed };
}
