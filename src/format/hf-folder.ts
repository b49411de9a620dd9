// A model folder as transformers writes it: config.json, weights in safetensors (one file, or shards with an index),
// tokenizer files; and an adapter's folder as PEFT writes it. Gives plain objects; what they mean is models/ and text/. All
// sizes are capped.
import { FormatError, NotFoundError, UnsupportedError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import { fileFacts, joinPath, listFolder, openFile, readBytes, readText } from "#platform";
import { parseJson } from "./json.ts";
import { dequantizedFiles } from "./quantized-tensors.ts";
import { formatOfDtype, readSafetensors } from "./safetensors.ts";
import { parseSentencePiece, type SentencePieceModel } from "./sentencepiece.ts";
import { isTiktoken, parseTiktoken } from "./tiktoken.ts";
import { ADAPTER_CONFIG, type PlacedTensor, tensorAccess, type TensorSource } from "./tensor-source.ts";

const CONFIG_BYTES_MAX = 16 * 2 ** 20;
// the largest in use (262k tokens with their merges) take 35 MB
const TOKENIZER_BYTES_MAX = 256 * 2 ** 20;

export interface HfFiles extends TensorSource {
  readonly kind: "hf";
  /** Reads the files that say how text is handled. Read when asked for: they may take longer than the weights' header. */
  readTextFiles(): Promise<HfTextFiles>;
}

/** Undefined: the folder has no such file. */
export interface HfTextFiles {
  readonly generationConfig: Record<string, unknown> | undefined;
  /** tokenizer.json. */
  readonly tokenizer: Record<string, unknown> | undefined;
  readonly tokenizerConfig: Record<string, unknown> | undefined;
  readonly specialTokensMap: Record<string, unknown> | undefined;
  /** tokenizer.model, when it is a SentencePiece model; spiece.model, as T5 calls it. */
  readonly sentencePiece: SentencePieceModel | undefined;
  /** tokenizer.model, when it is a list of ranks (GLM-4's is), or a file that ends in .tiktoken; its name, and tokens by rank. */
  readonly ranks?: { readonly file: string; readonly tokens: ReadonlyMap<number, Uint8Array> };
  /** Marian's source.spm and vocab.json, where both are. */
  readonly marian?: { readonly source: SentencePieceModel; readonly vocabulary: Record<string, unknown> };
  /** chat_template.jinja; older folders keep the template in tokenizerConfig. */
  readonly chatTemplate: string | undefined;
}

/** Of a folder with none of them. */
export const noTextFiles: HfTextFiles = {
  generationConfig: undefined,
  tokenizer: undefined,
  tokenizerConfig: undefined,
  specialTokensMap: undefined,
  sentencePiece: undefined,
  chatTemplate: undefined,
};

/** Opens a model folder. Throws NotFoundError when config.json or weights are missing. */
export async function openHfFolder(folder: string): Promise<HfFiles> {
  const config = await readJson(folder, "config.json", CONFIG_BYTES_MAX);
  if (config === undefined) throw new NotFoundError(`There is no config.json in ${folder}.`);
  const { files, placedIn } = await weightFiles(folder);
  const access = await openTensors(folder, files, placedIn);
  try {
    return await dequantizedFiles({ ...access, kind: "hf", config, readTextFiles: () => readTextFiles(folder) });
  } catch (error) {
    await access.close();
    throw error;
  }
}

/** An adapter's folder as PEFT writes it. Throws NotFoundError when its config or its weights are missing. */
export async function openPeftFolder(folder: string): Promise<TensorSource> {
  const config = await readJson(folder, ADAPTER_CONFIG, CONFIG_BYTES_MAX);
  if (config === undefined) throw new NotFoundError(`There is no ${ADAPTER_CONFIG} in ${folder}.`);
  const single = "adapter_model.safetensors";
  if ((await fileFacts(joinPath(folder, single))) === undefined) {
    throw new NotFoundError(`There is no ${single} in ${folder}.`, {
      hint: "An adapter_model.bin can run code; save it again with safe_serialization.",
    });
  }
  return { ...(await openTensors(folder, [single], new Map())), kind: "hf", config };
}

/** The tensors of safetensors files in a folder. */
async function openTensors(
  folder: string,
  files: readonly string[],
  placedIn: ReadonlyMap<string, string>,
): Promise<ReturnType<typeof tensorAccess>> {
  const sources: ByteSource[] = [];
  try {
    const placed: PlacedTensor[] = [];
    for (const file of files) {
      const source = await openFile(joinPath(folder, file));
      sources.push(source);
      const { tensors } = await readSafetensors(source);
      checkIndex(source.name, file, tensors, placedIn);
      for (const { name, shape, dtype, offset, byteLength } of tensors.values()) {
        placed.push({
          name,
          shape,
          typeName: dtype.toLowerCase(),
          format: formatOfDtype(dtype),
          byteLength,
          source,
          offset,
        });
      }
    }
    return tensorAccess(folder, sources, placed);
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
}

/** Reads what a folder says of text; nothing of it has to be there. */
export async function readTextFiles(folder: string): Promise<HfTextFiles> {
  const json = (name: string) => readJson(folder, name, TOKENIZER_BYTES_MAX);
  const ifThere = async <T>(name: string, read: (path: string) => Promise<T>): Promise<T | undefined> => {
    const path = joinPath(folder, name);
    return (await fileFacts(path)) === undefined ? undefined : read(path);
  };
  const bytes = (name: string) => ifThere(name, (path) => readBytes(path, TOKENIZER_BYTES_MAX));
  const pieces = async (name: string, found?: Uint8Array) => {
    const model = found ?? (await bytes(name));
    return model && parseSentencePiece(joinPath(folder, name), model);
  };
  const source = await pieces("source.spm");
  const vocabulary = source && (await json("vocab.json"));
  const tokenizer = await json("tokenizer.json");
  const model = await bytes("tokenizer.model");
  const ranksFile = model !== undefined && isTiktoken(model) ? "tokenizer.model" : await ownRanks(folder, tokenizer);
  const ranks = ranksFile === undefined ? undefined : await readText(joinPath(folder, ranksFile), TOKENIZER_BYTES_MAX);
  return {
    generationConfig: await json("generation_config.json"),
    tokenizer,
    tokenizerConfig: await json("tokenizer_config.json"),
    specialTokensMap: await json("special_tokens_map.json"),
    sentencePiece:
      model === undefined || ranksFile === "tokenizer.model"
        ? await pieces("spiece.model")
        : await pieces("tokenizer.model", model),
    ...(ranksFile !== undefined && {
      ranks: { file: ranksFile, tokens: parseTiktoken(joinPath(folder, ranksFile), ranks!) },
    }),
    ...(source && vocabulary && { marian: { source, vocabulary } }),
    chatTemplate: await ifThere("chat_template.jinja", (path) => readText(path, CONFIG_BYTES_MAX)),
  };
}

/** The name of a file of ranks, of folders that have no tokenizer.json. */
async function ownRanks(folder: string, tokenizer: unknown): Promise<string | undefined> {
  if (tokenizer !== undefined) return undefined;
  return (await listFolder(folder)).find(({ name }) => name.endsWith(".tiktoken"))?.name;
}

async function readJson(folder: string, name: string, bytesMax: number): Promise<Record<string, unknown> | undefined> {
  const path = joinPath(folder, name);
  if ((await fileFacts(path)) === undefined) return undefined;
  return parseJson(path, "text", await readBytes(path, bytesMax));
}

/** File names in the folder, and for shards which tensor the index puts where. */
async function weightFiles(folder: string): Promise<{ files: string[]; placedIn: ReadonlyMap<string, string> }> {
  const single = "model.safetensors";
  if (await fileFacts(joinPath(folder, single))) return { files: [single], placedIn: new Map() };
  const indexPath = joinPath(folder, `${single}.index.json`);
  const index = await readJson(folder, `${single}.index.json`, TOKENIZER_BYTES_MAX);
  if (index !== undefined) {
    const placedIn = checkWeightMap(indexPath, index.weight_map);
    return { files: [...new Set(placedIn.values())].sort(), placedIn };
  }
  for (const pickled of ["pytorch_model.bin", "pytorch_model.bin.index.json"]) {
    if (await fileFacts(joinPath(folder, pickled))) {
      throw new UnsupportedError(`${folder} has its weights in ${pickled}, a format that can run code.`, {
        hint: "Take the safetensors files of this model, or convert it to them.",
      });
    }
  }
  throw new NotFoundError(`There are no weights in ${folder}: neither ${single} nor ${single}.index.json.`);
}

function checkWeightMap(file: string, map: unknown): Map<string, string> {
  if (typeof map !== "object" || map === null) throw new FormatError(file, "weight_map", map, "an object");
  const placedIn = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    // a plain name: a path could lead out of the folder
    if (typeof shard !== "string" || !/^[\w.+ -]+\.safetensors$/.test(shard)) {
      throw new FormatError(file, `weight_map ${tensor}`, shard, "the name of a .safetensors file in this folder");
    }
    placedIn.set(tensor, shard);
  }
  if (placedIn.size === 0) throw new FormatError(file, "weight_map", "empty", "tensors");
  return placedIn;
}

function checkIndex(
  path: string,
  file: string,
  tensors: ReadonlyMap<string, unknown>,
  placedIn: ReadonlyMap<string, string>,
): void {
  for (const [tensor, shard] of placedIn) {
    if (shard === file && !tensors.has(tensor)) {
      throw new FormatError(path, `tensor ${tensor}`, "missing", "in this file, as the index says");
    }
  }
}
