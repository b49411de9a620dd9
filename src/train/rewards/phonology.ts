// What the rhyme books say of a character: its tones, its groups in 平水韵 (rhymes of poems) and its parts in 词林正韵
// (rhymes of ci). A character may have several readings; all count. Characters in either script.
import { cilin } from "./tables/cilin.ts";
import { pingshui } from "./tables/pingshui.ts";

/** 平: level. 仄: oblique, the other three tones together. */
export type Tone = "平" | "仄";

export interface Reading {
  readonly tone: Tone;
  /** A group of 平水韵, as "平东", or a part of 词林正韵, as "1". */
  readonly group: string;
}

type Book = ReadonlyMap<string, readonly Reading[]>;
const NONE: readonly Reading[] = [];

/** Earlier columns stand before later ones: a character has the readings of the first column that has it. */
function readBook(rows: readonly (readonly [tone: string, group: string, columns: readonly string[]])[]): Book {
  const book = new Map<string, Reading[]>();
  for (let column = 0; column < rows[0][2].length; column++) {
    const found = new Map<string, Reading[]>();
    for (const [tone, group, columns] of rows) {
      const reading: Reading = { tone: tone === "平" ? "平" : "仄", group };
      for (const letter of columns[column]) {
        if (book.has(letter)) continue;
        const readings = found.get(letter);
        if (readings === undefined) found.set(letter, [reading]);
        else readings.push(reading);
      }
    }
    for (const [letter, readings] of found) book.set(letter, readings);
  }
  return book;
}

let pingshuiBook: Book | undefined;
let cilinBook: Book | undefined;

/** Readings by 平水韵; none for a character that is in no table. */
export function pingshuiReadings(letter: string): readonly Reading[] {
  pingshuiBook ??= readBook(
    pingshui.map((row) => {
      const [tone, group, ...columns] = row.split(" ");
      return [tone, tone + group, columns];
    }),
  );
  return pingshuiBook.get(letter) ?? NONE;
}

/** Readings by 词林正韵, whose parts hold rhymes of all tones but 入. */
export function cilinReadings(letter: string): readonly Reading[] {
  cilinBook ??= readBook(
    cilin.map((row) => {
      const [part, tone, ...columns] = row.split(" ");
      return [tone, part, columns];
    }),
  );
  return cilinBook.get(letter) ?? NONE;
}

/** Whether some reading has this tone; a character of no table may have any. */
export function fitsTone(letter: string, tone: Tone): boolean {
  const readings = pingshuiReadings(letter);
  return readings.length === 0 || readings.some((reading) => reading.tone === tone);
}

/** The groups that all of `letters` share by the readings given, with any tone or with one. */
export function sharedGroups(
  letters: readonly string[],
  readingsOf: (letter: string) => readonly Reading[],
  tone?: Tone,
): string[] {
  const groups = letters.map(
    (letter) =>
      new Set(
        readingsOf(letter)
          .filter((reading) => tone === undefined || reading.tone === tone)
          .map(({ group }) => group),
      ),
  );
  return groups.length === 0 ? [] : [...groups[0]].filter((group) => groups.every((set) => set.has(group)));
}
