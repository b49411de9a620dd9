// `liang list`: the models on the list, with sizes and places, and what is kept of them on the disk: packed weights and
// machine code.
import { builtInModels } from "../store/built-in.ts";
import { dataFolder } from "#platform";
import { codeFolder, keptCodeBytes, openModelList, openPackCache, packedFolder } from "../store/index.ts";
import { defineCommand } from "./command.ts";
import { bytes, note, out, outJson, paint, tabulate } from "./terminal.ts";

export const command = defineCommand({
  summary: "Lists the models you have.",
  usage: "",
  words: { least: 0, most: 0 },
  options: {
    check: { type: "boolean", help: "read all packed weights, remove those that are broken" },
    json: { type: "boolean", help: "print JSON" },
  },
  async run({ check, json }) {
    const listed = await openModelList(dataFolder(), builtInModels).list();
    const cache = openPackCache(packedFolder(dataFolder()));
    if (check) {
      for (const { path } of await cache.check()) note(`liang: removed ${path}, which was broken`);
    }
    const packs = await cache.list();
    const packedOf = (path: string): number | null => packs.find(({ model }) => model === path)?.bytes ?? null;
    const models = listed.map((model) => ({ ...model, packedBytes: packedOf(model.path) }));
    if (json) {
      outJson(models);
      return;
    }
    const size = (count: number | null): string => (count === null ? "missing" : bytes(count));
    out(
      tabulate([
        ["NAME", "SIZE", "PACKED", "WHERE"].map((head) => paint("faint", head)),
        ...models.map(({ name, bytes: fileBytes, packedBytes, path, builtIn }) => {
          return [name, size(fileBytes), packedBytes === null ? "" : bytes(packedBytes), builtIn ? "built in" : path];
        }),
      ]),
    );
    const others = packs.filter(({ model }) => !models.some(({ path }) => path === model));
    for (const { model, path, bytes: taken } of others) {
      out(`packed weights of ${model ?? `no model (${path})`} take ${bytes(taken)} more`);
    }
    const codeBytes = keptCodeBytes(codeFolder(dataFolder()));
    if (codeBytes > 0) out(`kept machine code takes ${bytes(codeBytes)} more`);
  },
});
