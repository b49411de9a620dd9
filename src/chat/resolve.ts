// Which files a model's name stands for. Names are those of the model list and of runs' checkpoints; a path to something
// that exists is one too.
import { dataFolder } from "#platform";
import { builtInModels } from "../store/built-in.ts";
import { openModelList } from "../store/models.ts";
import { withCheckpoints } from "../store/run-checkpoints.ts";
import { runsFolder } from "../store/runs.ts";

const list = () => withCheckpoints(openModelList(dataFolder(), builtInModels), runsFolder(dataFolder()));

/**
 * The path for a model's name on the list, or for a path (a name wins). Throws NotFoundError that lists what there is,
 * UsageError for the name of an adapter.
 */
export async function resolveModel(nameOrPath: string): Promise<string> {
  return await list().resolve(nameOrPath);
}

/** The same, and of "model@adapter" both paths. */
export async function resolveAdapted(
  nameOrPath: string,
): Promise<{ readonly path: string; readonly adapter?: string }> {
  const models = list();
  const found = await models.find(nameOrPath).catch(() => undefined);
  if (found?.base === undefined) return { path: await models.resolve(nameOrPath) };
  return { path: await models.resolve(found.base), adapter: found.path };
}
