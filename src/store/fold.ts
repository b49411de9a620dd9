// Text as search compares it: compatibility forms joined (full-width letters, ligatures), case dropped. Matching is by
// plain substring, which works for every script, Chinese included. Not here: traditional to simplified characters.

/** The form in which texts and words are compared. */
export function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** The words of a query, folded; empty when there is none. */
export function queryWords(query: string): string[] {
  return fold(query)
    .split(/\s+/u)
    .filter((word) => word !== "");
}

const BEFORE = 30; // characters: the match stays visible in a narrow list
const AFTER = 90;

/** The text around the first occurrence of a folded word, on one line; undefined when it does not occur. */
export function excerpt(text: string, word: string): string | undefined {
  const shown = text.normalize("NFKC");
  const at = shown.toLowerCase().indexOf(word);
  if (at < 0) return undefined;
  const start = at <= BEFORE ? 0 : at - BEFORE;
  const end = Math.min(shown.length, at + word.length + AFTER);
  // toWellFormed: a cut may fall inside a surrogate pair.
  const middle = shown.slice(start, end).toWellFormed().replaceAll("\uFFFD", "").replaceAll(/\s+/gu, " ").trim();
  return `${start > 0 ? "…" : ""}${middle}${end < shown.length ? "…" : ""}`;
}
