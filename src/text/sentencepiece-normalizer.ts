// SentencePiece's normaliser: compiled rules, longest match first, then white space: runs become one and ends go if the
// model says so, a dummy prefix, "▁" for blanks. User-defined pieces in the text pass through untouched.
import type { Charsmap } from "./charsmap.ts";
import { LiteralTrie } from "./literal-trie.ts";

export interface SentencePieceNormalization {
  readonly charsmap: Charsmap | undefined;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
  /** Spellings of user-defined pieces. */
  readonly untouched: readonly string[];
}

/** A function that normalises a text as the model was trained on it. */
export function sentencePieceNormalizer(options: SentencePieceNormalization): (text: string) => string {
  const { charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = options;
  const space = escapeWhitespaces ? "▁" : " ";
  const untouched = new LiteralTrie();
  for (const [index, text] of options.untouched.entries()) untouched.add(text, index);
  let next = 0; // where the last `take` ended
  const take = (text: string, at: number): string => {
    const length = untouched.size > 0 ? untouched.longestMatch(text, at, text.length) : 0;
    if (length > 0) {
      next = at + length;
      return text.slice(at, next);
    }
    const replaced = charsmap?.longest(text, at);
    if (replaced !== undefined) {
      next = charsmap!.end;
      return replaced;
    }
    next = at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
    return text.slice(at, next);
  };
  return (given) => {
    const text = given.toWellFormed();
    let at = 0;
    if (removeExtraWhitespaces) {
      while (at < text.length && take(text, at) === " ") at = next;
    }
    if (at === text.length) return "";
    let normal = addDummyPrefix ? space : "";
    let afterSpace = removeExtraWhitespaces;
    while (at < text.length) {
      let piece = take(text, at);
      at = next;
      if (afterSpace) piece = piece.replace(/^ +/, "");
      if (piece !== "") {
        normal += escapeWhitespaces ? piece.replaceAll(" ", space) : piece;
        afterSpace = piece.endsWith(" ");
      }
      if (!removeExtraWhitespaces) afterSpace = false;
    }
    if (!removeExtraWhitespaces) return normal;
    let end = normal.length;
    while (end > 0 && normal[end - 1] === space) end--;
    return normal.slice(0, end);
  };
}
