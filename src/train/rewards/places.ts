// Where a poem goes wrong, as places of its text: what a reward for places takes off there (reward-function.ts). Of lengths
// only the first fault counts, since what comes after it follows from it. Not here: what a whole poem is worth (poem.ts).
import { checkForm, isRegularForm } from "./forms.ts";
import { linesOf } from "./lines.ts";
import { checkCiRhyme, checkRhyme } from "./rhyme.ts";

/** A place of a text: of a character, of a mark, or of the text's end, where it should have gone on. */
type Place = number;

interface PlacedLine {
  /** Places of its characters, pauses not counted. */
  readonly characters: readonly Place[];
  /** Of the mark that ends it, or the text's end. */
  readonly end: Place;
}

/** Throws UsageError for a form that is not known. */
export function faultPlaces(text: string, form: string): Place[] {
  const check = checkForm(text, form);
  const lines = placedLines(text);
  if (!check.fits) return [lengthFault(text, lines, check.expected)];
  const { ciForm } = check;
  const rhyme = ciForm === undefined ? checkRhyme(text) : checkCiRhyme(text, ciForm);
  const repeats = isRegularForm(form) ? (rhyme.repeats ?? []) : []; // tunes may rhyme a character with itself
  const wrong = new Set([...(rhyme.strays ?? []), ...repeats]);
  return [...wrong].sort((a, b) => a - b).map((line) => lines[line].characters.at(-1)!);
}

/** The lines of `linesOf`, by where they stand. */
function placedLines(text: string): PlacedLine[] {
  const lines: PlacedLine[] = [];
  let characters: Place[] = [];
  const end = (place: Place): void => {
    if (characters.length > 0) lines.push({ characters, end: place });
    characters = [];
  };
  let place = 0;
  for (const letter of text) {
    const { lines: found } = linesOf(letter);
    if (found.length > 0) characters.push(place);
    else if (!/[、\s]/u.test(letter) || letter === "\n") end(place);
    place += letter.length;
  }
  end(text.length);
  return lines;
}

/** The first place that is not as the lengths say: a mark too early, a character too many, a line too many, the end. */
function lengthFault(text: string, lines: readonly PlacedLine[], expected: readonly number[]): Place {
  const { strange } = linesOf(text);
  if (strange.length > 0) return Math.min(...strange.map((letter) => text.indexOf(letter)));
  for (const [i, { characters, end }] of lines.entries()) {
    const length = expected[i] ?? 0;
    if (characters.length > length) return characters[length];
    if (characters.length < length) return end;
  }
  return text.length;
}
