// The door's model over its parts: engine, tokenizer, template. Text becomes ids here and nowhere else.
// Not here: opening files (load.ts), the stream of one reply (reply.ts).
import { untilAborted } from "../base/abort.ts";
import { UsageError } from "../base/errors.ts";
import type { Engine } from "../engine/index.ts";
import type { ChatTemplate } from "../text/template.ts";
import { createTextSide, withBos } from "./text-side.ts";
import type { Reader } from "./reading/reader.ts";
import { streamReply } from "./reply.ts";
import type { ReplySource } from "./reply.ts";
import type { AttachOptions, GenerateOptions, LanguageModel, ModelInfo, ReplyEvent } from "./types.ts";

export interface ModelParts extends ReplySource {
  readonly info: ModelInfo;
  readonly engine: Pick<Engine, "generate" | "logits" | "score">;
  readonly reader: Pick<Reader, "embed" | "rerank" | "classify">;
  readonly template: ChatTemplate;
  /** As `LanguageModel.attach`. */
  attach(path: string, options: AttachOptions): Promise<LanguageModel>;
  /** Frees everything that the model owns, once. */
  close(): Promise<void>;
}

/** Puts a model together; it owns the parts. */
export function createLanguageModel(parts: ModelParts): LanguageModel {
  const { info, engine, reader } = parts;
  const text = createTextSide(parts);
  const closed = new AbortController();
  let closing: Promise<void> | undefined;

  function checkOpen(): void {
    if (closing !== undefined) throw new UsageError(`The model ${info.name} is closed.`);
  }

  async function* reply(
    prompt: () => Promise<readonly number[]>,
    options: GenerateOptions,
  ): AsyncGenerator<ReplyEvent, void> {
    checkOpen();
    const signal = options.signal === undefined ? closed.signal : AbortSignal.any([options.signal, closed.signal]);
    yield* streamReply(parts, await untilAborted(prompt(), signal), options);
  }

  async function close(): Promise<void> {
    closed.abort(new DOMException("The model was closed.", "AbortError"));
    closing ??= parts.close();
    await closing;
  }

  return {
    info,
    chat: (messages, options = {}) => reply(() => text.promptIds(messages, options), options),
    generate: (prompt, options = {}) => reply(async () => idsOf(parts, prompt), options),
    ...text,
    async render(messages, options) {
      checkOpen();
      return await text.render(messages, options);
    },
    async promptIds(messages, options) {
      checkOpen();
      return await text.promptIds(messages, options);
    },
    async logits(ids, options) {
      checkOpen();
      return await engine.logits(ids, options);
    },
    async score(ids, options) {
      checkOpen();
      return await engine.score(ids, options);
    },
    async embed(inputs, options) {
      checkOpen();
      return await reader.embed(inputs, options);
    },
    async rerank(query, documents, options) {
      checkOpen();
      return await reader.rerank(query, documents, options);
    },
    async classify(pictures, options) {
      checkOpen();
      return await reader.classify(pictures, options);
    },
    async attach(path, options = {}) {
      checkOpen();
      return await parts.attach(path, options);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The ids of a prompt without a template. A model begins from nothing with BOS, or with what ends a text before it. */
function idsOf({ tokenizer, startId }: ModelParts, prompt: string | readonly number[]): readonly number[] {
  if (typeof prompt === "string" && startId !== undefined) return tokenizer.encode(prompt, { bos: true });
  const ids = typeof prompt === "string" ? withBos(tokenizer, tokenizer.encode(prompt)) : prompt;
  if (ids.length > 0) return ids;
  const first = tokenizer.specials.bos ?? tokenizer.specials.eos;
  if (first !== undefined) return [first];
  throw new UsageError("The prompt is empty.", { field: "prompt", hint: "This model has no token to begin with." });
}
