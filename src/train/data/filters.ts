// Length and quality rules: a measure of a text and a bound, such as "letters>=0.5". A text that breaks one is left out
// under that rule's name. Not here: duplicates (near-duplicates.ts).
import { UsageError } from "../../base/errors.ts";
import { shingleCounts } from "./shingles.ts";

type Measure = (text: string) => number;

/** Shares are from 0 to 1. */
export const measures = {
  /** Code points. */
  characters: (text) => characterCount(text),
  /** Share of letters and digits among what is no blank. */
  letters: (text) => share(count(text, /[\p{L}\p{N}]/gu), count(text, /\S/gu)),
  /** Share of U+FFFD (bytes that were no UTF-8) and control characters. */
  damaged: (text) => share(count(text, DAMAGE), characterCount(text)),
  /** Share of lines that an earlier line says already. */
  repeatedLines: (text) => repeatedShare(text.split("\n").map((line) => line.trim())),
  /** Share of runs of three words or characters that came before. */
  repetition: (text) => {
    const { all, distinct } = shingleCounts(text);
    return share(all - distinct, all);
  },
} satisfies Record<string, Measure>;

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const DAMAGE = /[\ufffd\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/gu;

export interface Filter {
  /** As it was written: "letters>=0.5". */
  readonly name: string;
  readonly keeps: (text: string) => boolean;
}

/** What any text has to be: not empty, not damaged. */
export const DEFAULT_RULES: readonly string[] = ["characters>=1", "damaged<=0.001"];

/** Reads a rule: a measure, >= or <=, a number. Throws UsageError. */
export function parseFilter(rule: string): Filter {
  const [, name, sign, bound] = /^(\w+)\s*(>=|<=)\s*(\d*\.?\d+)$/.exec(rule.trim()) ?? [];
  if (name === undefined || !Object.hasOwn(measures, name)) {
    throw new UsageError(`The rule is ${JSON.stringify(rule)}, expected one such as letters>=0.5.`, {
      field: "keep",
      hint: `Measures are ${Object.keys(measures).join(", ")}.`,
    });
  }
  const measure: Measure = measures[name as keyof typeof measures];
  const limit = Number(bound);
  return {
    name: `${name}${sign}${bound}`,
    keeps: sign === ">=" ? (text) => measure(text) >= limit : (text) => measure(text) <= limit,
  };
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

function count(text: string, pattern: RegExp): number {
  let found = 0;
  for (pattern.lastIndex = 0; pattern.test(text);) found++;
  return found;
}

/** Code points of a text: a pair of surrogates is one. */
export function characterCount(text: string): number {
  let characters = text.length;
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) characters--;
  }
  return characters;
}

function repeatedShare(lines: readonly string[]): number {
  const said = lines.filter((line) => line !== "");
  return share(said.length - new Set(said).size, said.length);
}
