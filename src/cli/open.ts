// Loads a model for a command: a bar while it takes, then what a person should know of how it runs.
import process from "node:process";
import { load } from "../chat/load.ts";
import type { LanguageModel, LoadOptions } from "../chat/types.ts";
import { progressBar } from "./progress-bar.ts";
import { note, paint } from "./terminal.ts";

/** Opens `model` (a name, a file, a folder). The caller owns it: `await using model = await openModel(...)`. */
export async function openModel(model: string, options: LoadOptions): Promise<LanguageModel> {
  const bar = progressBar();
  const loaded = await load(model, { ...options, onProgress: bar.report }).finally(bar.end);
  const { notice, weights } = loaded.info;
  for (const remark of [notice, weights.note]) {
    if (remark !== undefined) note(paint("faint", remark, process.stderr));
  }
  return loaded;
}
