// Looks up what samples have word for word from the training documents while a run goes on: in a thread of its own, so that
// nothing waits for the reading and sorting of the documents but the first look.
import { Worker, type WorkerHandle, fileFacts, startWorker } from "#platform";
import type { CopiedText } from "../../store/run-lines.ts";
import { trainDocuments } from "../data/corpus.ts";
import type { CopyJob, CopyReply } from "./copy-worker.ts";

export interface CopySearch extends AsyncDisposable {
  /** The longest span of `text` that a training document has; null: none. undefined: the search has failed, as was told. */
  find(text: string): Promise<CopiedText | null | undefined>;
}

/** More than this and the search would take gigabytes beside the training. */
const BYTES_MAX = 512 * 2 ** 20;

/**
 * Starts to read the training documents in `folder`; undefined where there are none, or too many. `onNote` hears, once, why
 * those that are there are not searched.
 */
export async function startCopySearch(
  folder: string,
  onNote: (note: string) => void,
  bytesMax = BYTES_MAX,
): Promise<CopySearch | undefined> {
  const documents = await fileFacts(trainDocuments(folder));
  if (documents === undefined) return undefined;
  const bytes = documents.sizeBytes;
  if (bytes > bytesMax) {
    const [found, most] = [bytes, bytesMax].map((count) => `${Math.round(count / 1e6)} MB`);
    onNote(`Samples are not looked up in the training documents: these are ${found}, and up to ${most} are searched.`);
    return undefined;
  }
  const module = new Worker(new URL("./copy-worker.ts", import.meta.url), { type: "module" });
  const worker: WorkerHandle = startWorker(module, folder, { name: "copies", background: true });
  const waiting: ((found: CopiedText | null | undefined) => void)[] = [];
  let hasFailed = false;
  const fail = (reason: string): void => {
    if (!hasFailed) onNote(`Samples are no longer looked up in the training documents: ${reason}`);
    hasFailed = true;
    for (const settle of waiting.splice(0)) settle(undefined);
  };
  worker.onFailure((error) => fail(error.message));
  worker.onMessage((message) => {
    const reply = message as CopyReply;
    if ("failure" in reply) fail(reply.failure);
    else waiting.shift()?.(reply.copied);
  });
  return {
    async find(text) {
      if (hasFailed) return undefined;
      const { promise, resolve } = Promise.withResolvers<CopiedText | null | undefined>();
      waiting.push(resolve);
      worker.hold(true);
      worker.post(text satisfies CopyJob);
      return await promise.finally(() => worker.hold(false));
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
