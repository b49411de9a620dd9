// The executor of a program on this computer: its models find the machine code that earlier starts left in the data folder,
// and leave theirs to later ones. Not here: the executors themselves (executors.ts), which pages in browsers open too.
import { dataFolder } from "#platform";
import type { Executor } from "../device/executor.ts";
import { emitterFolder } from "../lanes/sources.ts";
import { type CodeCache, codeFolder, openCodeCache } from "../store/code-cache.ts";
import { openExecutor } from "./executors.ts";

/** Machine code in the data folder. */
export const keptCodes = (): CodeCache => openCodeCache(codeFolder(dataFolder()), emitterFolder);

/** Throws as `openExecutor` does. */
export async function openKeepingExecutor(...[name]: Parameters<typeof openExecutor>): Promise<Executor> {
  const executor = await openExecutor(name);
  const kept = keptCodes();
  const open: Executor["open"] = (store, graphs, options) =>
    executor.open(store, graphs, { ...options, codes: options?.codes ?? kept });
  return { ...executor, open };
}
