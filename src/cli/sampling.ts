// The sampling and loading options that several commands share: one table, kebab-case names of the door's options.
import type { GenerateOptions, LoadOptions } from "../chat/types.ts";
import { UsageError } from "../base/errors.ts";
import { cacheTypes } from "../chat/cache-types.ts";
import { type RopeChoice, ropeChoices } from "../chat/rope-choices.ts";
import type { OptionSpecs, OptionValues } from "./command.ts";

export const samplingOptions = {
  temperature: { type: "number", help: "randomness; 0 always takes the most likely token" },
  "top-k": { type: "number", help: "keep the k most likely tokens (0: all)" },
  "top-p": { type: "number", help: "keep the tokens that hold this probability" },
  "min-p": { type: "number", help: "drop tokens less likely than this share of the best" },
  "typical-p": { type: "number", help: "locally typical sampling (1: off)" },
  "repetition-penalty": { type: "number", help: "1: none" },
  "presence-penalty": { type: "number", help: "0: none" },
  "frequency-penalty": { type: "number", help: "0: none" },
  beams: { type: "number", help: "beam search with so many beams (1: none)" },
  "length-penalty": { type: "number", help: "of beams: above 1 favours longer replies" },
  seed: { type: "number", help: "same seed, same reply" },
  stop: { type: "string", multiple: true, help: "end before this text; may be repeated" },
  "max-tokens": { type: "number", help: "longest reply in tokens" },
} as const satisfies OptionSpecs;

export const loadingOptions = {
  window: { type: "number", help: "tokens a conversation may hold" },
  rope: { type: "string", hint: "TYPE:FACTOR", help: "stretch the window: yarn:4, linear:2, dynamic:2; or none" },
  threads: { type: "number", help: "compute threads" },
  pin: { type: "boolean", help: "keep each thread on a core of its own" },
  executor: { type: "string", hint: "NAME", help: "cpu (default), or reference: slow, obviously right" },
  "pack-cache": { type: "boolean", help: "keep packed weights on disk (default; --no-pack-cache: pack anew)" },
  "kv-type": { type: "string", hint: "TYPE", help: "keys and values kept as f16 (default), f32, q8_0, or q4_0" },
  precision: { type: "string", hint: "NAME", help: "fast (default), or f32: activations are never rounded" },
} as const satisfies OptionSpecs;

export const adapterOption = {
  type: "string",
  hint: "PATH",
  help: "a LoRA adapter of the model: a folder as PEFT writes it, or a GGUF file",
} as const satisfies OptionSpecs[string];

export function generateOptions(values: OptionValues<typeof samplingOptions>): GenerateOptions {
  return {
    temperature: values.temperature,
    topK: values["top-k"],
    topP: values["top-p"],
    minP: values["min-p"],
    typicalP: values["typical-p"],
    repetitionPenalty: values["repetition-penalty"],
    presencePenalty: values["presence-penalty"],
    frequencyPenalty: values["frequency-penalty"],
    beams: values.beams,
    lengthPenalty: values["length-penalty"],
    seed: values.seed,
    stop: values.stop,
    maxTokens: values["max-tokens"],
  };
}

export function loadOptions(values: OptionValues<typeof loadingOptions>): LoadOptions {
  return {
    window: values.window,
    ...(values.rope !== undefined && { rope: readRope(values.rope) }),
    threads: values.threads,
    pin: values.pin,
    packCache: values["pack-cache"],
    executor: oneOf("executor", values.executor, ["cpu", "reference"]),
    kvType: oneOf("kv-type", values["kv-type"], cacheTypes),
    precision: oneOf("precision", values.precision, ["fast", "f32"]),
  };
}

/** TYPE, TYPE:FACTOR, or TYPE:FACTOR:WINDOW, the window that is stretched. What they may be, the models know. */
function readRope(text: string): RopeChoice {
  const [, type, factor, window] = /^([a-z0-9]+)(?::([0-9.]+))?(?::([0-9]+))?$/.exec(text) ?? [];
  const known = ropeChoices.find((choice) => choice === type);
  if (known === undefined || (factor === undefined) !== (known === "none")) {
    const hint = `Such as yarn:4; there are ${ropeChoices.join(", ")}, each but none with a factor.`;
    throw new UsageError(`--rope is ${JSON.stringify(text)}, expected TYPE:FACTOR.`, { field: "rope", hint });
  }
  const original = window === undefined ? {} : { originalWindow: Number(window) };
  return { type: known, factor: Number(factor ?? 1), ...original };
}

function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined || (allowed as readonly string[]).includes(value)) return value as T | undefined;
  throw new UsageError(`--${name} is ${JSON.stringify(value)}, expected ${allowed.join(" or ")}.`, { field: name });
}
