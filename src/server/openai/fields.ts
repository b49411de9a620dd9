// The request fields that both completion APIs share, and how they become options of the door. A field that is null
// counts as absent; a field nobody knows is ignored, as OpenAI's own server does; a known one that would change the reply
// and cannot be obeyed yet is refused by name.
import { withoutUndefined } from "../../base/collections.ts";
import * as z from "zod";
import { UsageError } from "../../base/errors.ts";
import type { GenerateOptions } from "../../chat/types.ts";

const REPLIES_MAX = 8; // `n` multiplies the work of one request
const STOPS_MAX = 16;
export const TOP_LOGPROBS_MAX = 20; // as in OpenAI's API

const between = (low: number, high: number) =>
  z
    .number(`expected a number from ${low} to ${high}`)
    .min(low, `expected at least ${low}`)
    .max(high, `expected at most ${high}`);
export const whole = (low: number, high: number = Number.MAX_SAFE_INTEGER) =>
  z.int("expected a whole number").min(low, `expected at least ${low}`).max(high, `expected at most ${high}`);
const stopString = z.string("expected a string").min(1, "expected at least one character");

export const flag = z.boolean("expected true or false");
export const modelField = z.string("expected a model's name").min(1, "expected a model's name").nullish();

/** Sampling, length and stream fields of both APIs. */
export const sharedFields = {
  model: modelField,
  stream: flag.nullish(),
  stream_options: z.object({ include_usage: flag.nullish() }, "expected an object").nullish(),
  n: whole(1, REPLIES_MAX).nullish(),
  temperature: between(0, 5).nullish(),
  top_p: between(0, 1).nullish(),
  top_k: whole(-1).nullish(),
  min_p: between(0, 1).nullish(),
  typical_p: between(0, 1).nullish(),
  repetition_penalty: between(0.01, 10).nullish(),
  repeat_penalty: between(0.01, 10).nullish(),
  repeat_last_n: whole(-1).nullish(),
  presence_penalty: between(-2, 2).nullish(),
  frequency_penalty: between(-2, 2).nullish(),
  logit_bias: z
    .record(
      z.string().regex(/^\d{1,9}$/, "expected token ids as keys"),
      between(-100, 100),
      "expected an object of token ids and numbers",
    )
    .nullish(),
  seed: z.number("expected a whole number").refine(Number.isInteger, "expected a whole number").nullish(),
  stop: z
    .union(
      [stopString, z.array(stopString).max(STOPS_MAX, `expected at most ${STOPS_MAX} strings`)],
      "expected a string or an array of strings",
    )
    .nullish(),
};
const sharedSchema = z.object(sharedFields);
export type SharedRequest = z.output<typeof sharedSchema>;

/** The door's options for the shared fields. What is absent stays absent, so that the model's own defaults hold. */
export function toOptions(request: SharedRequest): GenerateOptions {
  const topK = request.top_k ?? undefined;
  const seed = request.seed ?? undefined;
  const stop = request.stop ?? undefined;
  return withoutUndefined({
    temperature: request.temperature ?? undefined,
    topP: positive(request.top_p),
    topK: topK === -1 ? 0 : topK, // both mean "all" among OpenAI-shaped servers
    minP: request.min_p ?? undefined,
    typicalP: positive(request.typical_p),
    repetitionPenalty: request.repetition_penalty ?? request.repeat_penalty ?? undefined,
    penaltyTokens: request.repeat_last_n ?? undefined,
    presencePenalty: request.presence_penalty ?? undefined,
    frequencyPenalty: request.frequency_penalty ?? undefined,
    logitBias: request.logit_bias ?? undefined,
    // -1 asks for a drawn seed; other signed 64-bit seeds are valid in OpenAI's API and become 53 bits.
    seed: seed === undefined || seed === -1 ? undefined : Number(BigInt.asUintN(53, BigInt(seed))),
    stop: typeof stop === "string" ? [stop] : stop,
  });
}

// The APIs allow 0 for "the best token alone"; the door wants a share that is there.
const LEAST_SHARE = 1e-9;
const positive = (share: number | null | undefined) => (share === 0 ? LEAST_SHARE : (share ?? undefined));

/** Throws UsageError, with the client's own name for the field, for ids that the model does not have. */
export function checkIds(ids: readonly number[], field: string, vocabularySize: number): void {
  const wrong = ids.find((id) => id >= vocabularySize);
  if (wrong === undefined) return;
  throw new UsageError(`${field} has the token id ${wrong}, expected ids from 0 to ${vocabularySize - 1}.`, { field });
}

/** The same for the ids of logit_bias. */
export function checkBias({ logit_bias }: SharedRequest, vocabularySize: number): void {
  checkIds(Object.keys(logit_bias ?? {}).map(Number), "logit_bias", vocabularySize);
}

/** The options of reply number `index` of one request: given a seed, all differ and all follow from it. */
export function withSeed<T extends GenerateOptions>(options: T, index: number): T {
  return options.seed === undefined ? options : { ...options, seed: (options.seed + index) % 2 ** 53 };
}

/** Throws UsageError for the first of `names` that the request sets to more than nothing. */
export function refuse(request: Readonly<Record<string, unknown>>, names: Readonly<Record<string, string>>): void {
  for (const [name, reason] of Object.entries(names)) {
    const value = request[name];
    if (value !== undefined && value !== null && value !== "") {
      throw new UsageError(`${name} is not supported: ${reason}.`, { field: name });
    }
  }
}
