// The door of a page in a browser: files that a person opened, or an address, → a model that talks. It runs in a worker:
// a page's own thread may neither wait nor compile. Not here: how a model is loaded (load-path.ts).
import { UsageError } from "../base/errors.ts";
import { absolutePath, joinPath, openedFiles } from "../platform/browser/index.ts";
import { loadPath } from "./load-path.ts";
import type { LanguageModel, LoadOptions } from "./types.ts";

/** A file, all files of a folder or of a split model, or the address of a file; of a folder when it ends in a slash. */
export type ModelSource = File | readonly File[] | URL | string;

/**
 * Loads a model in a browser. Files must stay readable until it is loaded; nothing of them leaves the machine.
 *
 * Throws as `load` of the package does: FormatError for files that are no model, UnsupportedError, MemoryError, AbortError.
 *
 * ```ts
 * import { load } from "liang/browser";
 * await using model = await load(fileInput.files[0]);
 * ```
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<LanguageModel> {
  if (typeof source === "string" || source instanceof URL) return await loadPath(absolutePath(String(source)), options);
  const files = source instanceof File ? [source] : source;
  if (files.length === 0) throw new UsageError("There is no file to load.");
  using opened = openedFiles(files);
  return await loadPath(files.length === 1 ? joinPath(opened.folder, files[0].name) : opened.folder, options);
}
