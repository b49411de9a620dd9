// Reads a `.tiktoken` file: on each line a token's bytes in base64, a space, its rank, which is its id and the order in
// which pairs merge. Not here: patterns and special tokens, which tiktoken keeps in code.
import { FormatError } from "../base/errors.ts";

const RANK_MAX = 2 ** 24;
/** Longer than any token's line. */
const LINE_BYTES_MAX = 4096;

/** Tokens by rank, as bytes; throws FormatError naming the line. Ranks may have gaps, tokens and ranks occur once. */
export function parseTiktoken(file: string, text: string): Map<number, Uint8Array> {
  const tokens = new Map<number, Uint8Array>();
  const seen = new Set<string>();
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const fail = (what: string, found: unknown, expected: string): never => {
      throw new FormatError(file, `line ${i + 1} ${what}`.trim(), found, expected);
    };
    const match = /^([A-Za-z0-9+/]+={0,2}) (\d+)\r?$/.exec(line) ?? fail("", line, "base64, a space, a rank");
    const [, base64, digits] = match;
    const rank = Number(digits);
    if (rank > RANK_MAX) fail("rank", digits, `at most ${RANK_MAX}`);
    if (tokens.has(rank)) fail("rank", rank, "a rank that was not there before");
    const binary = decodeBase64(base64) ?? fail("token", base64, "base64");
    if (seen.has(binary)) fail("token", base64, "a token that was not there before");
    seen.add(binary);
    tokens.set(
      rank,
      Uint8Array.from(binary, (character) => character.charCodeAt(0)),
    );
  }
  if (tokens.size === 0) throw new FormatError(file, "tokens", 0, "at least one");
  return tokens;
}

/** Whether a file's first line is a token in base64 and its rank. */
export function isTiktoken(bytes: Uint8Array): boolean {
  const start = new TextDecoder().decode(bytes.subarray(0, LINE_BYTES_MAX));
  return /^[A-Za-z0-9+/]+={0,2} \d+\r?\n/.test(start);
}

/** One character a byte; undefined when the length is no base64's. */
function decodeBase64(base64: string): string | undefined {
  try {
    return atob(base64);
  } catch {
    return undefined;
  }
}
