// JSON as people write it: with comments and commas behind the last item. Not here: what it says.
import { FormatError } from "../base/errors.ts";

/** A string, a comment of either kind, or a comma that nothing but blanks and comments part from a closing bracket. */
const PIECES = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*[}\]])/g;

/** Parses JSON with comments; blanks take their place, so that positions in errors are those of `text`. */
export function parseJsonc(file: string, text: string): unknown {
  const plain = text.replaceAll(PIECES, (piece) => (piece.startsWith('"') ? piece : piece.replaceAll(/[^\n]/g, " ")));
  try {
    return JSON.parse(plain);
  } catch (cause) {
    throw new FormatError(file, "content", (cause as Error).message.slice(0, 120), "JSON, comments allowed", { cause });
  }
}
