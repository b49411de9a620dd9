// POST /v1/completions: continues texts or ids, with no template. One request may hold several prompts; a choice's index
// counts prompt by prompt, n replies each. Not here: running the replies (replies.ts), token texts (text-logprobs.ts).
import { withoutUndefined } from "../../base/collections.ts";
import * as z from "zod";
import { UsageError } from "../../base/errors.ts";
import type { GenerateOptions, LanguageModel, Usage } from "../../chat/types.ts";
import { readJson } from "../body.ts";
import { reportError } from "../errors.ts";
import type { ModelPool } from "../model-pool.ts";
import { abortWith, afterFirst, holding, sseResponse, type SseData } from "../sse.ts";
import {
  TOP_LOGPROBS_MAX,
  checkBias,
  checkIds,
  flag,
  refuse,
  withSeed,
  sharedFields,
  toOptions,
  whole,
} from "./fields.ts";
import { collectReplies, runReplies, sumUsage, type IndexedEvent, type ReplyRun } from "./replies.ts";
import { type Prompt, idsOf, joinLogprobs, promptLogprobs, replyLogprobs, type TextLogprobs } from "./text-logprobs.ts";

const PROMPTS_MAX = 64; // each is a whole reply's work
const MAX_TOKENS_DEFAULT = 16; // OpenAI's default for this route
const ids = z.array(whole(0, 2 ** 31)).min(1, "expected at least one id");

const completionRequest = z.looseObject({
  ...sharedFields,
  prompt: z.union(
    [
      z.string(),
      ids,
      z.array(z.string(), "expected strings").min(1).max(PROMPTS_MAX, `expected at most ${PROMPTS_MAX} prompts`),
      z.array(ids).min(1).max(PROMPTS_MAX, `expected at most ${PROMPTS_MAX} prompts`),
    ],
    "expected a string, an array of token ids, or an array of those",
  ),
  max_tokens: whole(-1).nullish(),
  echo: flag.nullish(),
  logprobs: whole(0, TOP_LOGPROBS_MAX).nullish(),
  best_of: whole(1).nullish(),
});
type CompletionRequest = z.output<typeof completionRequest>;

const NOT_SUPPORTED = {
  suffix: "text can only be continued at its end yet",
  grammar: "replies cannot be constrained yet",
  json_schema: "replies cannot be constrained yet",
};

/** Answers the request; throws LiangError before the first token, and streams it as an event after that (`log` hears of it then). */
export async function completeText(
  request: Request,
  pool: ModelPool,
  log: (error: unknown) => void,
): Promise<Response> {
  const body = await readJson(request, completionRequest);
  refuse(body, NOT_SUPPORTED);
  if (body.best_of != null && body.best_of !== (body.n ?? 1)) {
    throw new UsageError("best_of is not supported: replies are not ranked.", { field: "best_of" });
  }
  if (body.stream === true && body.echo === true && body.logprobs != null) {
    throw new UsageError("echo with logprobs cannot be streamed.", { field: "echo" });
  }
  if (body.stream === true && body.max_tokens === 0) {
    throw new UsageError("max_tokens is 0: there is nothing to stream.", { field: "max_tokens" });
  }
  const abort = abortWith(request.signal);
  const { signal } = abort;
  using owned = new DisposableStack();
  const lease = owned.use(await pool.acquire(body.model ?? undefined, { signal }));
  const { model } = lease;
  const prompts = toPrompts(body.prompt);
  const { vocabularySize } = model.info;
  checkBias(body, vocabularySize);
  for (const prompt of prompts) if (typeof prompt !== "string") checkIds(prompt, "prompt", vocabularySize);
  const facts = {
    id: `cmpl-${crypto.randomUUID()}`,
    object: "text_completion",
    created: Math.floor(Date.now() / 1000),
    model: lease.name,
  };
  const n = body.n ?? 1;
  const runs = body.max_tokens === 0 ? [] : toRuns(model, prompts, body, signal);
  const promptOf = (index: number) => Math.floor(index / n);
  if (body.stream !== true) {
    return Response.json({ ...facts, ...(await wholeCompletion(model, prompts, runs, body, signal)) });
  }
  const echoes = body.echo === true ? prompts.map((prompt) => textOf(model, prompt)) : undefined;
  const events = await afterFirst(holding(owned.move(), runReplies(runs)), signal);
  return sseResponse(
    chunks(events, facts, {
      includeUsage: body.stream_options?.include_usage === true,
      echo: (index) => echoes?.[promptOf(index)] ?? "",
      promptOf,
    }),
    { abort: () => abort.abort(), onError: (error) => ({ error: reportError(error, log) }) },
  );
}

