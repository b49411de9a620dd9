// POST /v1/chat/completions: a reply to a conversation, whole or as a stream of chunks. Shapes follow OpenAI's API as
// its client library reads it: the first delta has the role, a chunk has the finish_reason, usage comes last with empty
// choices, then [DONE]. Not here: running the replies (replies.ts), field checks (fields.ts, messages.ts).
import { withoutUndefined } from "../../base/collections.ts";
import * as z from "zod";
import { UsageError } from "../../base/errors.ts";
import type { ChatOptions, TokenLogprob, Usage } from "../../chat/types.ts";
import { readJson } from "../body.ts";
import { reportError } from "../errors.ts";
import type { ModelPool } from "../model-pool.ts";
import { abortWith, afterFirst, holding, sseResponse, type SseData } from "../sse.ts";
import { TOP_LOGPROBS_MAX, checkBias, flag, refuse, withSeed, sharedFields, toOptions, whole } from "./fields.ts";
import { messagesField, toMessages, toTools, toolChoiceField, toolsField } from "./messages.ts";
import { collectReplies, runReplies, sumUsage, type IndexedEvent, type ReplyRun } from "./replies.ts";

const chatRequest = z.looseObject({
  ...sharedFields,
  messages: messagesField,
  max_tokens: whole(-1).nullish(),
  max_completion_tokens: whole(-1).nullish(),
  logprobs: flag.nullish(),
  top_logprobs: whole(0, TOP_LOGPROBS_MAX).nullish(),
  tools: toolsField,
  tool_choice: toolChoiceField,
  response_format: z.looseObject({ type: z.string("expected a string") }, "expected an object").nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown(), "expected an object").nullish(),
});
type ChatRequest = z.output<typeof chatRequest>;

const NOT_SUPPORTED = {
  grammar: "replies cannot be constrained yet",
  json_schema: "replies cannot be constrained yet",
  functions: "use tools",
  audio: "only text can be generated",
};

/** Answers the request; throws LiangError before the first token, and streams it as an event after that (`log` hears of it then). */
export async function completeChat(
  request: Request,
  pool: ModelPool,
  log: (error: unknown) => void,
): Promise<Response> {
  const body = await readJson(request, chatRequest);
  refuse(body, NOT_SUPPORTED);
  if (body.response_format != null && body.response_format.type !== "text") {
    const field = "response_format.type";
    throw new UsageError(`${field} is ${JSON.stringify(body.response_format.type)}: only "text" is supported yet.`, {
      field: "response_format",
    });
  }
  if (body.top_logprobs != null && body.logprobs !== true) {
    throw new UsageError("top_logprobs needs logprobs to be true.", { field: "top_logprobs" });
  }
  const abort = abortWith(request.signal);
  const { signal } = abort;
  const messages = toMessages(body.messages);
  const options = toChatOptions(body);
  using owned = new DisposableStack();
  const lease = owned.use(await pool.acquire(body.model ?? undefined, { signal }));
  checkBias(body, lease.model.info.vocabularySize);
  const runs = Array.from({ length: body.n ?? 1 }, (_, index): ReplyRun => {
    return { index, start: () => lease.model.chat(messages, { ...withSeed(options, index), signal }) };
  });
  const facts = {
    id: `chatcmpl-${crypto.randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: lease.name,
  };
  if (body.stream !== true) return Response.json(await wholeCompletion(runs, facts, body.logprobs === true));
  const includeUsage = body.stream_options?.include_usage === true;
  const events = await afterFirst(holding(owned.move(), runReplies(runs)), signal);
  return sseResponse(chunks(events, facts, includeUsage), {
    abort: () => abort.abort(),
    onError: (error) => ({ error: reportError(error, log) }),
  });
}

function toChatOptions(body: ChatRequest): ChatOptions {
  const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? -1; // -1, as elsewhere: what the window holds
  if (maxTokens === 0) throw new UsageError("max_tokens is 0: expected at least 1.", { field: "max_tokens" });
  const tools = toTools(body.tools, body.tool_choice);
  const templateOptions = withoutUndefined({
    ...body.chat_template_kwargs,
    ...(tools === undefined || body.tool_choice == null ? {} : { tool_choice: body.tool_choice }),
  });
  return withoutUndefined<ChatOptions>({
    ...toOptions(body),
    maxTokens: maxTokens < 0 ? undefined : maxTokens,
    logprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : undefined,
    tools,
    templateOptions: Object.keys(templateOptions).length === 0 ? undefined : templateOptions,
  });
}

interface Facts {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

async function wholeCompletion(runs: readonly ReplyRun[], facts: Facts, withLogprobs: boolean): Promise<object> {
  const replies = await collectReplies(runs);
  return {
    ...facts,
    object: "chat.completion",
    choices: replies.map(({ index, text, logprobs, finishReason }) => ({
      index,
      message: { role: "assistant", content: text, refusal: null },
      logprobs: withLogprobs ? logprobsBlock(logprobs) : null,
      finish_reason: finishReason,
    })),
    usage: sumUsage(replies),
  };
}

async function* chunks(
  events: AsyncIterable<IndexedEvent>,
  facts: Facts,
  includeUsage: boolean,
): AsyncGenerator<SseData> {
  // With include_usage every chunk has the field, null until the last.
  const base = { ...facts, object: "chat.completion.chunk", ...(includeUsage ? { usage: null } : {}) };
  const choice = (index: number, delta: object, finish: string | null = null, logprobs: object | null = null) => ({
    ...base,
    choices: [{ index, delta, logprobs, finish_reason: finish }],
  });
  const usages: { index: number; usage: Usage }[] = [];
  for await (const { index, event } of events) {
    if (event.type === "text-start") yield choice(index, { role: "assistant", content: "" });
    else if (event.type === "text-delta") {
      const logprobs = event.logprobs === undefined ? null : logprobsBlock(event.logprobs);
      if (event.text !== "" || logprobs !== null) yield choice(index, { content: event.text }, null, logprobs);
    } else if (event.type === "end") {
      usages.push({ index, usage: event.usage });
      yield choice(index, {}, event.finishReason);
    }
  }
  if (includeUsage) yield { ...base, choices: [], usage: sumUsage(usages) };
  yield "[DONE]";
}

function logprobsBlock(logprobs: readonly TokenLogprob[]): object {
  return {
    content: logprobs.map(({ token, logprob, bytes, top }) => ({
      token,
      logprob,
      bytes,
      top_logprobs: top.map((one) => ({ token: one.token, logprob: one.logprob, bytes: one.bytes })),
    })),
    refusal: null,
  };
}

const templateRequest = z.object({
  model: sharedFields.model,
  messages: messagesField,
  tools: toolsField,
  tool_choice: toolChoiceField,
  chat_template_kwargs: chatRequest.shape.chat_template_kwargs,
  add_generation_prompt: flag.nullish(),
});

/** POST /apply-template: the exact prompt that the chat route would read. */
export async function applyTemplate(request: Request, pool: ModelPool): Promise<Response> {
  const body = await readJson(request, templateRequest);
  const messages = toMessages(body.messages);
  using lease = await pool.acquire(body.model ?? undefined, { signal: request.signal });
  const { tools, templateOptions } = toChatOptions(body);
  const prompt = await lease.model.render(
    messages,
    withoutUndefined({ tools, templateOptions, addGenerationPrompt: body.add_generation_prompt ?? undefined }),
  );
  return Response.json({ prompt });
}
