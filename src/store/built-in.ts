// Where the models that ship with the program lie, so that the first start needs no download. They are always on the model
// list and cannot be removed. Not here: which they are (built-in-files.ts).
import { fileURLToPath } from "node:url";
import { type BuiltInFile, builtInFiles, storiesFile } from "./built-in-files.ts";

export interface BuiltInModel {
  readonly name: string;
  readonly path: string;
}

// two levels above this file in the sources (src/store) and in the published package (dist/store)
const placed = ({ name, file }: BuiltInFile): BuiltInModel => ({
  name,
  path: fileURLToPath(new URL(`../../models/${file}`, import.meta.url)),
});

export const storiesModel = placed(storiesFile);

const [first, ...others] = builtInFiles;
export const builtInModels: readonly [BuiltInModel, ...BuiltInModel[]] = [placed(first), ...others.map(placed)];
