// The thread that searches the training documents: it reads them once, then answers texts. copy-search.ts starts it.
import { currentWorker } from "#platform";
import type { CopiedText } from "../../store/run-lines.ts";
import { type Corpus, openCorpus } from "../data/corpus.ts";

/** A text to look up; answers come in the order of the texts. */
export type CopyJob = string;
export type CopyReply = { readonly copied: CopiedText | null } | { readonly failure: string };

const starter = currentWorker();
if (starter !== undefined) {
  const corpus = openCorpus(starter.data as string);
  starter.onMessage((message) => void answer(message as CopyJob));
  const post = (reply: CopyReply): void => starter.post(reply);
  const answer = async (text: CopyJob): Promise<void> => {
    try {
      post({ copied: ((await corpus) satisfies Corpus).longestCopied(text) });
    } catch (error) {
      post({ failure: (error as Error).message });
    }
  };
  corpus.catch(() => undefined); // told with the first text
}
