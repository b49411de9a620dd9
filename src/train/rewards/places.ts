// Where a poem goes wrong, as places of its text: what a reward for places takes off there (reward-function.ts). Of lengths
// only the first fault counts, since what comes after it follows from it. Not here: what a whole poem is worth (poem.ts).
import { checkForm, isRegularForm } from "./forms.ts";
import { type PlacedLine, linesOf, placedLines } from "./lines.ts";
import { checkCiRhyme, checkRhyme } from "./rhyme.ts";

/** A place of a text: of a character, of a mark, or of the text's end, where it should have gone on. */
type Place = number;

/** Throws UsageError for a form that is not known. */
export function faultPlaces(text: string, form: string): Place[] {
  const check = checkForm(text, form);
  const lines = placedLines(text);
  if (!check.fits) return [lengthFault(text, lines, check.expected)];
  const { ciForm } = check;
  const rhyme = ciForm === undefined ? checkRhyme(text) : checkCiRhyme(text, ciForm);
  const repeats = isRegularForm(form) ? (rhyme.repeats ?? []) : []; // tunes may rhyme a character with itself
  const wrong = new Set([...(rhyme.strays ?? []), ...repeats]);
  return [...wrong].sort((a, b) => a - b).map((line) => lines[line].places.at(-1)!);
}

/** The first place that is not as the lengths say: a mark too early, a character too many, a line too many, the end. */
function lengthFault(text: string, lines: readonly PlacedLine[], expected: readonly number[]): Place {
  const { strange } = linesOf(text);
  if (strange.length > 0) return Math.min(...strange.map((letter) => text.indexOf(letter)));
  for (const [i, { places, end }] of lines.entries()) {
    const length = expected[i] ?? 0;
    if (places.length > length) return places[length];
    if (places.length < length) return end;
  }
  return text.length;
}
