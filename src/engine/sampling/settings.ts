// Sampling settings: what is neutral, and the check at the door. Not here: what the settings do (the steps beside).
import { withoutUndefined } from "../../base/collections.ts";
import { UsageError, show } from "../../base/errors.ts";
import type { SamplingSettings } from "../types.ts";

/** Greedy, and every other step off. */
export const neutralSettings: SamplingSettings = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  typicalP: 1,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  penaltyTokens: -1,
  logitBias: {},
  seed: 0,
};

export type NumberSetting = Exclude<keyof SamplingSettings, "logitBias">;

const rules: Readonly<Record<NumberSetting, readonly [(value: number) => boolean, expected: string]>> = {
  temperature: [(value) => value >= 0 && value < Infinity, "a number from 0"],
  topK: [(value) => Number.isSafeInteger(value) && value >= 0, "a whole number from 0"],
  topP: [(value) => value > 0 && value <= 1, "a number above 0 and at most 1"],
  minP: [(value) => value >= 0 && value <= 1, "a number from 0 to 1"],
  typicalP: [(value) => value > 0 && value <= 1, "a number above 0 and at most 1"],
  repetitionPenalty: [(value) => value > 0 && value < Infinity, "a number above 0"],
  presencePenalty: [Number.isFinite, "a number"],
  frequencyPenalty: [Number.isFinite, "a number"],
  penaltyTokens: [(value) => Number.isSafeInteger(value) && value >= -1, "a whole number from 0, or -1 for all"],
  seed: [(value) => Number.isSafeInteger(value) && value >= 0, "a whole number from 0 to 2^53 - 1"],
};

/** Whether `value` is one that the setting can have. */
export const allowsSetting = (name: NumberSetting, value: unknown): value is number =>
  typeof value === "number" && rules[name][0](value);

/** The settings with what is missing made neutral. Throws UsageError that names the field. */
export function checkedSettings(partial: Partial<SamplingSettings>, vocabularySize: number): SamplingSettings {
  const settings = { ...neutralSettings, ...withoutUndefined(partial) };
  for (const name of Object.keys(partial)) {
    if (!(name in neutralSettings))
      throw new UsageError(`There is no sampling setting ${show(name)}.`, { field: name });
  }
  for (const field of Object.keys(rules) as NumberSetting[]) {
    const found = settings[field];
    if (allowsSetting(field, found)) continue;
    throw new UsageError(`${field} is ${show(found)}, expected ${rules[field][1]}.`, { field });
  }
  for (const [id, bias] of Object.entries(settings.logitBias)) {
    if (!isId(Number(id), vocabularySize) || Number.isNaN(bias) || bias === Infinity) {
      const expected = `ids from 0 to ${vocabularySize - 1} with numbers below infinity`;
      throw new UsageError(`logitBias has ${show(id)}: ${show(bias)}, expected ${expected}.`, { field: "logitBias" });
    }
  }
  return settings;
}

export const isId = (id: number, vocabularySize: number): boolean =>
  Number.isSafeInteger(id) && id >= 0 && id < vocabularySize;
