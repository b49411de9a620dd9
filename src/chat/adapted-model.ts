// A loaded model and others over the same weights, each with an adapter: files → tables → a model that talks. Not here: how
// an engine makes room for them (adaptable-engine.ts), what is computed (nn/lora.ts).
import { splitPath } from "#platform";
import { UnsupportedError } from "../base/errors.ts";
import { sum } from "../base/collections.ts";
import { type AdapterTables, readAdapterTables } from "../engine/adapter-tables.ts";
import { openAdapterFiles } from "../format/open-model-files.ts";
import type { AdaptableEngine } from "./adaptable-engine.ts";
import { createLanguageModel } from "./language-model.ts";
import type { ModelParts } from "./model-parts.ts";
import type { Reader } from "./reading/reader.ts";
import type { AdapterInfo, AttachOptions, LanguageModel, ModelInfo } from "./types.ts";

/** An adapter that was read for a model. */
export interface ReadAdapter {
  readonly path: string;
  readonly tables: AdapterTables;
}

/** Throws NotFoundError, FormatError and UnsupportedError for what is no adapter of this model. */
export async function readAdapterAt(
  path: string,
  { model, store }: Pick<ModelParts, "model" | "store">,
  signal?: AbortSignal,
): Promise<ReadAdapter> {
  await using files = await openAdapterFiles(path);
  return { path, tables: await readAdapterTables(files, model, store, signal) };
}

export function adapterInfo({ path, tables }: ReadAdapter): AdapterInfo {
  const all = [...tables.projections.values()];
  return {
    path,
    projections: all.length,
    rank: all.reduce((most, { rank }) => Math.max(most, rank), 0),
    parameters: sum(all.map(({ a, b, turn }) => a.length + b.length + (turn?.length ?? 0))),
  };
}

/** The model itself, which owns what `close` frees, and what gives it with adapters. */
export function createAdaptableModel(
  parts: ModelParts,
  info: ModelInfo,
  engine: AdaptableEngine,
  reader: Reader,
  close: () => Promise<void>,
): { base: LanguageModel; attach: (adapter: ReadAdapter, options: AttachOptions) => Promise<LanguageModel> } {
  const { tokenizer, chosen, endIds, defaults, model } = parts;
  const shared = {
    tokenizer,
    startId: model.encoder?.startId,
    template: chosen.template,
    endIds,
    defaults,
    attach: async (path: string, options: AttachOptions): Promise<LanguageModel> =>
      await attach(await readAdapterAt(path, parts, options.signal), options),
  };
  async function attach(adapter: ReadAdapter, { name, signal }: AttachOptions): Promise<LanguageModel> {
    const attachment = await engine.attach(adapter.tables, signal);
    const own = name ?? `${info.name}@${splitPath(adapter.path).name}`;
    return createLanguageModel({
      ...shared,
      info: { ...info, name: own, adapter: adapterInfo(adapter) },
      engine: engine.with(attachment),
      reader: withoutReading(own),
      close: async () => engine.detach(attachment),
    });
  }
  return { base: createLanguageModel({ ...shared, info, engine: engine.with(), reader, close }), attach };
}

/** Rows that are read for vectors go through the model as it is. */
function withoutReading(name: string): Pick<Reader, "embed" | "rerank" | "classify"> {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new UnsupportedError(`${name} has an adapter, which embeddings and ranks do not see yet.`, {
        hint: "`liang merge` folds it into its model.",
      }),
    );
  return { embed: refuse, rerank: refuse, classify: refuse };
}
