// The model list: names and where their files are. Files stay where they are; the list is `models.json` in the data
// folder, read anew at every call, so that several processes agree. An adapter is an entry under the model that it is for:
// "gemma@poet". Not here: fetching files (hub.ts), reading them.
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve as resolvePath, sep } from "node:path";
import { NotFoundError, UsageError, show } from "../base/errors.ts";
import { changeText, readText } from "./atomic-file.ts";
import type { BuiltInModel } from "./built-in.ts";
import { adapterName, nameFromFile, parseModelName, splitAdapterName } from "./model-name.ts";
import { type ModelsFile, parseModels } from "./models-file.ts";

export interface ListedModel {
  readonly name: string;
  /** Of an adapter: the name of the model that it is for. */
  readonly base?: string;
  /** A GGUF file (its first part, when split) or a Hugging Face folder; of an adapter, a GGUF file or PEFT's folder. */
  readonly path: string;
  /** Size of the file (all parts) or of the folder's files; null when nothing is there. */
  readonly bytes: number | null;
  /** Milliseconds since 1970; 0 for built-in models. */
  readonly addedAt: number;
  /** Where it was pulled from. */
  readonly source?: string;
  readonly builtIn: boolean;
  /** Of a checkpoint: the run that made it, and after how many steps. */
  readonly run?: { readonly name: string; readonly step: number };
}

export interface AddOptions {
  /** Default: made from the file's name. Of an adapter: what comes after "@". */
  name?: string;
  /** It is an adapter of this model. */
  base?: string;
  source?: string;
  /** Point an existing name elsewhere. Default false: a name in use for another path is an error. */
  replace?: boolean;
}

export interface ModelList {
  /** All models by name, the built-in ones last, in their own order; each is followed by its adapters. */
  list(): Promise<ListedModel[]>;
  /** Puts a file or folder on the list under a name. Throws NotFoundError, UsageError (name taken or ill-formed). */
  add(path: string, options?: AddOptions): Promise<ListedModel>;
  /**
   * Takes a name off the list, and the adapters of that model; `deleteFiles` also deletes what was pulled into the data
   * folder, never anything else.
   */
  remove(
    name: string,
    options?: { deleteFiles?: boolean },
  ): Promise<{ path: string; deletedFiles: boolean; adapters: string[] }>;
  /** The model called `name`, as `findIn` finds it. */
  find(name: string): Promise<ListedModel>;
  /**
   * The path for a model's name on the list, or for a path to something that exists (a name wins). Throws NotFoundError,
   * UsageError for the name of an adapter.
   */
  resolve(nameOrPath: string): Promise<string>;
}

/** Opens the list in the data folder. Models of `builtIn` are shown at the end and cannot be removed. */
export function openModelList(folder: string, builtIn: readonly BuiltInModel[] = []): ModelList {
  const file = join(folder, "models.json");
  const pulled = join(folder, "models") + sep;
  const isBuiltIn = (name: string): boolean => builtIn.some((model) => model.name === name);

  const read = async () => parseModels(file, await readText(file));
  const change = (edit: (models: ModelsFile["models"]) => void) =>
    changeText(file, (text) => {
      const content = parseModels(file, text);
      edit(content.models);
      return `${JSON.stringify(content, null, 2)}\n`;
    });

  const list = async (): Promise<ListedModel[]> => {
    const { models } = await read();
    const rows = Object.entries(models)
      .filter(([name]) => !isBuiltIn(name))
      .sort(([a], [b]) => a.localeCompare(b))
      .map(async ([name, entry]) => ({ name, ...entry, bytes: await sizeOf(entry.path), builtIn: false }));
    return withAdaptersAfter(await Promise.all([...rows, ...builtIn.map(describeBuiltIn)]));
  };

  const find = async (name: string): Promise<ListedModel> => findIn(await list(), name);

  return {
    list,
    find,

    async add(path, { name, base, source, replace = false } = {}) {
      const absolute = resolvePath(path);
      const bytes = await sizeOf(absolute);
      if (bytes === null) throw new NotFoundError(`${absolute} is not there.`);
      const plain = name ?? nameFromFile(basename(absolute));
      const model = base === undefined ? undefined : await find(base);
      if (model?.base !== undefined) throw new UsageError(`${show(base)} is an adapter itself.`, { field: "base" });
      const chosen = model === undefined ? plain : adapterName(model.name, plain);
      if (model === undefined) parseModelName(chosen);
      if (isBuiltIn(chosen)) throw new UsageError(`${show(chosen)} is a built-in model's name.`);
      const entry = {
        path: absolute,
        addedAt: Date.now(),
        ...(source !== undefined && { source }),
        ...(model !== undefined && { base: model.name }),
      };
      await change((models) => {
        const taken = Object.hasOwn(models, chosen) ? models[chosen] : undefined;
        if (taken !== undefined && taken.path !== absolute && !replace) {
          throw new UsageError(`The name ${show(chosen)} is taken by ${taken.path}.`, {
            field: "name",
            hint: "Give another name, or remove that one first.",
          });
        }
        models[chosen] = entry;
      });
      return { name: chosen, ...entry, bytes, builtIn: false };
    },

    async remove(name, { deleteFiles = false } = {}) {
      const model = await find(name);
      if (model.builtIn) throw new UsageError(`${show(model.name)} is built in and cannot be removed.`);
      const adapters: string[] = [];
      await change((models) => {
        delete models[model.name];
        for (const [other, { base }] of Object.entries(models)) if (base === model.name) adapters.push(other);
        for (const other of adapters) delete models[other];
      });
      const ours = model.path.startsWith(pulled);
      if (deleteFiles && ours) await deletePulled(model.path, pulled);
      return { path: model.path, deletedFiles: deleteFiles && ours, adapters };
    },

    async resolve(nameOrPath) {
      const missing = await find(nameOrPath).catch((error: unknown) => error);
      if (!(missing instanceof Error)) {
        const { name, path, base } = missing as ListedModel;
        if (base === undefined) return path;
        throw new UsageError(`${show(name)} is an adapter of ${show(base)}, and no model by itself.`, {
          field: "model",
          hint: "It can be run, chatted with and served; here name the model.",
        });
      }
      if ((await sizeOf(nameOrPath)) !== null) return resolvePath(nameOrPath);
      // what looks like a path was meant as one
      if (/^[./~\\]|\.(gguf|safetensors)$/i.test(nameOrPath)) {
        throw new NotFoundError(`There is no file or folder ${resolvePath(nameOrPath)}.`, { cause: missing });
      }
      throw new NotFoundError(missing.message, { hint: "`liang pull ORG/NAME` fetches one.", cause: missing });
    },
  };
}

