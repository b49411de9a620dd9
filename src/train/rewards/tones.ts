// The tone pattern of regulated verse: the characters 2, 4 (and 6) of a line alternate, the lines of a couplet oppose (对),
// a couplet begins as the one before ends (粘); and of ci: places whose tone the pattern fixes. A character with readings
// of both tones fits either. Departures that poets allow themselves (拗救) count as departures.
import { linesOf } from "./lines.ts";
import { type Tone, fitsTone } from "./phonology.ts";
import type { CiForm } from "./tunes.ts";

export interface ToneCheck {
  /** No place departs. */
  readonly regulated: boolean;
  /** Share of the fixed places that have their tone. */
  readonly score: number;
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
}

const other = (tone: Tone): Tone => (tone === "平" ? "仄" : "平");

/** The tone that regulated verse has at the even place `place` (0: the second character) of a line. */
function toneAt(opening: Tone, line: number, place: number): Tone {
  const isTurned = (Math.floor((line + 1) / 2) + place) % 2 === 1; // lines go a b b a a b b a
  return isTurned ? other(opening) : opening;
}

/** Of lines of 5 or 7 characters. The opening that fits better, 平 or 仄, is taken. */
export function checkTones(text: string): ToneCheck {
  const { lines } = linesOf(text);
  const checks = (["平", "仄"] as const).map((opening): ToneCheck => {
    let places = 0;
    let met = 0;
    const faults: string[] = [];
    for (const [i, line] of lines.entries()) {
      const wrong: number[] = [];
      const even = Math.floor(line.length / 2);
      for (let place = 0; place < even; place++) {
        places++;
        if (fitsTone(line[place * 2 + 1], toneAt(opening, i, place))) met++;
        else wrong.push(place);
      }
      if (wrong.length > 0) faults.push(departure(i, wrong, even, line));
    }
    return { regulated: places > 0 && faults.length === 0, score: places === 0 ? 0 : met / places, faults };
  });
  return checks[1].score > checks[0].score ? checks[1] : checks[0];
}

function departure(line: number, wrong: readonly number[], places: number, letters: readonly string[]): string {
  if (wrong.length === places && line > 0) {
    return line % 2 === 1
      ? `line ${line + 1} does not oppose line ${line} (失对)`
      : `line ${line + 1} does not adjoin line ${line} (失粘)`;
  }
  const where = wrong.map((place) => `${place * 2 + 2} (${letters[place * 2 + 1]})`);
  return `line ${line + 1} has another tone at character ${where.join(", ")}`;
}

/**
 * 孤平: a rhyming line of the pattern 平平仄仄平 whose second character is its only 平 but the rhyme. Lines (from 0) that
 * have it by every reading of the other three characters.
 */
export function lonelyLevel(text: string): number[] {
  const { lines } = linesOf(text);
  return lines.flatMap((line, i) => {
    const [first, second, third, fourth, fifth] = line.slice(-5);
    if (i % 2 === 0 || fifth === undefined) return [];
    const isLonely = fitsTone(second, "平") && fitsTone(fifth, "平");
    return isLonely && [first, third, fourth].every((letter) => !fitsTone(letter, "平")) ? [i] : [];
  });
}

/** Of a ci, at the places whose tone its form fixes. Lines of other lengths than the form's have none met. */
export function checkCiTones(text: string, form: CiForm): ToneCheck {
  const { lines } = linesOf(text);
  let places = 0;
  let met = 0;
  const faults: string[] = [];
  for (const [i, tones] of form.tones.entries()) {
    const line = lines[i] ?? [];
    const isWhole = line.length === tones.length;
    for (const [place, tone] of tones.entries()) {
      if (tone === undefined) continue;
      places++;
      if (isWhole && fitsTone(line[place], tone)) met++;
      else if (isWhole) faults.push(`line ${i + 1}, character ${place + 1}: ${line[place]} is not ${tone}`);
    }
    if (!isWhole) faults.push(`line ${i + 1} has ${line.length} characters, expected ${tones.length}`);
  }
  return { regulated: faults.length === 0, score: places === 0 ? 1 : met / places, faults };
}
