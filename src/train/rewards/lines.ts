// A poem's text → its lines. A line ends at ，。？！； and at ends of lines of text; a 、 inside it is a pause and no
// character of it. Not here: which form the lines have (forms.ts).

const LINE_ENDS = /[，。？！；,.?!;\n]+/u;
const PAUSES = /[、\s]/gu;
/** What a line may hold: ideographs, those outside the basic plane too. */
const IDEOGRAPHS = /^[\u3400-\u9fff\u{20000}-\u{3ffff}]*$/u;

export interface PoemLines {
  /** Code points of each line, without marks. */
  readonly lines: readonly (readonly string[])[];
  /** What is neither an ideograph nor a mark of a poem, each once. */
  readonly strange: readonly string[];
}

export function linesOf(text: string): PoemLines {
  const lines = text
    .split(LINE_ENDS)
    .map((line) => Array.from(line.replaceAll(PAUSES, "")))
    .filter((line) => line.length > 0);
  const strange = [...new Set(lines.flat())].filter((letter) => !IDEOGRAPHS.test(letter));
  return { lines, strange };
}
