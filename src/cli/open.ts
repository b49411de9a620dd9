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
  remarks()(loaded);
  return loaded;
}

/** What says how models run where that is not as a person would expect: each remark once. */
export function remarks(): (loaded: Pick<LanguageModel, "info">) => void {
  const told = new Set<string>();
  return ({ info: { notice, weights } }) => {
    for (const remark of [notice, weights.note]) {
      if (remark === undefined || told.has(remark)) continue;
      told.add(remark);
      note(paint("faint", remark, process.stderr));
    }
  };
}
