// Loads a model for a command: a bar while it takes, the built-in model where none is named.
import { load } from "../chat/load.ts";
import type { LanguageModel, LoadOptions } from "../chat/types.ts";
import { progressBar } from "./progress-bar.ts";

/** Opens `model` (a name, a file, a folder). The caller owns it: `await using model = await openModel(...)`. */
export async function openModel(model: string, options: LoadOptions): Promise<LanguageModel> {
  const bar = progressBar();
  try {
    return await load(model, { ...options, onProgress: bar.report });
  } finally {
    bar.end();
  }
}
