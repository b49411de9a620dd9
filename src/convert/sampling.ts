// How a model's makers want it sampled: generation_config.json's names and GGUF's.
import { shortestDecimal } from "../base/shortest-decimal.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { count, real } from "./entries.ts";

const NAMES: readonly { readonly hf: string; readonly gguf: string; readonly entry: (value: number) => GgufEntry }[] = [
  { hf: "temperature", gguf: "general.sampling.temp", entry: real },
  { hf: "top_k", gguf: "general.sampling.top_k", entry: count },
  { hf: "top_p", gguf: "general.sampling.top_p", entry: real },
  { hf: "min_p", gguf: "general.sampling.min_p", entry: real },
  { hf: "repetition_penalty", gguf: "general.sampling.penalty_repeat", entry: real },
];

type Values = Readonly<Record<string, unknown>>;

/** Greedy (`do_sample: false`) is temperature 0. */
export function samplingToGguf(generationConfig: Values | undefined): [string, GgufEntry][] {
  const given: Values =
    generationConfig?.["do_sample"] === false ? { ...generationConfig, temperature: 0 } : (generationConfig ?? {});
  return NAMES.flatMap(({ hf, gguf, entry }): [string, GgufEntry][] => {
    const value = given[hf];
    return typeof value === "number" && value >= 0 ? [[gguf, entry(value)]] : [];
  });
}

export function samplingToHf(metadata: Values): Values {
  const found = NAMES.flatMap(({ hf, gguf }): [string, number][] => {
    const value = metadata[gguf];
    return typeof value === "number" ? [[hf, shortestDecimal(value)]] : [];
  });
  const { temperature, ...others } = Object.fromEntries(found);
  if (temperature === 0) return { do_sample: false, ...others };
  return found.length === 0 ? {} : { do_sample: true, ...Object.fromEntries(found) };
}
