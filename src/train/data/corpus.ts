// The training documents of prepared data as one searchable corpus: what a text has from them word for word, and from where.
// Not here: the search itself (eval/memorization.ts).
import { joinPath } from "#platform";
import { createCorpusIndex } from "../../eval/memorization.ts";
import type { CopiedText } from "../../store/run-lines.ts";
import { characterCount } from "./filters.ts";
import { readCard } from "./prepare.ts";
import { textOfRecord } from "./record.ts";
import { documentRows } from "./tokenize.ts";

export interface Corpus {
  /** The longest span of `text` that a training document has; null for none. */
  longestCopied(text: string): CopiedText | null;
}

/** Where the training documents of prepared data are. */
export const trainDocuments = (folder: string): string => joinPath(folder, "train.jsonl");

/** Reads all training documents into memory, 6 bytes a UTF-16 unit and 12 meanwhile. Throws as `readCard` does. */
export async function openCorpus(folder: string, signal?: AbortSignal): Promise<Corpus> {
  const { sources } = await readCard(folder);
  const texts: string[] = [];
  const places: (readonly [source: number, line: number])[] = [];
  for await (const row of documentRows(trainDocuments(folder), signal)) {
    texts.push(textOfRecord(row));
    places.push([row.source, row.line]);
  }
  const index = createCorpusIndex(texts);
  return {
    longestCopied(text) {
      const span = index.longestCopied(text);
      if (span === undefined) return null;
      const [source, line] = places[span.document];
      return {
        text: span.text,
        characters: characterCount(span.text),
        occurrences: span.occurrences,
        from: `${sources[source].path}:${line}`,
      };
    },
  };
}
