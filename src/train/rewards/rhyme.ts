// Whether the lines of a poem rhyme. Poems: the ends of the even lines share a group of 平水韵, the first line's end may
// stand in a neighbour. Ci: lines that the pattern has rhyme share a part of 词林正韵. Any reading of a character counts.
import { type PoemLines, linesOf } from "./lines.ts";
import { type Reading, cilinReadings, pingshuiReadings, sharedGroups } from "./phonology.ts";
import type { CiForm } from "./tunes.ts";

export interface RhymeCheck {
  readonly rhymes: boolean;
  /** Share of the rhyming lines that are in the most common group. */
  readonly score: number;
  /** The group or part that the lines rhyme in; of several, one. */
  readonly group?: string;
  /** Lines, from 0, that are not in it; where no two rhyme, all but the first. Left out where all rhyme. */
  readonly strays?: readonly number[];
  /** Lines, from 0, that rhyme in a character that came before. Left out where there is none. */
  readonly repeats?: readonly number[];
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
}

type Lines = PoemLines["lines"];

/** Rhyme of a poem of equal lines. `level`: in a 平 group, as regulated verse has it; without it a 仄 rhyme is one too. */
export function checkRhyme(text: string, { level = false }: { readonly level?: boolean } = {}): RhymeCheck {
  const { lines } = linesOf(text);
  const even = lines.map((_, i) => i).filter((i) => i % 2 === 1);
  return rhymeOf(lines, even, (letter) => pingshuiReadings(letter).filter(({ tone }) => !level || tone === "平"));
}

/** Rhyme of a ci: every letter of the form's rhyme pattern is a rhyme of its own. */
export function checkCiRhyme(text: string, form: CiForm): RhymeCheck {
  const { lines } = linesOf(text);
  const letters = [...new Set(form.rhyme)].filter((letter) => letter !== "-");
  const checks = letters.map((letter) =>
    rhymeOf(
      lines,
      Array.from(form.rhyme).flatMap((mark, i) => (mark === letter ? [i] : [])),
      cilinReadings,
    ),
  );
  const weights = letters.map((letter) => Array.from(form.rhyme).filter((mark) => mark === letter).length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    rhymes: checks.every(({ rhymes }) => rhymes),
    score: total === 0 ? 1 : checks.reduce((sum, { score }, i) => sum + score * weights[i], 0) / total,
    ...(checks[0]?.group !== undefined && { group: checks[0].group }),
    ...linesOfAll("strays", checks),
    ...linesOfAll("repeats", checks),
    faults: checks.flatMap(({ faults }) => faults),
  };
}

/** What the checks say of lines together, where they say something. */
function linesOfAll(name: "strays" | "repeats", checks: readonly RhymeCheck[]): Partial<RhymeCheck> {
  const lines = checks.flatMap((check) => check[name] ?? []);
  return lines.length === 0 ? {} : { [name]: lines };
}

function rhymeOf(
  lines: Lines,
  places: readonly number[],
  readingsOf: (letter: string) => readonly Reading[],
): RhymeCheck {
  if (places.length < 2) return { rhymes: false, score: 0, faults: ["fewer than two lines could rhyme"] };
  const ends = places.map((line) => lines[line]?.at(-1) ?? "");
  const [group] = sharedGroups(ends, readingsOf);
  const repeats = places.filter((_, i) => ends.indexOf(ends[i]) < i);
  const isRepeated = repeats.length > 0;
  const repeated = isRepeated ? [`a rhyme is the same character twice: ${ends.join("")}`] : [];
  const again = isRepeated && { repeats };
  if (group !== undefined) return { rhymes: true, score: 1, group, ...again, faults: repeated };
  const counts = new Map<string, number>();
  for (const end of ends) {
    for (const name of new Set(readingsOf(end).map(({ group }) => group)))
      counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const [common, most] = [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["", 0]);
  const others = places.filter((_, i) => !readingsOf(ends[i]).some(({ group }) => group === common));
  return {
    rhymes: false,
    score: most <= 1 ? 0 : most / ends.length,
    strays: most <= 1 ? places.slice(1) : others,
    ...again,
    faults: [
      most <= 1
        ? `no two of the rhymes ${ends.join("")} are in one group`
        : `of the rhymes ${ends.join("")}, line ${others.map((line) => line + 1).join(", ")} is not in ${common}`,
      ...repeated,
    ],
  };
}
