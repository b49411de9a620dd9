// `liang list`: the models on the list, with sizes and places, and what is kept of them on the disk: packed weights and
// machine code.
import process from "node:process";
import { builtInModels } from "../store/built-in.ts";
import { dataFolder } from "#platform";
import { codeFolder, keptCodeBytes, openModelList, openPackCache, packedFolder } from "../store/index.ts";
import { defineCommand } from "./command.ts";
import { columns, fitEnd } from "./layout.ts";
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
    const others = packs.filter(({ model }) => !models.some(({ path }) => path === model));
    const rows: Row[] = [
      ...models.map(({ name, base, builtIn, path, ...model }) => {
        return { ...model, name: base === undefined ? name : `  ${name}`, where: builtIn ? "built in" : path };
      }),
      ...others.map(({ model, path, bytes: packedBytes }) => ({ packedBytes, where: model ?? path })),
    ];
    out(modelTable(rows, process.stdout.isTTY ? process.stdout.columns || 80 : Infinity));
    const codeBytes = keptCodeBytes(codeFolder(dataFolder()));
    if (codeBytes > 0) out(`kept machine code takes ${bytes(codeBytes)} more`);
  },
});

/** A model, or packed weights that are kept of one that is not on the list (no `name`). */
export interface Row {
  readonly name?: string;
  /** Of its files; null: they are missing. */
  readonly bytes?: number | null;
  readonly packedBytes: number | null;
  readonly where: string;
}

/** The table of models, no row wider than `width` columns: places that are lose their beginnings, and a line says so. */
export function modelTable(rows: readonly Row[], width: number): string {
  const size = (count: number | null | undefined): string =>
    count === undefined ? "" : count === null ? "missing" : bytes(count);
  const heads = ["NAME", "SIZE", "PACKED", "WHERE"].map((head) => paint("faint", head));
  const cells = rows.map(({ name, bytes: fileBytes, packedBytes, where }) => [
    name ?? paint("faint", "(not listed)"),
    size(fileBytes),
    size(packedBytes ?? undefined),
    where,
  ]);
  const taken = [0, 1, 2].reduce((sum, i) => sum + 2 + Math.max(...[heads, ...cells].map((row) => columns(row[i]))), 0);
  const room = Math.max(PLACE_COLUMNS_MIN, width - taken);
  const shown = cells.map((row) => [...row.slice(0, 3), fitEnd(row[3], room)]);
  const isCut = shown.some((row, i) => row[3] !== cells[i][3]);
  return [tabulate([heads, ...shown]), ...(isCut ? [paint("faint", "the places in full: liang list | cat")] : [])].join(
    "\n",
  );
}

/** Less says nothing: beside very long names rows may be wider. */
const PLACE_COLUMNS_MIN = 16;
