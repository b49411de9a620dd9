// The half of a model that is words: tokenizer and template, without weights. A loaded model has one; `openTextSide` opens
// it alone, also from a vocabulary file or for a family that Liang cannot run.
import { UnsupportedError } from "../base/errors.ts";
import { openModelFiles } from "../format/open-model-files.ts";
import type { ChatTemplate, RenderedPrompt } from "../text/template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { chooseTemplate } from "./choose-template.ts";
import { templateMessages } from "./messages.ts";
import { resolveModel } from "./resolve.ts";
import { readTexts } from "./texts.ts";
import type { LanguageModel, Message, RenderOptions } from "./types.ts";

export type TextSide = Pick<LanguageModel, "render" | "promptIds" | "tokenize" | "detokenize">;

/** The text side of a tokenizer and a template that somebody else owns. */
export function createTextSide({ tokenizer, template }: { tokenizer: Tokenizer; template: ChatTemplate }): TextSide {
  async function render(messages: readonly Message[], options: RenderOptions = {}): Promise<RenderedPrompt> {
    const { tools, addGenerationPrompt = true, templateOptions } = options;
    const source = template.source((tools?.length ?? 0) > 0);
    return await template.render({
      messages: templateMessages(messages, source),
      addGenerationPrompt,
      ...(tools !== undefined && { tools }),
      ...(templateOptions !== undefined && { options: templateOptions }),
    });
  }

  return {
    render: async (messages, options) => (await render(messages, options)).text,
    async promptIds(messages, options) {
      const { text, plain } = await render(messages, options);
      return withBos(tokenizer, tokenizer.encode(text, { special: true, plain }));
    },
    tokenize(text, { special = false, bos = false } = {}) {
      const ids = tokenizer.encode(text, { special });
      return bos ? withBos(tokenizer, ids) : ids;
    },
    detokenize: (ids, { special = true, start = true } = {}) => tokenizer.decode(ids, { special, start }),
  };
}

/** BOS first where the model wants one and the template has not written it already. */
export function withBos({ addBos, specials }: Tokenizer, ids: number[]): number[] {
  return addBos && specials.bos !== undefined && ids[0] !== specials.bos ? [specials.bos, ...ids] : ids;
}

/** A text side that owns its files, with the tokenizer itself for showing tokens. */
export interface OpenTextSide extends TextSide, AsyncDisposable {
  readonly tokenizer: Tokenizer;
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
    [Symbol.asyncDispose]: () => chosen.template.close(),
  };
}
