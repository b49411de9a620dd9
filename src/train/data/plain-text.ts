// Documents of plain text: a whole file, a line, a paragraph (up to a blank line), or what lies between lines that are a
// separator such as <|endoftext|>.
import { FormatError } from "../../base/errors.ts";
import { LINE_UNITS_MAX, textLines } from "../../format/text-lines.ts";

/** Any other text is a line that separates documents. */
export type DocumentBounds = "file" | "line" | "paragraph" | (string & {});

export interface PlainText {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Documents in order, without blank lines around them; empty ones are none. Throws FormatError for one too long. */
export async function* plainTexts(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  bounds: DocumentBounds,
  unitsMax: number = LINE_UNITS_MAX,
): AsyncGenerator<PlainText> {
  let lines: string[] = [];
  let units = 0;
  let begin = 1;
  const isBound = (text: string): boolean =>
    bounds === "paragraph" ? text.trim() === "" : bounds !== "file" && bounds !== "line" && text.trim() === bounds;
  const taken = (): PlainText => {
    const document = { line: begin, text: lines.join("\n").trimEnd() };
    lines = [];
    units = 0;
    return document;
  };
  for await (const { number, text } of textLines(chunks, name, unitsMax)) {
    if (isBound(text)) {
      if (lines.length > 0) yield taken();
      continue;
    }
    if (lines.length === 0) {
      if (text.trim() === "") continue;
      begin = number;
    }
    lines.push(text);
    units += text.length + 1;
    if (units > unitsMax) {
      throw new FormatError(name, `document at line ${begin}`, `over ${unitsMax} characters`, "shorter documents", {
        hint: "Say what parts its documents: a blank line, a line, or a separator.",
      });
    }
    if (bounds === "line") yield taken();
  }
  if (lines.length > 0) yield taken();
}