function toPrompts(prompt: CompletionRequest["prompt"]): Prompt[] {
  if (typeof prompt === "string") return [prompt];
  return typeof prompt[0] === "number" ? [prompt as number[]] : (prompt as Prompt[]);
}

function toRuns(
  model: LanguageModel,
  prompts: readonly Prompt[],
  body: CompletionRequest,
  signal: AbortSignal,
): ReplyRun[] {
  const n = body.n ?? 1;
  const maxTokens = body.max_tokens ?? MAX_TOKENS_DEFAULT;
  const options = withoutUndefined<GenerateOptions>({
    ...toOptions(body),
    maxTokens: maxTokens < 0 ? undefined : maxTokens,
    logprobs: body.logprobs ?? undefined,
  });
  return prompts.flatMap((prompt, number) =>
    Array.from({ length: n }, (_, reply) => ({
      index: number * n + reply,
      start: () => model.generate(prompt, { ...withSeed(options, reply), signal }),
    })),
  );
}

async function wholeCompletion(
  model: LanguageModel,
  prompts: readonly Prompt[],
  runs: readonly ReplyRun[],
  body: CompletionRequest,
  signal: AbortSignal,
): Promise<object> {
  const n = body.n ?? 1;
  const replies = await collectReplies(runs);
  const echoed: { text: string; logprobs: TextLogprobs | undefined }[] = [];
  for (const prompt of prompts) {
    const withLogprobs = body.echo === true && body.logprobs != null;
    echoed.push({
      text: body.echo === true ? textOf(model, prompt) : "",
      logprobs: withLogprobs ? await promptLogprobs(model, prompt, body.logprobs ?? 0, signal) : undefined,
    });
  }
  const choices = Array.from({ length: prompts.length * n }, (_, index) => {
    const reply = replies.find((one) => one.index === index);
    const echo = echoed[Math.floor(index / n)];
    const logprobs = [echo.logprobs, reply === undefined ? undefined : replyLogprobs(reply.logprobs)];
    return {
      index,
      text: echo.text + (reply?.text ?? ""),
      logprobs: body.logprobs == null ? null : joinLogprobs(logprobs.filter((one) => one !== undefined)),
      finish_reason: reply?.finishReason ?? "length",
    };
  });
  const counted =
    replies.length > 0 ? replies : prompts.map((prompt, number) => promptUsage(model, prompt, number * n));
  return { choices, usage: sumUsage(counted, (index) => Math.floor(index / n)) };
}

/** The usage of a prompt that only was read (max_tokens 0). */
function promptUsage(model: LanguageModel, prompt: Prompt, index: number): { index: number; usage: Usage } {
  return { index, usage: { promptTokens: idsOf(model, prompt).length, cachedTokens: 0, completionTokens: 0 } };
}

const textOf = (model: LanguageModel, prompt: Prompt): string =>
  typeof prompt === "string" ? prompt : model.detokenize(prompt);

async function* chunks(
  events: AsyncIterable<IndexedEvent>,
  facts: object,
  options: { includeUsage: boolean; echo: (index: number) => string; promptOf: (index: number) => number },
): AsyncGenerator<SseData> {
  const base = { ...facts, ...(options.includeUsage ? { usage: null } : {}) };
  const choice = (index: number, text: string, finish: string | null, logprobs: object | null) => ({
    ...base,
    choices: [{ index, text, logprobs, finish_reason: finish }],
  });
  const usages: { index: number; usage: Usage }[] = [];
  let textOffset = 0;
  for await (const { index, event } of events) {
    if (event.type === "text-start") {
      textOffset = 0;
      if (options.echo(index) !== "") yield choice(index, options.echo(index), null, null);
    } else if (event.type === "text-delta") {
      const logprobs = event.logprobs === undefined ? null : replyLogprobs(event.logprobs, textOffset);
      textOffset += logprobs?.tokens.join("").length ?? 0;
      if (event.text !== "" || logprobs !== null) yield choice(index, event.text, null, logprobs);
    } else if (event.type === "end") {
      usages.push({ index, usage: event.usage });
      yield choice(index, "", event.finishReason, null);
    }
  }
  if (options.includeUsage) yield { ...base, choices: [], usage: sumUsage(usages, options.promptOf) };
  yield "[DONE]";
}
