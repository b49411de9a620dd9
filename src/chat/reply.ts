// One reply as a stream of events: ids from the engine → text that can no longer change, cut before stop strings, with
// ids, log-probabilities, usage and timings. Not here: prompts (language-model.ts), choosing ids (engine/).
import { withoutUndefined } from "../base/collections.ts";
import type { EngineEvent, Generation, GenerateRequest } from "../engine/index.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { beamsOf, samplingOf } from "./sampling-defaults.ts";
import { StopStrings } from "./stop-strings.ts";
import type { StreamPart } from "./stop-strings.ts";
import type { GenerateOptions, ReplyDefaults, ReplyEvent, Timings, TokenLogprob } from "./types.ts";

/** What a reply needs of the model. */
export interface ReplySource {
  readonly engine: { generate(request: GenerateRequest): Generation };
  readonly tokenizer: Tokenizer;
  readonly endIds: ReadonlySet<number>;
  readonly defaults: ReplyDefaults;
  /** Of a model that reads a source: what replies begin after, for a prompt is the source. */
  readonly startId?: number | undefined;
}

/** A prompt as the engine takes it: of a model that reads a source, `startId` is what the reply begins after. */
export const promptOf = (ids: readonly number[], startId?: number): Pick<GenerateRequest, "ids" | "source"> =>
  startId === undefined ? { ids } : { source: ids, ids: [startId] };

interface ReplyToken {
  readonly id: number;
  readonly logprob: TokenLogprob | undefined;
}

/** Streams the reply to `promptIds`. Leaving the loop early ends it. Rejects as the engine's Generation does. */
export async function* streamReply(
  { engine, tokenizer, endIds, defaults, startId }: ReplySource,
  promptIds: readonly number[],
  options: GenerateOptions,
): AsyncGenerator<ReplyEvent, void> {
  const beams = beamsOf(options, defaults);
  const sampling = samplingOf(
    beams === undefined ? options : { temperature: 0, ...withoutUndefined(options) },
    defaults,
  );
  const generation = engine.generate({
    ...promptOf(promptIds, startId),
    sampling,
    ...(beams !== undefined && { beams }),
    endIds: options.ignoreEnd ? [] : endIds,
    ...(options.maxTokens !== undefined && { maxTokens: options.maxTokens }),
    ...(options.logprobs !== undefined && { logprobs: options.logprobs }),
    ...(options.reproducible !== undefined && { reproducible: options.reproducible }),
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  // Control tokens are no text, and the reply continues what the prompt began.
  const detokenizer = tokenizer.detokenizer({ special: false, start: false });
  const stops = new StopStrings<ReplyToken>(options.stop ?? []);
  let unfinished: ReplyToken[] = []; // tokens whose text is still to come: a character's first bytes
  let hasBegun = false;
  let cachedTokens = 0;
  const ids: number[] = [];

  const start = (): ReplyEvent => ({
    type: "text-start",
    promptTokens: promptIds.length,
    cachedTokens,
    seed: sampling.seed,
  });

  function* give({ text, items }: StreamPart<ReplyToken>): Generator<ReplyEvent> {
    if (text === "" && items.length === 0) return;
    if (!hasBegun) yield start();
    hasBegun = true;
    ids.push(...items.map(({ id }) => id));
    const logprobs = items.flatMap(({ logprob }) => logprob ?? []);
    yield {
      type: "text-delta",
      text,
      ids: items.map(({ id }) => id),
      ...(options.logprobs !== undefined && { logprobs }),
    };
  }

  for await (const event of generation) {
    if (event.type === "prefill") {
      cachedTokens = event.cached;
      yield { type: "prefill", done: event.done, total: event.total };
    } else if (event.type === "token") {
      if (stops.found !== undefined) continue;
      unfinished.push({ id: event.id, logprob: logprobOf(event, tokenizer) });
      const isToken = event.id < tokenizer.vocabularySize; // some models have more rows than tokens
      const text = isToken ? detokenizer.push(event.id) : "";
      if (text === "" && isToken && !tokenizer.isSpecial(event.id)) continue;
      yield* give(stops.push({ text, items: unfinished }));
      unfinished = [];
      if (stops.found !== undefined) generation.stop();
    } else {
      if (stops.found === undefined) {
        yield* give(stops.push({ text: detokenizer.end(), items: unfinished }));
        yield* give(stops.end());
      }
      if (!hasBegun) yield start();
      yield { type: "text-end" };
      yield {
        type: "end",
        finishReason: stops.found === undefined ? event.reason : "stop",
        ...(stops.found !== undefined && { stopString: stops.found }),
        ids,
        promptIds,
        seed: sampling.seed,
        usage: { promptTokens: promptIds.length, cachedTokens: event.cached, completionTokens: ids.length },
        timings: timingsOf(event.timings),
      };
    }
  }
}

function logprobOf(event: Extract<EngineEvent, { type: "token" }>, tokenizer: Tokenizer): TokenLogprob | undefined {
  if (event.logprob === undefined) return undefined;
  const describe = (id: number, logprob: number): Omit<TokenLogprob, "top"> => {
    const bytes = id < tokenizer.vocabularySize ? tokenizer.tokenBytes(id) : new Uint8Array(0);
    return { id, token: new TextDecoder().decode(bytes), bytes: Array.from(bytes), logprob };
  };
  const top = (event.top ?? []).map(({ id, logprob }) => describe(id, logprob));
  return { ...describe(event.id, event.logprob), top };
}

function timingsOf(timings: Timings): Timings {
  const { prefillMs, firstTokenMs, decodeMs, prefillTokensPerSecond, decodeTokensPerSecond } = timings;
  return { prefillMs, firstTokenMs, decodeMs, prefillTokensPerSecond, decodeTokensPerSecond };
}
