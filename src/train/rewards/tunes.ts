// Patterns of ci, tune by tune: lengths of lines, tones that nearly all poems of the form have, lines that rhyme.
import type { Tone } from "./phonology.ts";
import { cipai } from "./tables/cipai.ts";

export interface CiForm {
  /** Poems that it was counted from. */
  readonly count: number;
  readonly lengths: readonly number[];
  /** Of each line's characters; undefined where poets have both. */
  readonly tones: readonly (readonly (Tone | undefined)[])[];
  /** One letter a line: those of the same letter rhyme, "-" rhymes with none. */
  readonly rhyme: string;
}

const TONES: Readonly<Record<string, Tone | undefined>> = { p: "平", z: "仄", x: undefined };
let tunes: ReadonlyMap<string, readonly CiForm[]> | undefined;

function allTunes(): ReadonlyMap<string, readonly CiForm[]> {
  return (tunes ??= new Map(cipai.map(readTune)));
}

function readTune(row: string): [name: string, forms: CiForm[]] {
  const [name, , ...words] = row.split(" ");
  const forms = Array.from({ length: words.length / 3 }, (_, i) => readForm(words.slice(3 * i, 3 * i + 3)));
  return [name, forms];
}

function readForm([count, pattern, rhyme]: readonly string[]): CiForm {
  const tones = pattern.split("|").map((line) => Array.from(line, (letter) => TONES[letter]));
  return { count: Number(count), lengths: tones.map((line) => line.length), tones, rhyme };
}

/** Names of the tunes, the most common first. */
export const ciTunes = (): string[] => [...allTunes().keys()];

/** The forms of a tune, the most common first; undefined for no known tune. */
export const ciForms = (tune: string): readonly CiForm[] | undefined => allTunes().get(tune);
