// The narrow door: a name or a path → a model that talks. Not here: how it is loaded (load-path.ts), the door of a page
// in a browser (load-files.ts).
import { UsageError } from "../base/errors.ts";
import { keptCodes } from "./keeping-executor.ts";
import { loadPath } from "./load-path.ts";
import { openPacks } from "./packs.ts";
import { resolveAdapted } from "./resolve.ts";
import type { LanguageModel, LoadOptions } from "./types.ts";

/**
 * Loads a model: a name on the model list ("gemma", or "gemma@poet" with an adapter), a GGUF file (any part of a split one),
 * or a Hugging Face folder.
 *
 * Throws NotFoundError when nothing is there, FormatError for files that break their format, UnsupportedError for a
 * model that Liang does not know, MemoryError with the numbers before anything is allocated, AbortError.
 *
 * ```ts
 * await using model = await load("stories260k");
 * for await (const part of model.chat([{ role: "user", content: "Once upon a time" }])) {
 *   if (part.type === "text-delta") story += part.text;
 * }
 * ```
 */
export async function load(nameOrPath: string, options: LoadOptions = {}): Promise<LanguageModel> {
  options.signal?.throwIfAborted();
  const packs = openPacks(options);
  const codes = keptCodes();
  const { path, adapter } = await resolveAdapted(nameOrPath);
  if (adapter !== undefined && options.adapter !== undefined) {
    throw new UsageError(`${nameOrPath} names an adapter, and there is another one: ${options.adapter}.`, {
      field: "adapter",
      hint: "Give one; `attach` gives more of them over one model.",
    });
  }
  return await loadPath(path, adapter === undefined ? options : { ...options, adapter }, { packs, codes });
}
