// A tokenizer alone: of a model by name or path, of a tokenizer.json, or of a folder that holds one and no model yet.
import { NotFoundError } from "../base/errors.ts";
import { readTextFiles } from "../format/hf-folder.ts";
import { parseJson } from "../format/json.ts";
import { tokenizerFromHuggingFace } from "../text/from-huggingface.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { fileFacts, joinPath, readBytes, splitPath } from "#platform";
import { openTextSide } from "./open-text-side.ts";

const TOKENIZER_BYTES_MAX = 256 * 2 ** 20; // as in a model folder

/** Throws as the readers of these files do; NotFoundError when there is nothing of that name. */
export async function openTokenizer(nameOrPath: string): Promise<Tokenizer> {
  const facts = await fileFacts(nameOrPath);
  if (facts?.kind === "folder" && (await fileFacts(joinPath(nameOrPath, "config.json"))) === undefined) {
    if ((await fileFacts(joinPath(nameOrPath, "tokenizer.json"))) !== undefined) return await fromFolder(nameOrPath);
  }
  if (facts?.kind === "file" && nameOrPath.endsWith(".json")) {
    const { folder, name } = splitPath(nameOrPath);
    if (name === "tokenizer.json") return await fromFolder(folder);
    const tokenizer = parseJson(nameOrPath, "text", await readBytes(nameOrPath, TOKENIZER_BYTES_MAX));
    return tokenizerFromHuggingFace({ tokenizer }, nameOrPath);
  }
  await using model = await openTextSide(nameOrPath);
  return model.tokenizer;
}

async function fromFolder(folder: string): Promise<Tokenizer> {
  const { tokenizer, ...others } = await readTextFiles(folder);
  if (tokenizer === undefined) throw new NotFoundError(`There is no tokenizer.json in ${folder}.`);
  return tokenizerFromHuggingFace({ ...others, tokenizer }, joinPath(folder, "tokenizer.json"));
}
