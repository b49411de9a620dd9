// Which characters of a corpus a vocabulary spells out: the frequent ones. All of them where there is room, unless a
// share is asked for.
import { UsageError } from "../../base/errors.ts";
import type { PieceCounts } from "./piece-counts.ts";

export interface CharacterOptions {
  /** Characters that occur less often are left out. */
  readonly countMin: number;
  /** As many of the most frequent characters as make up this share of all occurrences; undefined: what `room` takes. */
  readonly coverage: number | undefined;
  /** Characters there is room for at most. */
  readonly room: number;
  /** Whether a character is spelled out. */
  readonly accepts: (character: string) => boolean;
}

/**
 * Characters by falling count; of equal counts the smaller code point comes first. Throws UsageError where those of
 * `coverage` do not fit.
 */
export function commonCharacters(pieces: PieceCounts, options: CharacterOptions): string[] {
  const { countMin, coverage, room, accepts } = options;
  const counts = characterCounts(pieces);
  const ordered = [...counts].sort(([a, countA], [b, countB]) => countB - countA || a - b);
  const wanted = (coverage ?? 1) * ordered.reduce((sum, [, count]) => sum + count, 0);
  const kept: string[] = [];
  let covered = 0;
  for (const [code, count] of ordered) {
    if (count < countMin || covered >= wanted) break;
    covered += count;
    const character = String.fromCodePoint(code);
    if (accepts(character)) kept.push(character);
  }
  if (coverage === undefined || kept.length <= room) return kept.slice(0, Math.max(0, room));
  throw new UsageError(
    `The coverage of ${coverage} asks for ${kept.length} characters, the vocabulary has room for ${room}.`,
    { field: "coverage", hint: "Ask for more tokens, or for a smaller coverage." },
  );
}

/** Occurrences by code point. */
function characterCounts({ units, starts, counts, size }: PieceCounts): Map<number, number> {
  const unitCounts = new Float64Array(0x10000);
  const others = new Map<number, number>();
  for (let piece = 0; piece < size; piece++) {
    const end = starts[piece + 1];
    for (let at = starts[piece]; at < end; at++) {
      const unit = units[at];
      if ((unit & 0xfc00) !== 0xd800) {
        unitCounts[unit] += counts[piece];
        continue;
      }
      const code = 0x10000 + ((unit & 0x3ff) << 10) + (units[++at] & 0x3ff);
      others.set(code, (others.get(code) ?? 0) + counts[piece]);
    }
  }
  for (const [unit, count] of unitCounts.entries()) if (count > 0) others.set(unit, count);
  return others;
}

/** Characters that stand somewhere else than at the beginning of a piece. */
export function insideCharacters({ units, starts, size }: PieceCounts): Set<string> {
  const codes = new Set<number>();
  for (let piece = 0; piece < size; piece++) {
    const from = starts[piece];
    const end = starts[piece + 1];
    for (let at = from + ((units[from] & 0xfc00) === 0xd800 ? 2 : 1); at < end; at++) {
      const unit = units[at];
      const isPair = (unit & 0xfc00) === 0xd800;
      codes.add(isPair ? 0x10000 + ((unit & 0x3ff) << 10) + (units[++at] & 0x3ff) : unit);
    }
  }
  return new Set([...codes].map((code) => String.fromCodePoint(code)));
}
