// The sentences of the view of runs, beside those of the whole page.
import { useMemo } from "react";
import { type Words, useWords } from "../../hooks/use-words.ts";
import { type TranslateTraining, translateTraining } from "../../i18n/training.ts";

export interface TrainingWords extends Words {
  /** A sentence of this view. */
  readonly tt: TranslateTraining;
  /** 3.2 h, 12 min, 8 s */
  readonly longTime: (milliseconds: number) => string;
  /** 12k, 3.4M: for axes and tables. */
  readonly short: (value: number) => string;
}

const UNITS = ["", "k", "M", "G", "T"];

export function useTrainingWords(): TrainingWords {
  const words = useWords();
  return useMemo(() => {
    const { language, decimal, duration } = words;
    const tt: TranslateTraining = (key, parameters) => translateTraining(language, key, parameters);
    return {
      ...words,
      tt,
      longTime(milliseconds) {
        const minutes = milliseconds / 60_000;
        if (minutes >= 99.5) return tt("hours", { value: decimal(minutes / 60, 2) });
        return minutes >= 1 ? tt("minutes", { value: decimal(minutes, 2) }) : duration(milliseconds);
      },
      short(value) {
        let [rest, unit] = [value, 0];
        while (Math.abs(rest) >= 999.5 && unit < UNITS.length - 1) [rest, unit] = [rest / 1000, unit + 1];
        return `${decimal(rest, 3)}${UNITS[unit]}`;
      },
    };
  }, [words]);
}
