// How ids are chosen when the caller does not say: what the model's files recommend, else our own numbers.
import { type BeamSettings, type SamplingSettings, allowsSetting } from "../engine/index.ts";
import type { GenerateOptions, ReplyDefaults, SamplingOptions } from "./types.ts";

/** Where no file says anything: lively, but without the long tail of unlikely tokens. */
const OURS = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  typicalP: 1,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  penaltyTokens: 64,
  logitBias: {},
} satisfies SamplingOptions;

type NumberOption = Exclude<keyof typeof OURS, "logitBias">;

/** generation_config.json's names. */
const HF_NAMES: Readonly<Record<string, NumberOption>> = {
  temperature: "temperature",
  top_k: "topK",
  top_p: "topP",
  min_p: "minP",
  typical_p: "typicalP",
  repetition_penalty: "repetitionPenalty",
};

/** GGUF's recommended settings. */
const GGUF_NAMES: Readonly<Record<string, NumberOption>> = {
  "general.sampling.temp": "temperature",
  "general.sampling.top_k": "topK",
  "general.sampling.top_p": "topP",
  "general.sampling.min_p": "minP",
  "general.sampling.penalty_last_n": "penaltyTokens",
  "general.sampling.penalty_repeat": "repetitionPenalty",
};

const SEED_BOUND = 2 ** 32;

/** What generation_config.json recommends; `do_sample: false` is greedy, or beams. */
export function hfSampling(generationConfig: Readonly<Record<string, unknown>>): ReplyDefaults {
  const named = { ...pick(generationConfig, HF_NAMES), ...forbidden(generationConfig["bad_words_ids"]) };
  const greedy = generationConfig["do_sample"] === false ? { temperature: 0 } : {};
  return { ...named, ...greedy, ...hfBeams(generationConfig) };
}

/** Of a config that samples with beams, which Liang does not, only what it samples with is taken. */
function hfBeams(config: Readonly<Record<string, unknown>>): ReplyDefaults {
  const { num_beams: beams, length_penalty: penalty, early_stopping: stopping } = config;
  if (config["do_sample"] === true || !Number.isSafeInteger(beams) || (beams as number) < 2) return {};
  return {
    beams: beams as number,
    ...(typeof penalty === "number" && Number.isFinite(penalty) && { lengthPenalty: penalty }),
    ...((typeof stopping === "boolean" || stopping === "never") && { earlyStopping: stopping }),
  };
}

/** Beams for the engine: the caller's, else the model's where the caller asks for nothing that they do not go with. */
export function beamsOf(options: GenerateOptions, defaults: ReplyDefaults): BeamSettings | undefined {
  const draws = (options.temperature ?? 0) > 0 || options.logprobs !== undefined;
  const count = options.beams ?? (draws ? 1 : (defaults.beams ?? 1));
  if (count === 1) return undefined;
  return {
    count,
    lengthPenalty: options.lengthPenalty ?? defaults.lengthPenalty ?? 1,
    earlyStopping: options.earlyStopping ?? defaults.earlyStopping ?? false,
  };
}

/** Ids that no reply has; of lists of ids, those of one id are understood. */
function forbidden(lists: unknown): Pick<SamplingOptions, "logitBias"> {
  const ids = Array.isArray(lists) ? lists.flatMap((list: unknown) => (isOneId(list) ? list : [])) : [];
  return ids.length === 0 ? {} : { logitBias: Object.fromEntries(ids.map((id) => [id, -Infinity])) };
}

const isOneId = (list: unknown): list is [number] =>
  Array.isArray(list) && list.length === 1 && Number.isInteger(list[0]) && list[0] >= 0;

/** What a GGUF file's metadata recommends. */
export const ggufSampling = (metadata: Readonly<Record<string, unknown>>): SamplingOptions =>
  pick(metadata, GGUF_NAMES);

/** Settings for the engine: the caller's, else the model's, else ours; a seed is drawn where none is given. */
export function samplingOf(options: SamplingOptions, defaults: SamplingOptions): SamplingSettings {
  const seed = options.seed ?? Math.floor(Math.random() * SEED_BOUND);
  const names = Object.keys(OURS) as (keyof typeof OURS)[];
  const chosen = names.map((name) => [name, options[name] ?? defaults[name] ?? OURS[name]]);
  return { ...(Object.fromEntries(chosen) as Omit<SamplingSettings, "seed">), seed };
}

/** Only what a setting can be is a recommendation: else a file's odd value would fail every reply that does not name it. */
function pick(
  values: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, NumberOption>>,
): SamplingOptions {
  const found = Object.entries(names).map(([name, option]) => {
    const value = values[name];
    // files write "keep all" as -1 too
    return [option, option === "topK" && typeof value === "number" ? Math.max(0, value) : value] as const;
  });
  return Object.fromEntries(found.filter(([option, value]) => allowsSetting(option, value)));
}
