// The sentences and number forms of the chosen language, for components.
import { useMemo } from "react";
import { translate, type Language, type Translate } from "../i18n/translate.ts";
import { formatBytes, formatDecimal, formatDuration, formatInteger } from "../state/format.ts";
import { chosenLanguage, preferences } from "../state/preferences.ts";
import { useStore } from "./use-store.ts";

export interface Words {
  readonly language: Language;
  readonly t: Translate;
  readonly integer: (value: number) => string;
  readonly decimal: (value: number, digits?: number) => string;
  readonly bytes: (value: number) => string;
  readonly duration: (milliseconds: number) => string;
}

export function useWords(): Words {
  const language = useStore(preferences, chosenLanguage);
  return useMemo(
    () => ({
      language,
      t: (key, parameters) => translate(language, key, parameters),
      integer: (value) => formatInteger(value, language),
      decimal: (value, digits) => formatDecimal(value, language, digits),
      bytes: (value) => formatBytes(value, language),
      duration: (milliseconds) => formatDuration(milliseconds, language),
    }),
    [language],
  );
}
