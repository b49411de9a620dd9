// The numbers that can be set: their bounds (the server's, see api-types.ts), the slider's span and step. One row each.
import type { Settings } from "../../../server/api-types.ts";
import type { MessageKey } from "../../i18n/en.ts";

export type NumberSetting = Exclude<keyof Settings, "systemPrompt">;

export interface Range {
  readonly name: NumberSetting;
  readonly label: MessageKey;
  readonly hint: MessageKey;
  readonly low: number;
  readonly high: number;
  readonly whole: boolean;
  /** Absent: typed only. The slider may span less than what can be typed. */
  readonly slider?: { readonly low: number; readonly high: number; readonly step: number; readonly rest: number };
}

export const ranges: readonly Range[] = [
  {
    name: "temperature",
    label: "temperature",
    hint: "temperatureHint",
    low: 0,
    high: 5,
    whole: false,
    slider: { low: 0, high: 2, step: 0.05, rest: 0.8 },
  },
  {
    name: "topP",
    label: "topP",
    hint: "topPHint",
    low: 0.01,
    high: 1,
    whole: false,
    slider: { low: 0.01, high: 1, step: 0.01, rest: 0.95 },
  },
  {
    name: "topK",
    label: "topK",
    hint: "topKHint",
    low: 0,
    high: 1_000_000,
    whole: true,
    slider: { low: 0, high: 200, step: 1, rest: 40 },
  },
  {
    name: "minP",
    label: "minP",
    hint: "minPHint",
    low: 0,
    high: 1,
    whole: false,
    slider: { low: 0, high: 0.5, step: 0.01, rest: 0.05 },
  },
  { name: "maxTokens", label: "maxTokens", hint: "maxTokensHint", low: 1, high: 1_000_000, whole: true },
  { name: "seed", label: "seed", hint: "seedHint", low: 0, high: Number.MAX_SAFE_INTEGER, whole: true },
];

/** The number a person typed, undefined when it is none or out of bounds; null for nothing typed. */
export function parseSetting(text: string, { low, high, whole }: Range): number | null | undefined {
  const clean = text.trim();
  if (clean === "") return null;
  const value = Number(clean);
  if (!Number.isFinite(value) || value < low || value > high || (whole && !Number.isInteger(value))) return undefined;
  return value;
}
