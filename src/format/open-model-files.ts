// Opens a model's files by what is there: a GGUF file (or one of its parts), a folder as transformers writes it, a
// folder with one GGUF model in it, or a safetensors file in such a folder. Nobody above asks which it is.
import { FormatError, NotFoundError, UsageError } from "../base/errors.ts";
import { fileFacts, joinPath, listFolder, openFile, splitPath } from "#platform";
import { FIRST_BYTES, tellFirstBytes } from "./first-bytes.ts";
import { type GgufFiles, openGguf } from "./gguf-files.ts";
import { GGUF_MAGIC } from "./gguf-types.ts";
import type { HfFiles } from "./hf-folder.ts";
import { ADAPTER_CONFIG, type TensorSource } from "./tensor-source.ts";

export type ModelFiles = GgufFiles | HfFiles;

/** Throws NotFoundError when nothing is there, FormatError when it is no model, UsageError when it is several. */
export async function openModelFiles(path: string): Promise<ModelFiles> {
  const facts = await fileFacts(path);
  if (facts === undefined) throw new NotFoundError(`There is no file or folder ${path}.`);
  if (facts.kind === "folder") return openFolder(path);
  const start = await readStart(path);
  if (isGguf(start)) return openModelGguf(path);
  if (path.endsWith(".safetensors")) return openHfFolder(splitPath(path).folder);
  const expected = "a GGUF file (47 47 55 46), or a folder with config.json and safetensors";
  throw new FormatError(path, "the start", tellFirstBytes(start), expected);
}

async function openModelGguf(path: string): Promise<GgufFiles> {
  const files = await openGguf(path);
  if (files.config["general.type"] !== "adapter") return files;
  await files.close();
  throw isAdapter(path);
}

const isAdapter = (path: string): UsageError =>
  new UsageError(`${path} is an adapter, not a model.`, {
    hint: "Load the model that it was made for, and attach it: --adapter.",
  });

async function openFolder(folder: string): Promise<ModelFiles> {
  const names = (await listFolder(folder)).map(({ name }) => name);
  if (names.includes("config.json")) return openHfFolder(folder);
  if (names.includes(ADAPTER_CONFIG)) {
    throw isAdapter(folder);
  }
  // of a split model the first part stands for all
  const models = names.filter((name) => name.endsWith(".gguf") && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/.test(name));
  if (models.length === 1) return openGguf(joinPath(folder, models[0]));
  if (models.length === 0) throw new NotFoundError(`There is no model in ${folder}: no config.json and no .gguf file.`);
  throw new UsageError(`${folder} holds ${models.length} models: ${models.slice(0, 8).join(", ")}.`, {
    hint: "Name one of them.",
  });
}

/**
 * Opens an adapter's files: a folder as PEFT writes it, the safetensors file in one, or a GGUF file, whose metadata says what
 * it is. Throws NotFoundError when nothing is there, FormatError when it is no adapter.
 */
export async function openAdapterFiles(path: string): Promise<TensorSource> {
  const facts = await fileFacts(path);
  if (facts === undefined) throw new NotFoundError(`There is no file or folder ${path}.`);
  const { openPeftFolder } = await import("./hf-folder.ts");
  if (facts.kind === "folder") return openPeftFolder(path);
  const start = await readStart(path);
  if (isGguf(start)) return openGguf(path);
  if (path.endsWith(".safetensors")) return openPeftFolder(splitPath(path).folder);
  const expected = `a GGUF file (47 47 55 46), or a folder with ${ADAPTER_CONFIG} and safetensors`;
  throw new FormatError(path, "the start", tellFirstBytes(start), expected);
}

/** Its modules are loaded when a folder is. */
async function openHfFolder(folder: string): Promise<HfFiles> {
  return await (await import("./hf-folder.ts")).openHfFolder(folder);
}

/** At most FIRST_BYTES; fewer of a shorter file. */
async function readStart(path: string): Promise<Uint8Array> {
  const source = await openFile(path);
  try {
    const bytes = new Uint8Array(Math.min(FIRST_BYTES, source.size));
    await source.read(0, bytes);
    return bytes;
  } finally {
    await source.close();
  }
}

function isGguf(start: Uint8Array): boolean {
  return start.length >= 4 && new DataView(start.buffer).getUint32(0, true) === GGUF_MAGIC;
}
