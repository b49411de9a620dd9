// Which files a model's name stands for. Names are those of the model list; a path to something that exists is one too.
import { dataFolder } from "#platform";
import { builtInModels } from "../store/built-in.ts";
import { openModelList } from "../store/models.ts";

/** The path for a name on the list, or for a path (a name wins). Throws NotFoundError that lists what there is. */
export async function resolveModel(nameOrPath: string): Promise<string> {
  return await openModelList(dataFolder(), builtInModels).resolve(nameOrPath);
}
