// What a conversion reads, opened by what is there: an HF folder, a GGUF file, or a llama2.c checkpoint, which is seen
// as GGUF. Blocks are decoded on the way where the written numbers are to be floats.
import { fileFacts } from "#platform";
import { openFileStore, readModelFiles } from "../engine/file-store.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import type { HfFiles } from "../format/hf-folder.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import type { TensorSource } from "../format/tensor-source.ts";
import type { ParameterStore } from "../device/executor.ts";
import type { Model } from "../models/index.ts";
import { decodedFiles } from "./decoded-files.ts";
import { openLlama2c } from "./llama2c-source.ts";
import type { ConvertOptions, ConvertReport } from "./types.ts";

/** One owner; closing closes the files. */
export interface Source extends AsyncDisposable {
  readonly from: ConvertReport["from"];
  readonly path: string;
  readonly files: TensorSource;
  /** Metadata with its types, where the files are GGUF (or seen as such). */
  readonly entries: ReadonlyMap<string, GgufEntry> | undefined;
  /** The same files as a folder, where they are one. */
  readonly folder: HfFiles | undefined;
  readonly model: Model;
  /** Weights as the model's forward takes them. */
  readonly store: ParameterStore;
}

/** Throws what opening a model throws: NotFoundError, FormatError, UnsupportedError. */
export async function openSource(path: string, { type = "keep", tokenizer }: ConvertOptions): Promise<Source> {
  const isLlama2c = path.endsWith(".bin") && (await fileFacts(path))?.kind === "file";
  const opened = isLlama2c ? await openLlama2c(path, tokenizer) : await openModelFiles(path);
  try {
    const files = type === "keep" ? opened : decodedFiles(opened);
    const model = await readModelFiles(files);
    return {
      from: isLlama2c ? "llama2c" : opened.kind,
      path,
      files,
      entries: "entries" in opened ? opened.entries : undefined,
      folder: "readTextFiles" in opened ? opened : undefined,
      model,
      store: openFileStore(files, model),
      [Symbol.asyncDispose]: () => opened.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
