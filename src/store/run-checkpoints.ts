// Checkpoints of runs as models: `runs/NAME:step-N`, there as long as the run keeps them. Not here: what is in one (train/).
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { NotFoundError } from "../base/errors.ts";
import { errorCode } from "./lock-file.ts";
import { type ListedModel, type ModelList, findIn, sizeOf } from "./models.ts";
import { type RunFolder, listRuns, runFolder } from "./runs.ts";

export interface RunCheckpoint {
  readonly step: number;
  /** What the model is called; null: it is an adapter, and no model by itself. */
  readonly model: string | null;
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
}

const FOLDER = /^step-(\d+)$/;
const PREFIX = "runs/";

/** Whole checkpoints of a run, the oldest first. */
export async function listCheckpoints({ name, checkpoints }: RunFolder): Promise<RunCheckpoint[]> {
  const entries = await readdir(checkpoints).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  });
  const found = entries.map(async (entry) => {
    const step = FOLDER.exec(entry)?.[1];
    const path = join(checkpoints, entry);
    // one may be removed while others are looked at
    const facts = step === undefined ? undefined : await stat(path).catch(() => undefined);
    if (facts === undefined) return [];
    const isModel = (await stat(join(path, "config.json")).catch(() => undefined)) !== undefined;
    const model = isModel ? `${PREFIX}${name}:step-${Number(step)}` : null;
    return [{ step: Number(step), model, path, savedAt: facts.mtimeMs }];
  });
  return (await Promise.all(found)).flat().sort((a, b) => a.step - b.step);
}

/** A list of models, and with it the checkpoints of the runs in `root`, the newest of a run first. */
export function withCheckpoints(models: ModelList, root: string): ModelList {
  const checkpointsOf = async (run: string): Promise<ListedModel[]> => {
    const found = (await listCheckpoints(runFolder(root, run))).reverse();
    const all = found.map(async ({ model: name, path, savedAt: addedAt, step }): Promise<ListedModel[]> => {
      const bytes = await sizeOf(path);
      if (name === null || bytes === null) return [];
      return [{ name, path, bytes, addedAt, builtIn: false, run: { name: run, step } }];
    });
    return (await Promise.all(all)).flat();
  };

  const find = async (name: string): Promise<ListedModel> => {
    if (!name.startsWith(PREFIX)) return models.find(name);
    const [run] = name.slice(PREFIX.length).split(":");
    const found = (await listRuns(root)).includes(run) ? await checkpointsOf(run) : [];
    if (found.length === 0) {
      throw new NotFoundError(`There is no checkpoint of a run ${run}.`, { hint: "liang runs lists the runs." });
    }
    return name === PREFIX + run ? found[0] : findIn(found, name); // without a step it is the newest one
  };

  return {
    ...models,
    find,
    async list() {
      const runs = await Promise.all((await listRuns(root)).map(checkpointsOf));
      return [...(await models.list()), ...runs.flat()];
    },
    async resolve(nameOrPath) {
      if (!nameOrPath.startsWith(PREFIX)) return models.resolve(nameOrPath);
      try {
        return (await find(nameOrPath)).path;
      } catch (error) {
        // a path may begin so too
        return await models.resolve(nameOrPath).catch(() => Promise.reject(error as Error));
      }
    },
  };
}
