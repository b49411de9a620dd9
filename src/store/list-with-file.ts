// The model list and what is not on it: a model, or adapters of one, that were named by their paths for this process only.
import { basename, resolve } from "node:path";
import { NotFoundError } from "../base/errors.ts";
import { adapterName, nameFromFile } from "./model-name.ts";
import { type ListedModel, type ModelList, findIn, sizeOf, withAdaptersAfter } from "./models.ts";

export interface ListWithFile extends Pick<ModelList, "list" | "find"> {
  /** What the file's model is called. */
  readonly name: string;
}

/**
 * The list with the model at `path` before the others. Its name is made from the file's; where the list has another
 * model of that name, a number is added. `find` takes the path for a name too.
 */
export async function listWithFile(models: ModelList, path: string): Promise<ListWithFile> {
  const taken = new Set((await models.list()).map(({ name }) => name.toLowerCase()));
  const plain = nameFromFile(basename(path));
  let name = plain;
  for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${plain}-${number}`;
  const addedAt = Date.now();
  const describe = async (): Promise<ListedModel> => ({
    name,
    path,
    bytes: await sizeOf(path),
    addedAt,
    builtIn: false,
  });
  const list = async (): Promise<ListedModel[]> => [await describe(), ...(await models.list())];
  return {
    name,
    list,
    find: async (wanted) => (resolve(wanted) === path ? await describe() : findIn(await list(), wanted)),
  };
}

/**
 * The list with adapters of the model called `base` after it: `paths` of PEFT's folders or GGUF files, whose names are made
 * from theirs. Throws NotFoundError for a path where nothing is.
 */
export async function listWithAdapters(
  models: Pick<ModelList, "list">,
  base: string,
  paths: readonly string[],
): Promise<Pick<ModelList, "list" | "find">> {
  const addedAt = Date.now();
  const own: Omit<ListedModel, "bytes">[] = [];
  for (const given of paths) {
    const path = resolve(given);
    if ((await sizeOf(path)) === null) throw new NotFoundError(`There is no file or folder ${path}.`);
    const taken = new Set([...(await models.list()), ...own].map(({ name }) => name.toLowerCase()));
    const plain = adapterName(base, nameFromFile(basename(path)));
    let name = plain;
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${plain}-${number}`;
    own.push({ name, base, path, addedAt, builtIn: false });
  }
  const list = async (): Promise<ListedModel[]> => {
    const described = own.map(async (model) => ({ ...model, bytes: await sizeOf(model.path) }));
    return withAdaptersAfter([...(await models.list()), ...(await Promise.all(described))]);
  };
  return { list, find: async (wanted) => findIn(await list(), wanted) };
}