/** Adapters come after their models; those of models that are not there, at the end. */
export function withAdaptersAfter(rows: readonly ListedModel[]): ListedModel[] {
  const adapters = rows.filter(({ base }) => base !== undefined);
  const models = rows.filter(({ base }) => base === undefined);
  const ofModels = models.flatMap((model) => [model, ...adapters.filter(({ base }) => base === model.name)]);
  return [...ofModels, ...adapters.filter((adapter) => !ofModels.includes(adapter))];
}

/**
 * The model called `name`: exactly, else the only one that differs in case, or the only file of that repository; after
 * "@" the adapter of that model. Throws NotFoundError that names those of `models` whose files are there.
 */
export function findIn(models: readonly ListedModel[], name: string): ListedModel {
  const split = splitAdapterName(name);
  if (split === undefined)
    return findByName(
      models.filter(({ base }) => base === undefined),
      name,
    );
  const base = findByName(
    models.filter(({ base }) => base === undefined),
    split.base,
  );
  const adapters = models.filter((model) => model.base === base.name);
  const wanted = `${base.name}@${split.adapter}`.toLowerCase();
  const found = adapters.find((adapter) => adapter.name.toLowerCase() === wanted);
  if (found !== undefined) return found;
  const known = adapters.filter(({ bytes }) => bytes !== null).map((adapter) => adapter.name);
  throw new NotFoundError(`${show(base.name)} has no adapter called ${show(split.adapter)}.`, {
    hint: known.length === 0 ? "It has none; `liang add FILE --base MODEL` adds one." : `It has: ${known.join(", ")}.`,
  });
}

function findByName(models: readonly ListedModel[], name: string): ListedModel {
  const folded = name.toLowerCase();
  const one = (matches: (candidate: string) => boolean): ListedModel | undefined => {
    const found = models.filter((model) => matches(model.name));
    return found.length === 1 ? found[0] : undefined;
  };
  const found =
    one((candidate) => candidate === name) ??
    one((candidate) => candidate.toLowerCase() === folded) ??
    one((candidate) => candidate.toLowerCase().startsWith(`${folded}:`));
  if (found !== undefined) return found;
  const several = models.filter((model) => model.name.toLowerCase().startsWith(`${folded}:`));
  const known = (several.length > 0 ? several : models)
    .filter(({ bytes }) => bytes !== null)
    .map((model) => model.name);
  throw new NotFoundError(
    several.length > 0 ? `${show(name)} has several files on the list.` : `There is no model called ${show(name)}.`,
    { hint: known.length === 0 ? "The list is empty." : `There are: ${known.join(", ")}.` },
  );
}

const describeBuiltIn = async ({ name, path }: BuiltInModel): Promise<ListedModel> => ({
  name,
  path,
  bytes: await sizeOf(path),
  addedAt: 0,
  builtIn: true,
});

/** Paths of every part of the split GGUF that `path` is the first part of; else just `path`. */
export function partsOf(path: string): string[] {
  const split = /^(.*)-00001-of-(\d{5})(\.gguf)$/i.exec(path);
  if (split === null) return [path];
  const count = Number(split[2]);
  return Array.from(
    { length: count },
    (_, index) => `${split[1]}-${String(index + 1).padStart(5, "0")}-of-${split[2]}${split[3]}`,
  );
}

/** Bytes of a model's file (all parts) or of its folder's files; null when nothing is there. */
export async function sizeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return null;
  const files = found.isDirectory()
    ? (await readdir(path, { withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(path, entry.name))
    : partsOf(path);
  const sizes = await Promise.all(files.map(async (file) => (await stat(file).catch(() => undefined))?.size ?? 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Deletes the model's files, then the folders between it and `root` that this leaves empty. */
async function deletePulled(path: string, root: string): Promise<void> {
  for (const part of partsOf(path)) await rm(part, { recursive: true, force: true });
  for (let folder = dirname(path); relative(root, folder) !== "" && folder.startsWith(root); folder = dirname(folder)) {
    const rest = await readdir(folder).catch(() => [""]);
    if (rest.length > 0) return;
    await rm(folder, { recursive: true });
  }
}
