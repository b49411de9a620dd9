// Lines of a stream of UTF-8 bytes. A line ends at \n or \r\n alone: JSON strings may hold other line breaks. Bytes that
// are no UTF-8 become U+FFFD, which filters see. Not here: what a line means.
import { FormatError } from "../base/errors.ts";

/** The longest line, in UTF-16 units: what a JavaScript string holds is not much more. */
export const LINE_UNITS_MAX = 2 ** 28;

export interface TextLine {
  /** From 1. */
  readonly number: number;
  /** Without its end. */
  readonly text: string;
}

/** Lines in order; an end of line at the very end begins no line. Throws FormatError for a line that is too long. */
export async function* textLines(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  unitsMax: number = LINE_UNITS_MAX,
): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder(); // leaves out a byte order mark
  let rest = "";
  let number = 1;
  const ended = (text: string): TextLine => ({
    number: number++,
    text: text.endsWith("\r") ? text.slice(0, -1) : text,
  });
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > unitsMax) {
      throw new FormatError(name, `line ${number}`, `over ${unitsMax} characters`, "shorter lines");
    }
    for (const line of lines) yield ended(line);
  }
  rest += decoder.decode();
  if (rest !== "") yield ended(rest);
}
