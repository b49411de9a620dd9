// The words of a model alone, without its weights: also of a vocabulary file, of a family that Liang cannot run, of a
// tokenizer.json, or of a folder that holds a tokenizer and no model yet.
import { UnsupportedError } from "../base/errors.ts";
import { noTextFiles, readTextFiles } from "../format/hf-folder.ts";
import { parseJson } from "../format/json.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import type { ChatTemplate } from "../text/template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { fileFacts, joinPath, readBytes, splitPath } from "#platform";
import { chooseTemplate } from "./choose-template.ts";
import { resolveModel } from "./resolve.ts";
import { type TextSide, createTextSide } from "./text-side.ts";
import { type TextFiles, type Texts, readTexts } from "./texts.ts";

const TOKENIZER_BYTES_MAX = 256 * 2 ** 20; // as in a model folder

/** A text side that owns its files, with what it is made of: for showing tokens, and for training. */
export interface OpenTextSide extends TextSide, AsyncDisposable {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
}

/** Opens words by a model's name or a path. Throws as `load` does, and UnsupportedError where there are none. */
export async function openTextSide(nameOrPath: string, template?: string): Promise<OpenTextSide> {
  const path = await resolveModel(nameOrPath);
  const { tokenizer, templates } = await textsAt(path);
  if (tokenizer.vocabularySize === 0) throw new UnsupportedError(`${path} has no tokenizer.`);
  const chosen = chooseTemplate(templates, tokenizer, template);
  return {
    ...createTextSide({ tokenizer, template: chosen.template }),
    tokenizer,
    template: chosen.template,
    [Symbol.asyncDispose]: () => chosen.template.close(),
  };
}

async function textsAt(path: string): Promise<Texts> {
  const alone = await tokenizerAlone(path);
  if (alone !== undefined) return await readTexts(alone, 0);
  await using files = await openModelFiles(path);
  return await readTexts(files, 0);
}

/** What is there where it is no model: a tokenizer.json under any name, or a folder with a tokenizer. */
async function tokenizerAlone(path: string): Promise<TextFiles | undefined> {
  const { folder, name } = splitPath(path);
  if (name === "tokenizer.json") return folderOf(folder);
  const has = async (file: string): Promise<boolean> => (await fileFacts(joinPath(path, file))) !== undefined;
  if ((await fileFacts(path))?.kind === "folder") {
    const isAlone = !(await has("config.json")) && ((await has("tokenizer.json")) || (await has("tokenizer.model")));
    return isAlone ? folderOf(path) : undefined;
  }
  if (!name.endsWith(".json")) return undefined;
  const tokenizer = parseJson(path, "text", await readBytes(path, TOKENIZER_BYTES_MAX));
  return { kind: "hf", file: path, readTextFiles: () => Promise.resolve({ ...noTextFiles, tokenizer }) };
}

const folderOf = (folder: string): TextFiles => ({
  kind: "hf",
  file: folder,
  readTextFiles: () => readTextFiles(folder),
});
