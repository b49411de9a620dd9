// The door's model over its parts: engine, tokenizer, template. Text becomes ids here and nowhere else.
// Not here: opening files (load.ts), the stream of one reply (reply.ts).
import { UsageError, show } from "../base/errors.ts";
import type { Engine } from "../engine/index.ts";
import type { ChatTemplate, RenderedPrompt } from "../text/template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { templateMessages } from "./messages.ts";
import { streamReply } from "./reply.ts";
import type { ReplySource } from "./reply.ts";
import type { LanguageModel, Message, ModelInfo, RenderOptions, ReplyEvent } from "./types.ts";

export interface ModelParts extends ReplySource {
  readonly info: ModelInfo;
  readonly engine: Pick<Engine, "generate" | "logits" | "score">;
  readonly template: ChatTemplate;
  /** Frees everything that the model owns, once. */
  close(): Promise<void>;
}

/** Puts a model together; it owns the parts. */
export function createLanguageModel(parts: ModelParts): LanguageModel {
  const { info, engine, tokenizer, template } = parts;
  let closing: Promise<void> | undefined;

  function checkOpen(): void {
    if (closing !== undefined) throw new UsageError(`The model ${info.name} is closed.`);
  }

  async function render(messages: readonly Message[], options: RenderOptions): Promise<RenderedPrompt> {
    checkOpen();
    const { tools, addGenerationPrompt = true, templateOptions } = options;
    const source = template.source((tools?.length ?? 0) > 0);
    return await template.render({
      messages: templateMessages(messages, source),
      addGenerationPrompt,
      ...(tools !== undefined && { tools }),
      ...(templateOptions !== undefined && { options: templateOptions }),
    });
  }

  async function promptIds(messages: readonly Message[], options: RenderOptions = {}): Promise<number[]> {
    const { text, plain } = await render(messages, options);
    return withBos(tokenizer, tokenizer.encode(text, { special: true, plain }));
  }

  async function* reply(prompt: () => Promise<readonly number[]>, options: object): AsyncGenerator<ReplyEvent, void> {
    checkOpen();
    yield* streamReply(parts, await prompt(), options);
  }

  async function close(): Promise<void> {
    closing ??= parts.close();
    await closing;
  }

  return {
    info,
    chat: (messages, options = {}) => reply(() => promptIds(messages, options), options),
    generate: (prompt, options = {}) => reply(async () => idsOf(parts, prompt), options),
    render: async (messages, options = {}) => (await render(messages, options)).text,
    promptIds,
    tokenize(text, { special = false, bos = false } = {}) {
      const ids = tokenizer.encode(text, { special });
      return bos ? withBos(tokenizer, ids) : ids;
    },
    detokenize: (ids, { special = true } = {}) => tokenizer.decode(ids, { special }),
    async logits(ids, options) {
      checkOpen();
      return await engine.logits(checkedIds(info, ids), options);
    },
    async score(ids, options) {
      checkOpen();
      return await engine.score(checkedIds(info, ids), options);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** BOS first where the model wants one and the template has not written it already. */
function withBos({ addBos, specials }: Tokenizer, ids: number[]): number[] {
  return addBos && specials.bos !== undefined && ids[0] !== specials.bos ? [specials.bos, ...ids] : ids;
}

/** The ids of a prompt without a template. A model begins from nothing with BOS, or with what ends a text before it. */
function idsOf({ info, tokenizer }: ModelParts, prompt: string | readonly number[]): readonly number[] {
  const ids = typeof prompt === "string" ? withBos(tokenizer, tokenizer.encode(prompt)) : checkedIds(info, prompt);
  if (ids.length > 0) return ids;
  const first = tokenizer.specials.bos ?? tokenizer.specials.eos;
  if (first !== undefined) return [first];
  throw new UsageError("The prompt is empty.", { field: "prompt", hint: "This model has no token to begin with." });
}

function checkedIds({ vocabularySize }: ModelInfo, ids: readonly number[]): readonly number[] {
  const wrong = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
  if (wrong < 0) return ids;
  throw new UsageError(`ids[${wrong}] is ${show(ids[wrong])}, expected an id from 0 to ${vocabularySize - 1}.`, {
    field: "ids",
  });
}
