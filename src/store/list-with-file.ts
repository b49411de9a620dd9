// The model list and one model more that is not on it: a file or folder that was named by its path for this process only.
import { basename, resolve } from "node:path";
import { nameFromFile } from "./model-name.ts";
import { type ListedModel, type ModelList, findIn, sizeOf } from "./models.ts";

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
