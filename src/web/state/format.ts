// Numbers as people read them: bytes, tokens, seconds, rates. Pure. Units that are words stand in the sentences (i18n).
import type { Language } from "../i18n/translate.ts";

const LOCALE: Readonly<Record<Language, string>> = { zh: "zh-CN", en: "en" };
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];
/** No break between a number and its unit. */
const NARROW_SPACE = "\u202f";

export function formatInteger(value: number, language: Language): string {
  return new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits: 0 }).format(value);
}

/** At most `digits` digits that say something: 0.42, 12.3, 208. */
export function formatDecimal(value: number, language: Language, digits = 3): string {
  return new Intl.NumberFormat(LOCALE[language], { maximumSignificantDigits: digits }).format(value);
}

/** Decimal units, as disks and hubs count. */
export function formatBytes(bytes: number, language: Language): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit < 2 || value >= 100 ? 0 : 1;
  const number = new Intl.NumberFormat(LOCALE[language], {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${number.format(value)}${NARROW_SPACE}${BYTE_UNITS[unit]}`;
}

/** 3 ms, 250 ms, 1.2 s: milliseconds below a second. */
export function formatDuration(milliseconds: number, language: Language): string {
  const rounded = Number(milliseconds.toPrecision(2));
  if (rounded < 1000) return `${formatInteger(Math.round(rounded), language)}${NARROW_SPACE}ms`;
  return `${formatDecimal(milliseconds / 1000, language, 2)}${NARROW_SPACE}s`;
}

/** 260K, 494M, 1.5B: parameters as model names have them. */
export function formatParameters(count: number): string {
  const [value, unit] = count >= 1e9 ? [count / 1e9, "B"] : count >= 1e6 ? [count / 1e6, "M"] : [count / 1e3, "K"];
  return `${new Intl.NumberFormat("en", { maximumSignificantDigits: value >= 100 ? 3 : 2 }).format(value)}${unit}`;
}

/** "today", "yesterday", the last week or earlier, by calendar days of this machine's zone. */
export function ageOf(time: number, now: number): "today" | "yesterday" | "lastWeek" | "earlier" {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight.getTime() - time) / 86_400_000);
  if (days <= 0) return "today";
  if (days === 1) return "yesterday";
  return days <= 7 ? "lastWeek" : "earlier";
}
