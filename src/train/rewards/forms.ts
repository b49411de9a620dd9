// Forms of classical Chinese poems, told by the number of lines and their lengths: 五绝 七绝 五律 七律, 五古 七古 for other
// poems of equal lines, ci by the patterns of their tune. Not here: rhyme and tones (rhyme.ts, tones.ts).
import { UsageError } from "../../base/errors.ts";
import { linesOf } from "./lines.ts";
import { type CiForm, ciForms, ciTunes } from "./tunes.ts";

/** Forms of equal lines: how many, and how long. */
export const regularForms = {
  五绝: { lines: 4, length: 5 },
  七绝: { lines: 4, length: 7 },
  五律: { lines: 8, length: 5 },
  七律: { lines: 8, length: 7 },
} as const satisfies Readonly<Record<string, { readonly lines: number; readonly length: number }>>;
export type RegularForm = keyof typeof regularForms;

export const isRegularForm = (form: string): form is RegularForm => Object.hasOwn(regularForms, form);

/** Old-style poems: any even number of equal lines, that no regular form has. */
const oldForms: Readonly<Record<string, number>> = { 五古: 5, 七古: 7 };

export interface FormCheck {
  /** Nothing is wrong. */
  readonly fits: boolean;
  /** Characters that are where the form has a place for them, as a share: 1 where the form fits. */
  readonly score: number;
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
  /** Characters of each line, as the form has them. */
  readonly expected: readonly number[];
  /** For a tune: the one of its forms that the lines come nearest to. */
  readonly ciForm?: CiForm;
}

/** The form of a text's lines: a regular or old one, else the most common tune with these lines, else nothing. */
export function classify(text: string): string | undefined {
  const { lines, strange } = linesOf(text);
  if (lines.length === 0 || strange.length > 0) return undefined;
  const lengths = lines.map((line) => line.length);
  if (lengths.every((length) => length === lengths[0])) {
    for (const [name, form] of Object.entries(regularForms)) {
      if (form.lines === lines.length && form.length === lengths[0]) return name;
    }
    const old = Object.keys(oldForms).find((name) => oldForms[name] === lengths[0]);
    if (old !== undefined && lines.length % 2 === 0) return old;
  }
  const key = lengths.join();
  return ciTunes().find((tune) => ciForms(tune)!.some((form) => form.lengths.join() === key));
}

/** Whether `checkForm` knows a form or tune. */
export const isForm = (form: string): boolean =>
  isRegularForm(form) || Object.hasOwn(oldForms, form) || ciForms(form) !== undefined;

/**
 * Checks a text against a form: 五绝 七绝 五律 七律, 五古 七古, or a tune such as 浣溪沙 (simplified script).
 * Throws UsageError for a form that is not known.
 */
export function checkForm(text: string, form: string): FormCheck {
  const { lines, strange } = linesOf(text);
  const lengths = lines.map((line) => line.length);
  const foreign = strange.map((letter) => `${JSON.stringify(letter)} is no character of a poem`);
  const against = (expected: readonly number[]): FormCheck => {
    const faults = [...foreign, ...lengthFaults(lengths, expected)];
    const score = foreign.length > 0 ? 0 : lengthScore(lengths, expected);
    return { fits: faults.length === 0, score, faults, expected };
  };
  if (isRegularForm(form)) {
    const { lines: count, length } = regularForms[form];
    return against(Array.from({ length: count }, () => length));
  }
  if (Object.hasOwn(oldForms, form)) {
    const count = Math.max(2, lines.length + (lines.length % 2));
    return against(Array.from({ length: count }, () => oldForms[form]));
  }
  const candidates = ciForms(form);
  if (candidates === undefined) {
    throw new UsageError(
      `The form is ${JSON.stringify(form)}, expected 五绝, 七绝, 五律, 七律, 五古, 七古 or a tune.`,
      {
        field: "form",
      },
    );
  }
  const checks = candidates.map((ciForm) => ({ ...against(ciForm.lengths), ciForm }));
  return checks.reduce((best, check) => (check.score > best.score ? check : best)); // the first is the most common
}

function lengthFaults(lengths: readonly number[], expected: readonly number[]): string[] {
  const faults: string[] = [];
  if (lengths.length !== expected.length) faults.push(`${lengths.length} lines, expected ${expected.length}`);
  for (let i = 0; i < Math.min(lengths.length, expected.length); i++) {
    if (lengths[i] !== expected[i]) faults.push(`line ${i + 1} has ${lengths[i]} characters, expected ${expected[i]}`);
  }
  return faults;
}

/** 1 minus the characters too many and too few, line by line, as a share of those there should be. */
function lengthScore(lengths: readonly number[], expected: readonly number[]): number {
  let wrong = 0;
  for (let i = 0; i < Math.max(lengths.length, expected.length); i++) {
    wrong += Math.abs((lengths[i] ?? 0) - (expected[i] ?? 0));
  }
  return Math.max(0, 1 - wrong / expected.reduce((sum, length) => sum + length, 0));
}
