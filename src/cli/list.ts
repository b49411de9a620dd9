// `liang list`: the models on the list, with sizes and places.
import { builtInModel } from "../store/built-in.ts";
import { dataFolder } from "#platform";
import { openModelList } from "../store/index.ts";
import { defineCommand } from "./command.ts";
import { bytes, out, outJson, paint, tabulate } from "./terminal.ts";

export const command = defineCommand({
  summary: "Lists the models you have.",
  usage: "",
  words: { least: 0, most: 0 },
  options: { json: { type: "boolean", help: "print JSON" } },
  async run({ json }) {
    const models = await openModelList(dataFolder(), builtInModel).list();
    if (json) outJson(models);
    else {
      const size = (count: number | null): string => (count === null ? "missing" : bytes(count));
      out(
        tabulate([
          ["NAME", "SIZE", "WHERE"].map((head) => paint("faint", head)),
          ...models.map(({ name, bytes, path, builtIn }) => [name, size(bytes), builtIn ? "built in" : path]),
        ]),
      );
    }
  },
});
