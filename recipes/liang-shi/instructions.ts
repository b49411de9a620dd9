// Requests and answers made from poems' own metadata: form, title, theme words, first line, initials (藏头), next line; small
// talk and modest refusals beside. Number `index` of a seed is always the same, so that any part can be made anywhere. Not
// here: how people word them (wordings.ts), files (make-instructions.ts).
import { UsageError } from "../../src/base/errors.ts";
import { philox } from "../../src/base/random.ts";
import { checkForm, isRegularForm } from "../../src/train/rewards/forms.ts";
import { linesOf } from "../../src/train/rewards/lines.ts";
import type { PoemRequest } from "../../src/train/rewards/poem.ts";
import { checkCiRhyme, checkRhyme } from "../../src/train/rewards/rhyme.ts";
import { checkTones } from "../../src/train/rewards/tones.ts";
import { ciForms } from "../../src/train/rewards/tunes.ts";
import type { Poem } from "./prepare.ts";
import { type Wording, beyond, refusalsOfBeyond, talk, themes, wordings } from "./wordings.ts";

export interface Instruction {
  readonly kind: Wording | "talk" | "beyond";
  readonly messages: readonly [
    { readonly role: "user"; readonly content: string },
    { readonly role: "assistant"; readonly content: string },
  ];
  /** What a poem that answers has to keep; none where no whole poem is asked for. */
  readonly request?: PoemRequest;
}

export interface InstructionMaker {
  /** The instruction of this number. */
  at(index: number): Instruction;
}

/** How often each kind is asked, in hundredths. */
const KINDS: Readonly<Record<Instruction["kind"], number>> = {
  form: 12,
  title: 28,
  words: 20,
  firstLine: 14,
  initials: 9,
  nextLine: 9,
  talk: 3,
  beyond: 5,
};
/** How often each form is asked; ci of all tunes together. */
const FORMS = { 五绝: 14, 七绝: 17, 五律: 12, 七律: 12, 词: 45 };
export type FormWeights = Readonly<typeof FORMS>;
/** Tunes known from fewer poems have no pattern to rely on. */
const TUNE_POEMS_MIN = 15;
const TITLE_LENGTH_MAX = 12; // longer ones are prefaces
const STREAM = 0x5f7;
const HELD_OUT_WORDINGS = 2;

/** Poems that show what is asked for: in their form, rhymed, regular in nearly all places. */
export function isExample({ form, text }: Poem): boolean {
  if (isRegularForm(form)) return checkRhyme(text).rhymes && checkTones(text).score >= 0.9;
  const tune = ciForms(form);
  if (tune === undefined) return false;
  const { fits, ciForm } = checkForm(text, form);
  return fits && ciForm!.count >= TUNE_POEMS_MIN && checkCiRhyme(text, ciForm!).rhymes;
}

/** How a reply is written: a sentence of the poem a line. */
export const replyOf = (text: string): string => text.replaceAll(/(?<=[。？！])(?!$)/gu, "\n");

/**
 * Instructions from the poems that are examples. `heldOut`: in the wordings that no training data has; give it the poems
 * held out. Throws UsageError where the poems have no example of a form.
 */
export function createInstructions(
  poems: readonly Poem[],
  {
    seed = 0,
    heldOut = false,
    forms = FORMS,
  }: { readonly seed?: number; readonly heldOut?: boolean; readonly forms?: FormWeights } = {},
): InstructionMaker {
  const byForm = new Map<keyof FormWeights, Poem[]>();
  for (const poem of poems) {
    if (!isExample(poem)) continue;
    const form = isRegularForm(poem.form) ? poem.form : "词";
    const examples = byForm.get(form);
    if (examples === undefined) byForm.set(form, [poem]);
    else examples.push(poem);
  }
  for (const form of Object.keys(FORMS)) {
    if (!byForm.has(form as keyof FormWeights)) {
      throw new UsageError(`The poems have no ${form} that rhymes and is regular.`, { field: "poems" });
    }
  }
  return {
    at(index) {
      const dice = diceOf(seed, index);
      const kind = dice.weighted(KINDS);
      if (kind === "talk") return talkOf(dice, heldOut);
      if (kind === "beyond") return exchange(kind, dice.of(sideOf(beyond, heldOut)), dice.of(refusalsOfBeyond));
      return poemInstruction(kind, dice.of(byForm.get(dice.weighted(forms))!), dice, heldOut);
    },
  };
}

