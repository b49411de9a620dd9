// `liang add`: puts a model's or an adapter's file or folder on the list; it is used where it is.
import { builtInModels } from "../store/built-in.ts";
import { openDataFolder, openModelList } from "../store/index.ts";
import { describeAdapter, describeModel } from "../chat/describe.ts";
import { defineCommand } from "./command.ts";
import { bytes, out, outJson } from "./terminal.ts";

export const command = defineCommand({
  summary: "Adds a model file or folder to the list; it is used in place, nothing is copied.",
  usage: "FILE",
  words: { least: 1, most: 1 },
  options: {
    name: { type: "string", short: "n", help: "what to call it (default: from the file's name)" },
    base: { type: "string", hint: "MODEL", help: "it is a LoRA adapter of this model: it becomes MODEL@NAME" },
    replace: { type: "boolean", help: "point an existing name to this file" },
    json: { type: "boolean", help: "print the entry as JSON" },
  },
  async run(options, [path]) {
    const models = openModelList(openDataFolder(), builtInModels);
    // a file we could not open is refused here, not at first use
    if (options.base !== undefined) {
      const { projections, rank } = await describeAdapter(path, await models.resolve(options.base));
      const entry = await models.add(path, { name: options.name, base: options.base, replace: options.replace });
      if (options.json) outJson({ ...entry, projections, rank });
      else out(`${entry.name}: rank ${rank}, ${projections} projections, ${bytes(entry.bytes!)}, at ${entry.path}`);
      return;
    }
    const { family, name } = await describeModel(path);
    const entry = await models.add(path, { name: options.name, replace: options.replace });
    if (options.json) outJson({ ...entry, family, title: name });
    else out(`${entry.name}: ${family}, ${bytes(entry.bytes!)}, at ${entry.path}`);
  },
});
