// Text on a terminal's grid: what takes how many columns, where rows break. Not here: styles and bars (terminal.ts),
// keys (editor.ts).
import { stripVTControlCharacters } from "node:util";

const segmenter = new Intl.Segmenter();
// East Asian wide and full-width blocks, and emoji that are shown as pictures.
const WIDE =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;
// What joins the character before it, or shows nothing at all.
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** Columns a text takes: wide characters take two, combining ones none, colours none. */
export function columns(text: string): number {
  // oxlint-disable-next-line no-control-regex -- plain ASCII needs no segments
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(stripVTControlCharacters(text))) width += columnsOf(segment);
  return width;
}

const columnsOf = (segment: string): number => (ZERO.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1);

/** `text`, or its beginning with "…" where it takes more than `width` columns. */
export function fit(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const { segment } of segmenter.segment(stripVTControlCharacters(text))) {
    used += columnsOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** `text`, or its end behind "…" where it takes more than `width` columns: of a path the end says most. */
export function fitEnd(text: string, width: number): string {
  if (columns(text) <= width) return text;
  const segments = Array.from(segmenter.segment(stripVTControlCharacters(text)), ({ segment }) => segment);
  let first = segments.length;
  for (let used = 1; first > 0; first--) {
    used += columnsOf(segments[first - 1]);
    if (used > width) break;
  }
  return `…${segments.slice(first).join("")}`;
}

export interface Layout {
  readonly rows: readonly string[];
  readonly cursor: { readonly row: number; readonly column: number };
}

/** Breaks what is typed into rows of at most `width` columns, each after `indent` columns that are the prompt's. */
export function layOut(before: string, after: string, width: number, indent: number): Layout {
  const rows = [""];
  let column = indent;
  const newRow = (): void => {
    rows.push("");
    column = indent;
  };
  const place = (text: string): void => {
    for (const { segment } of segmenter.segment(text)) {
      if (segment === "\n") newRow();
      else {
        const shown = segment === "\t" ? "    " : segment;
        const wide = segment === "\t" ? 4 : columnsOf(segment);
        if (column + wide > width) newRow();
        rows[rows.length - 1] += shown;
        column += wide;
      }
    }
  };
  place(before);
  if (column >= width) newRow(); // the cursor needs a place of its own
  const cursor = { row: rows.length - 1, column };
  place(after);
  return { rows, cursor };
}

/**
 * Breaks streamed text between words, for a terminal of `width` columns. A word is held back until its end is known;
 * wide characters may stand alone. What is too long for a row is left to the terminal. Code between ``` is left as it is.
 */
export class WordWrap {
  readonly #width: number;
  #column = 0;
  #word = "";
  #isCode = false;

  constructor(width: number) {
    this.#width = width;
  }

  /** Text to write now. */
  push(text: string): string {
    let out = "";
    for (const { segment } of segmenter.segment(text)) {
      if (segment === "\n" || segment === "\r\n") {
        out += this.end();
        this.#column = 0;
        out += "\n";
      } else if (/^\s$/u.test(segment)) {
        out += this.end();
        // a blank at the end of a row would begin the next one
        if (this.#isCode || this.#column < this.#width) out += segment;
        this.#column += segment === "\t" ? 8 - (this.#column % 8) : 1;
      } else if (columnsOf(segment) === 2) {
        out += this.end() + this.#put(segment, 2);
      } else {
        this.#word += segment;
        const isFence = this.#column === 0 && /^`{1,3}$/.test(this.#word);
        if ((this.#isCode && !isFence) || columns(this.#word) >= this.#width) out += this.end();
      }
    }
    return out;
  }

  /** What was held back. */
  end(): string {
    const word = this.#word;
    if (word === "") return "";
    this.#word = "";
    if (word.startsWith("```") && this.#column === 0) this.#isCode = !this.#isCode;
    return this.#put(word, columns(word));
  }

  #put(text: string, wide: number): string {
    if (this.#isCode || this.#column + wide <= this.#width || this.#column === 0) {
      this.#column += wide;
      return text;
    }
    this.#column = wide;
    return `\n${text}`;
  }
}
