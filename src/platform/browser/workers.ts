// Threads: module workers. A browser's worker is given its data as its first message, and loads its modules after it has
// begun, so both ends keep what arrives before anybody listens.
import type { Platform, Transfer, WorkerModule } from "../platform.ts";
import { host } from "./host.ts";
import { type WaitingMessages, waitingMessages } from "../waiting-messages.ts";

export class Worker implements WorkerModule {
  readonly url: URL;

  constructor(url: URL, _options: { readonly type: "module" }) {
    this.url = url;
  }
}

/** Begins the names of threads that wait for their data; a page's own workers, which import this too, do not wait. */
const MARK = "liang ";

export const startWorker: Platform["startWorker"] = ({ url }, data, { name = "", transfer = [] } = {}) => {
  const worker = new host.Worker(url, { type: "module", name: MARK + name });
  const messages = waitingMessages<unknown>();
  const failures = waitingMessages<Error>();
  let ended = false;
  const fail = (error: Error): void => {
    if (ended) return;
    ended = true;
    failures.receive(error);
  };
  worker.addEventListener("message", ({ data }) => messages.receive(data));
  // Without a message the module itself could not be loaded.
  worker.addEventListener("error", ({ message }) =>
    fail(new Error(message ?? `Cannot load the thread ${url.pathname}.`)),
  );
  worker.addEventListener("messageerror", () => fail(new Error("A message to the page could not be read.")));
  worker.postMessage(data, transfer);
  const terminate = async (): Promise<void> => {
    ended = true;
    worker.terminate();
  };
  return {
    post: (message, moved = []) => worker.postMessage(message, moved),
    onMessage: messages.onMessage,
    onFailure: failures.onMessage,
    hold() {}, // a page lives as long as it is open
    processorMs: () => Promise.resolve(undefined),
    terminate,
    [Symbol.asyncDispose]: terminate,
  };
};

/** What this thread was given, and what came since; undefined where `startWorker` did not start it. */
const own = host.name?.startsWith(MARK) === true ? await listen() : undefined;

/** Resolves with the first message. Modules that import this one wait for it. */
async function listen(): Promise<{ data: unknown; messages: WaitingMessages<unknown> }> {
  const messages = waitingMessages<unknown>();
  const data = await new Promise<unknown>((resolve) => {
    let started = false;
    host.addEventListener("message", ({ data }) => {
      if (started) return messages.receive(data);
      started = true;
      resolve(data);
    });
  });
  return { data, messages };
}

export const currentWorker: Platform["currentWorker"] = () =>
  own && {
    data: own.data,
    post: (message: unknown, transfer: readonly Transfer[] = []) => host.postMessage(message, transfer),
    onMessage: own.messages.onMessage,
  };