/** The part of a list that is learnt, or the part that is not. */
const sideOf = <T>(list: readonly T[], heldOut: boolean): readonly T[] =>
  heldOut ? list.slice(-HELD_OUT_WORDINGS) : list.slice(0, -HELD_OUT_WORDINGS);

function talkOf(dice: Dice, heldOut: boolean): Instruction {
  const [said, answers] = dice.of(talk);
  return exchange("talk", dice.of(sideOf(said, heldOut)), dice.of(answers));
}

const exchange = (kind: Instruction["kind"], user: string, assistant: string, request?: PoemRequest): Instruction => ({
  kind,
  messages: [
    { role: "user", content: user },
    { role: "assistant", content: assistant },
  ],
  ...(request !== undefined && { request }),
});

function poemInstruction(wanted: Wording, poem: Poem, dice: Dice, heldOut: boolean): Instruction {
  const lines = linesOf(poem.text).lines.map((line) => line.join(""));
  const { form } = poem;
  const isRegular = isRegularForm(form);
  const title = titleOf(poem);
  const words = themes.filter((theme) => poem.text.includes(theme));
  const can: Readonly<Record<Wording, boolean>> = {
    form: true,
    title: isRegular && title !== undefined,
    words: words.length > 0,
    firstLine: true,
    initials: isRegular && lines.length === 4, // of four lines, as people ask for it
    nextLine: isRegular,
  };
  const other = words.length > 0 ? "words" : dice.of(["form", "firstLine"] as const);
  const kind = can[wanted] ? wanted : other;
  const first = kind === "nextLine" ? 2 * dice.below(lines.length / 2) : 0; // the first line of a couplet
  const askedWords =
    words.length > 1 && dice.below(2) === 0 ? words.slice(0, 2) : words.length > 0 ? [dice.of(words)] : [];
  const fill: Readonly<Record<string, string>> = {
    form: isRegular ? form : `《${form}》`,
    title: title ?? "",
    words: askedWords.join("、"),
    line: lines[first],
    initials: lines.map((line) => Array.from(line)[0]).join(""),
  };
  const wording = dice.of(sideOf(wordings[kind], heldOut)).replaceAll(/\{(\w+)\}/g, (_, name: string) => fill[name]);
  if (kind === "nextLine") return exchange(kind, wording, `${lines[first + 1]}。`);
  return exchange(kind, wording, replyOf(poem.text), {
    form,
    ...(kind === "firstLine" && { firstLine: fill["line"] }),
    ...(kind === "initials" && { initials: fill["initials"] }),
    ...(kind === "words" && { words: askedWords }),
  });
}

/** Without its number in a series; none where it says nothing. */
function titleOf({ title }: Poem): string | undefined {
  const name = title.replace(/[ 　]*(其?[一二三四五六七八九十百]+首?[ 　]*)*$/u, "").replaceAll(" ", "");
  const length = Array.from(name).length;
  return length === 0 || length > TITLE_LENGTH_MAX || /^(句|失题|无题|偈|颂|诗|其)/.test(name) ? undefined : name;
}

interface Dice {
  /** A whole number from 0 up to `bound`, that one not. */
  below(bound: number): number;
  of<T>(list: readonly T[]): T;
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K;
}

/** Throws of one instruction: words of Philox, four a position. */
function diceOf(seed: number, index: number): Dice {
  let thrown = 0;
  let words: readonly number[] = [];
  const below = (bound: number): number => {
    if (thrown % 4 === 0) words = philox(seed, STREAM, index * 16 + thrown / 4);
    return Math.floor((words[thrown++ % 4] / 2 ** 32) * bound);
  };
  return {
    below,
    of: (list) => list[below(list.length)],
    weighted(weights) {
      const entries = Object.entries(weights) as [keyof typeof weights, number][];
      let rest = below(entries.reduce((sum, [, weight]) => sum + weight, 0));
      for (const [key, weight] of entries) {
        if (rest < weight) return key;
        rest -= weight;
      }
      return entries[0][0];
    },
  };
}
