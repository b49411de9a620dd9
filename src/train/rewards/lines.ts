// A poem's text → its lines. A line ends at ，。？！； and at ends of lines of text; a 、 inside it is a pause and no
// character of it. Not here: which form the lines have (forms.ts).

const LINE = /[^，。？！；,.?!;\n]+/gu;
const PAUSE = /[、\s]/u;
/** What a line may hold: ideographs, those outside the basic plane too. */
const IDEOGRAPHS = /^[\u3400-\u9fff\u{20000}-\u{3ffff}]*$/u;

export interface PoemLines {
  /** Code points of each line, without marks. */
  readonly lines: readonly (readonly string[])[];
  /** What is neither an ideograph nor a mark of a poem, each once. */
  readonly strange: readonly string[];
}

export function linesOf(text: string): PoemLines {
  const lines = placedLines(text).map(({ letters }) => letters);
  const strange = [...new Set(lines.flat())].filter((letter) => !IDEOGRAPHS.test(letter));
  return { lines, strange };
}

export interface PlacedLine {
  readonly letters: readonly string[];
  /** Where each stands in the text, in UTF-16 units. */
  readonly places: readonly number[];
  /** Where the mark that ends it stands, or the text's end. */
  readonly end: number;
}

export function placedLines(text: string): PlacedLine[] {
  return [...text.matchAll(LINE)].flatMap(({ 0: line, index }) => {
    const [letters, places]: [string[], number[]] = [[], []];
    let place = index;
    for (const letter of line) {
      if (!PAUSE.test(letter)) {
        letters.push(letter);
        places.push(place);
      }
      place += letter.length;
    }
    return letters.length === 0 ? [] : [{ letters, places, end: place }];
  });
}
