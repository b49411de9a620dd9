// What a text file has word for word from the training documents of prepared data.
import type { CopiedText } from "../store/index.ts";
import { openCorpus } from "../train/data/corpus.ts";
import { readTextFile } from "./text-file.ts";

/** `text` is "" and `from` missing where there is no such span. */
export type Copied = Omit<CopiedText, "from"> & Partial<Pick<CopiedText, "from">>;

/** Throws as `openCorpus` and `readTextFile` do. */
export async function findCopied(folder: string, file: string, signal: AbortSignal): Promise<Copied> {
  const text = await readTextFile(file);
  const corpus = await openCorpus(folder, signal);
  return corpus.longestCopied(text) ?? { text: "", characters: 0, occurrences: 0 };
}
