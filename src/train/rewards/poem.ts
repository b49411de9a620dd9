// The reward of a poem, from 0 to 1, of parts that are each told: is it in the form that was asked for, does it rhyme, has it
// the tones, does it say what it was asked to (first line, initial characters), is it its own, does it repeat itself.
import type { CopyIndex } from "./copying.ts";
import { type FormCheck, checkForm, isRegularForm, regularForms } from "./forms.ts";
import { linesOf } from "./lines.ts";
import { checkRepeats } from "./repeats.ts";
import { type RhymeCheck, checkCiRhyme, checkRhyme } from "./rhyme.ts";
import { type ToneCheck, checkCiTones, checkTones, lonelyLevel } from "./tones.ts";

export interface PoemRequest {
  /** A form that `checkForm` knows. */
  readonly form: string;
  /** The line that the poem has to begin with. */
  readonly firstLine?: string;
  /** The characters that the lines have to begin with, one each (藏头). */
  readonly initials?: string;
  /** Words that the poem has to have. */
  readonly words?: readonly string[];
}

export interface PoemReward {
  readonly total: number;
  /** Each from 0 to 1. */
  readonly parts: {
    readonly form: number;
    readonly rhyme: number;
    readonly tones: number;
    readonly asked: number;
    readonly own: number;
    readonly repeats: number;
  };
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
}

/** What the parts count for where the form fits; `form` and `own` multiply all. */
const WEIGHTS = { form: 0.25, rhyme: 0.3, tones: 0.1, asked: 0.25, repeats: 0.1 } as const;
/** Among 100 characters of a ci more come twice than in a poem of 20: so many in 100 cost nothing. */
const REPEATS_ALLOWED = 0.08;

/**
 * The reward of `text` for `request`. Whoever gives no `copies` lets everything pass as the poet's own.
 * Throws UsageError for a form that is not known.
 */
export function poemReward(text: string, request: PoemRequest, copies?: CopyIndex): PoemReward {
  const form = checkForm(text, request.form);
  const rhyme = rhymeOf(text, form);
  const tones = tonesOf(text, request.form, form);
  const { lines } = linesOf(text);
  const characters = lines.reduce((sum, line) => sum + line.length, 0);
  const repeats = checkRepeats(text, { allowed: Math.floor(characters * REPEATS_ALLOWED) });
  const asked = askedOf(lines, request);
  const own = ownOf(text, lines.length, request, copies);
  const parts = {
    form: form.score,
    rhyme: form.fits ? rhyme.score : rhyme.score * form.score,
    tones: form.fits ? tones.score : tones.score * form.score,
    asked: asked.score,
    own: own.score,
    repeats: repeats.score,
  };
  const worth =
    WEIGHTS.form +
    WEIGHTS.rhyme * parts.rhyme +
    WEIGHTS.tones * parts.tones +
    WEIGHTS.asked * parts.asked +
    WEIGHTS.repeats * parts.repeats;
  return {
    total: form.score ** 2 * parts.own * worth, // squared: one character too many costs more than a tone
    parts,
    faults: [
      ...form.faults,
      ...rhyme.faults,
      ...tones.faults,
      ...asked.faults,
      ...own.faults,
      ...repeats.lines.map((line) => `line ${line + 1} is repeated`),
      ...(repeats.score < 1 && repeats.characters.length > 0 ? [`repeated: ${repeats.characters.join("")}`] : []),
    ],
  };
}

const rhymeOf = (text: string, { ciForm }: FormCheck): RhymeCheck =>
  ciForm === undefined ? checkRhyme(text) : checkCiRhyme(text, ciForm);

/** Old-style poems have no pattern to keep. */
function tonesOf(text: string, form: string, { ciForm }: FormCheck): ToneCheck {
  if (ciForm !== undefined) return checkCiTones(text, ciForm);
  if (!isRegularForm(form)) return { regulated: true, score: 1, faults: [] };
  const check = checkTones(text);
  const lonely = lonelyLevel(text);
  return {
    regulated: check.regulated && lonely.length === 0,
    score: check.score * (1 - lonely.length / regularForms[form].lines),
    faults: [...check.faults, ...lonely.map((line) => `line ${line + 1} has a lone level tone (孤平)`)],
  };
}

interface Part {
  readonly score: number;
  readonly faults: readonly string[];
}

function askedOf(lines: readonly (readonly string[])[], { firstLine, initials, words = [] }: PoemRequest): Part {
  const wanted: [found: string | undefined, expected: string, what: string][] = [];
  if (firstLine !== undefined) {
    const expected = linesOf(firstLine).lines.flat().join("");
    wanted.push([lines.flat().slice(0, Array.from(expected).length).join(""), expected, "the poem begins with"]);
  }
  for (const [i, letter] of Array.from(initials ?? "").entries()) {
    wanted.push([lines[i]?.[0], letter, `line ${i + 1} begins with`]);
  }
  const said = lines.map((line) => line.join(""));
  for (const word of words) {
    wanted.push([said.some((line) => line.includes(word)) ? word : undefined, word, "of the words asked for it has"]);
  }
  const wrong = wanted.filter(([found, expected]) => found !== expected);
  return {
    score: wanted.length === 0 ? 1 : 1 - wrong.length / wanted.length,
    faults: wrong.map(([found, expected, what]) => `${what} ${found ?? "nothing"}, expected ${expected}`),
  };
}

/** A copied pair of lines makes a poem worthless, copied lines cost their share; the line that was given is no copy. */
function ownOf(text: string, count: number, { firstLine }: PoemRequest, copies: CopyIndex | undefined): Part {
  if (copies === undefined || count === 0) return { score: 1, faults: [] };
  const given = firstLine === undefined ? 0 : linesOf(firstLine).lines.length;
  const { lines, pairs } = copies.copiesIn(text);
  const copiedLines = lines.filter((line) => line >= given);
  const copiedPairs = pairs.filter((line) => line + 1 >= given);
  return {
    score: copiedPairs.length > 0 ? 0 : 1 - copiedLines.length / count,
    faults: [
      ...copiedPairs.map((line) => `lines ${line + 1} and ${line + 2} are copied`),
      ...copiedLines.map((line) => `line ${line + 1} is copied`),
    ],
  };
}
