// `liang rm`: takes a model off the list. Files are deleted only with --files, and only those that `pull` fetched.
import { builtInModel } from "../store/built-in.ts";
import { openDataFolder, openModelList } from "../store/index.ts";
import { defineCommand } from "./command.ts";
import { out, outJson } from "./terminal.ts";

export const command = defineCommand({
  summary: "Removes a model from the list.",
  usage: "NAME",
  words: { least: 1, most: 1 },
  options: {
    files: { type: "boolean", help: "also delete the files, if `liang pull` fetched them" },
    json: { type: "boolean", help: "print JSON" },
  },
  async run(options, [name]) {
    const models = openModelList(openDataFolder(), builtInModel);
    const removed = await models.remove(name, { deleteFiles: options.files });
    if (options.json) outJson(removed);
    else out(removed.deletedFiles ? `removed, with its files` : `removed from the list; still there: ${removed.path}`);
  },
});
