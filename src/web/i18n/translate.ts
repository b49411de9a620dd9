// Fills a sentence of the chosen language's table. Pure, so that tests run it without a page. Not here: which language is
// chosen (state/preferences.ts), the hook (hooks/use-words.ts).
import { en, type MessageKey } from "./en.ts";
import { zh } from "./zh.ts";

export type Language = "zh" | "en";
export type Parameters = Readonly<Record<string, string | number>>;
export type Translate = (key: MessageKey, parameters?: Parameters) => string;

export const tables: Readonly<Record<Language, Readonly<Record<MessageKey, string>>>> = { en, zh };

/** The sentence with its {names} filled in; a name without a value stays as it is written. */
export function fill(sentence: string, parameters: Parameters): string {
  return sentence.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

export function translate(language: Language, key: MessageKey, parameters: Parameters = {}): string {
  return fill(tables[language][key], parameters);
}

/** The language a system asks for: Chinese for any Chinese, English otherwise. */
export function systemLanguage(languages: readonly string[]): Language {
  return (languages[0] ?? "en").toLowerCase().startsWith("zh") ? "zh" : "en";
}
