// Opens a model's files by what is there: a GGUF file (or one of its parts), a folder as transformers writes it, a
// folder with one GGUF model in it, or a safetensors file in such a folder. Nobody above asks which it is.
import { FormatError, NotFoundError, UsageError } from "../base/errors.ts";
import { fileFacts, joinPath, listFolder, openFile, splitPath } from "#platform";
import { type GgufFiles, openGguf } from "./gguf-files.ts";
import { GGUF_MAGIC } from "./gguf-types.ts";
import { type HfFiles, openHfFolder } from "./hf-folder.ts";

export type ModelFiles = GgufFiles | HfFiles;

/** Throws NotFoundError when nothing is there, FormatError when it is no model, UsageError when it is several. */
export async function openModelFiles(path: string): Promise<ModelFiles> {
  const facts = await fileFacts(path);
  if (facts === undefined) throw new NotFoundError(`There is no file or folder ${path}.`);
  if (facts.kind === "folder") return openFolder(path);
  if (await startsAsGguf(path)) return openGguf(path);
  if (path.endsWith(".safetensors")) return openHfFolder(splitPath(path).folder);
  throw new FormatError(path, "magic", "not GGUF", "a GGUF file, or a folder with config.json and safetensors");
}

async function openFolder(folder: string): Promise<ModelFiles> {
  const names = (await listFolder(folder)).map(({ name }) => name);
  if (names.includes("config.json")) return openHfFolder(folder);
  // of a split model the first part stands for all
  const models = names.filter((name) => name.endsWith(".gguf") && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/.test(name));
  if (models.length === 1) return openGguf(joinPath(folder, models[0]));
  if (models.length === 0) throw new NotFoundError(`There is no model in ${folder}: no config.json and no .gguf file.`);
  throw new UsageError(`${folder} holds ${models.length} models: ${models.slice(0, 8).join(", ")}.`, {
    hint: "Name one of them.",
  });
}

async function startsAsGguf(path: string): Promise<boolean> {
  const source = await openFile(path);
  try {
    if (source.size < 4) return false;
    const magic = new Uint8Array(4);
    await source.read(0, magic);
    return new DataView(magic.buffer).getUint32(0, true) === GGUF_MAGIC;
  } finally {
    await source.close();
  }
}
