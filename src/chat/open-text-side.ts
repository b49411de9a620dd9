// The words of a model alone, without its weights: also of a vocabulary file, or of a family that Liang cannot run.
import { UnsupportedError } from "../base/errors.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import type { ChatTemplate } from "../text/template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { chooseTemplate } from "./choose-template.ts";
import { resolveModel } from "./resolve.ts";
import { type TextSide, createTextSide } from "./text-side.ts";
import { readTexts } from "./texts.ts";

/** A text side that owns its files, with what it is made of: for showing tokens, and for training. */
export interface OpenTextSide extends TextSide, AsyncDisposable {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
}

/** Opens the words of a model, by name or path. Throws as `load` does, and UnsupportedError where there are none. */
export async function openTextSide(nameOrPath: string, template?: string): Promise<OpenTextSide> {
  await using files = await openModelFiles(await resolveModel(nameOrPath));
  const { tokenizer, templates } = await readTexts(files, 0);
  if (tokenizer.vocabularySize === 0) throw new UnsupportedError(`${files.file} has no tokenizer.`);
  const chosen = chooseTemplate(templates, tokenizer, template);
  return {
    ...createTextSide({ tokenizer, template: chosen.template }),
    tokenizer,
    template: chosen.template,
    [Symbol.asyncDispose]: () => chosen.template.close(),
  };
}
