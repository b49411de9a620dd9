// How much a poem says twice: whole lines, and characters that came before. A character doubled on the spot (悠悠) is no
// repeat.
import { linesOf } from "./lines.ts";

export interface RepeatCheck {
  /** 1 minus twice the share of repeated characters, 0 where a whole line is repeated; never below 0. */
  readonly score: number;
  /** Repeated characters, each once. */
  readonly characters: readonly string[];
  /** Lines (from 0) that an earlier line says already. */
  readonly lines: readonly number[];
}

/** `allowed`: repeated characters of a poem of this form that cost nothing. */
export function checkRepeats(text: string, { allowed = 0 }: { readonly allowed?: number } = {}): RepeatCheck {
  const { lines } = linesOf(text);
  const said = lines.map((line) => line.join(""));
  const repeatedLines = said.flatMap((line, i) => (said.indexOf(line) < i ? [i] : []));
  const before = new Set<string>();
  const repeated: string[] = [];
  let characters = 0;
  for (const line of lines) {
    for (const [i, letter] of line.entries()) {
      characters++;
      if (before.has(letter) && line[i - 1] !== letter) repeated.push(letter);
      before.add(letter);
    }
  }
  const share = characters === 0 ? 1 : Math.max(0, repeated.length - allowed) / characters;
  return {
    score: repeatedLines.length > 0 ? 0 : Math.max(0, 1 - 2 * share),
    characters: [...new Set(repeated)],
    lines: repeatedLines,
  };
}
