// The half of a model that is words: tokenizer and template, without weights. Not here: opening it alone
// (open-text-side.ts).
import type { ChatTemplate, RenderedPrompt } from "../text/template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { templateMessages } from "./messages.ts";
import type { LanguageModel, Message, RenderOptions } from "./types.ts";

export type TextSide = Pick<LanguageModel, "render" | "promptIds" | "tokenize" | "detokenize">;

export interface TextParts {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  /** What replies begin after, of a model that reads a source: prompts are sources, whole texts with their end. */
  readonly startId?: number | undefined;
}

/** The text side of a tokenizer and a template that somebody else owns. */
export function createTextSide({ tokenizer, template, startId }: TextParts): TextSide {
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
      if (startId !== undefined) return tokenizer.encode(text, { special: true, plain, bos: true });
      return withBos(tokenizer, tokenizer.encode(text, { special: true, plain }));
    },
    tokenize(text, { special = false, bos = false } = {}) {
      const ids = tokenizer.encode(text, { special });
      return bos ? withBos(tokenizer, ids) : ids;
    },
    detokenize: (ids, { special = true, start = true } = {}) => tokenizer.decode(ids, { special, start }),
  };
}

/** BOS first (or what else stands before a text) where the model wants it and the template has not written it already. */
export function withBos({ addBos, specials, before }: Tokenizer, ids: number[]): number[] {
  const first = before ?? (specials.bos === undefined ? [] : [specials.bos]);
  return !addBos || first.every((id, i) => ids[i] === id) ? ids : [...first, ...ids];
}
