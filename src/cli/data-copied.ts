// What a text file has word for word from the training documents of prepared data.
import { createCorpusIndex } from "../eval/memorization.ts";
import { characterCount } from "../train/data/filters.ts";
import { readCard } from "../train/data/prepare.ts";
import { textOfRecord } from "../train/data/record.ts";
import { documentRows } from "../train/data/tokenize.ts";
import { joinPath } from "#platform";
import { readTextFile } from "./text-file.ts";

export interface Copied {
  /** The longest span; "" for none. */
  readonly text: string;
  readonly characters: number;
  /** One of the places it comes from, as FILE:LINE. */
  readonly from?: string;
  readonly occurrences: number;
}

/** Throws as `readCard` and `readTextFile` do. */
export async function findCopied(folder: string, file: string, signal: AbortSignal): Promise<Copied> {
  const { sources } = await readCard(folder);
  const text = await readTextFile(file);
  const texts: string[] = [];
  const places: string[] = [];
  for await (const row of documentRows(joinPath(folder, "train.jsonl"), signal)) {
    texts.push(textOfRecord(row));
    places.push(`${sources[row.source].path}:${row.line}`);
  }
  const span = createCorpusIndex(texts).longestCopied(text);
  if (span === undefined) return { text: "", characters: 0, occurrences: 0 };
  const { occurrences, document } = span;
  return { text: span.text, characters: characterCount(span.text), from: places[document], occurrences };
}
