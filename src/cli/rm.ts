// `liang rm`: takes a model off the list, and its packed weights off the disk; of a model that is not on the list, named by
// its path, the packed weights alone. Files are deleted only with --files, and only those that `pull` fetched.
import { builtInModels } from "../store/built-in.ts";
import { NotFoundError } from "../base/errors.ts";
import { absolutePath } from "#platform";
import { openDataFolder, openModelList, openPackCache, packedFolder } from "../store/index.ts";
import { defineCommand } from "./command.ts";
import { bytes, out, outJson } from "./terminal.ts";

export const command = defineCommand({
  summary: "Removes a model from the list.",
  usage: "MODEL",
  words: { least: 1, most: 1 },
  options: {
    files: { type: "boolean", help: "also delete the files, if `liang pull` fetched them" },
    json: { type: "boolean", help: "print JSON" },
  },
  async run(options, [name]) {
    const folder = openDataFolder();
    const packs = openPackCache(packedFolder(folder));
    try {
      const removed = await openModelList(folder, builtInModels).remove(name, { deleteFiles: options.files });
      const packedBytes = await packs.remove(removed.path);
      const { path, deletedFiles, adapters } = removed;
      if (options.json) outJson({ ...removed, packedBytes });
      else {
        out(deletedFiles ? `removed, with its files` : `removed from the list; still there: ${path}`);
        if (adapters.length > 0) out(`with it, its adapters: ${adapters.join(", ")}; their files are still there`);
      }
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      const path = absolutePath(name);
      const packedBytes = await packs.remove(path);
      if (packedBytes === 0) throw error;
      if (options.json) outJson({ path, deletedFiles: false, packedBytes });
      else out(`its packed weights are removed, ${bytes(packedBytes)}; still there: ${path}`);
    }
  },
});
