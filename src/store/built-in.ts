// The models that ship with the program, so that the first start needs no download; the first one greets. They are always
// on the model list and cannot be removed. models/README.md says where each is from.
import { fileURLToPath } from "node:url";

export interface BuiltInModel {
  readonly name: string;
  readonly path: string;
}

// two levels above this file in the sources (src/store) and in the published package (dist/store)
const pathOf = (file: string): string => fileURLToPath(new URL(`../../models/${file}`, import.meta.url));

/** Of llama2.c; tells small English stories. */
export const storiesModel: BuiltInModel = { name: "stories260k", path: pathOf("stories260K.gguf") };

/** Trained by this repository (recipes/liang-shi); writes classical Chinese poems. */
export const poetModel: BuiltInModel = { name: "liang-shi", path: pathOf("liang-shi.gguf") };

export const builtInModels: readonly [BuiltInModel, ...BuiltInModel[]] = [poetModel, storiesModel];
