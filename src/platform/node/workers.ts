// Threads: a thin, typed layer over node:worker_threads.
import { isMainThread, parentPort, Worker as NodeWorker, workerData } from "node:worker_threads";
import type { Platform, Transfer, WorkerModule } from "../platform.ts";
import { waitingMessages } from "../waiting-messages.ts";

export class Worker implements WorkerModule {
  readonly url: URL;

  constructor(url: URL, _options: { readonly type: "module" }) {
    this.url = url;
  }
}

export const startWorker: Platform["startWorker"] = ({ url }, data, options = {}) => {
  const { name, transfer = [], background = false, heapBytesMax } = options;
  const worker = new NodeWorker(url, {
    workerData: data,
    // a program given by `node --input-type=module -e` has flags that a worker refuses
    ...(process.execArgv.some((flag) => flag.startsWith("--input-type")) && { execArgv: [] }),
    transferList: [...transfer],
    ...(name !== undefined && { name }),
    ...(heapBytesMax !== undefined && {
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytesMax / 2 ** 20) },
    }),
  });
  let terminated = false;
  let failure: Error | undefined;
  const handlers: ((error: Error) => void)[] = [];
  const fail = (error: unknown) => {
    if (terminated || failure !== undefined) return;
    failure = error instanceof Error ? error : new Error(String(error));
    for (const handler of handlers) handler(failure);
  };
  worker.on("error", fail);
  worker.on("messageerror", fail);
  worker.on("exit", (code) => {
    if (code !== 0) fail(new Error(`The thread ${name ?? url.pathname} ended with code ${code}.`));
  });
  const messages = waitingMessages<unknown>();
  worker.on("message", messages.receive);
  if (background) worker.unref(); // after the listener: adding one holds the process again
  const terminate = async () => {
    terminated = true;
    await worker.terminate();
  };
  return {
    post: (message, moved = []) => worker.postMessage(message, [...moved]),
    onMessage: messages.onMessage,
    onFailure(handler) {
      handlers.push(handler);
      if (failure !== undefined) handler(failure);
    },
    hold(on) {
      if (on) worker.ref();
      else worker.unref();
    },
    async processorMs() {
      if (typeof worker.cpuUsage !== "function") return undefined; // before Node 24.6
      const { user, system } = await worker.cpuUsage(); // in microseconds
      return (user + system) / 1000;
    },
    terminate,
    [Symbol.asyncDispose]: terminate,
  };
};

export const currentWorker: Platform["currentWorker"] = () => {
  const port = parentPort;
  if (isMainThread || port === null) return undefined;
  return {
    data: workerData as unknown,
    post: (message: unknown, transfer: readonly Transfer[] = []) => port.postMessage(message, [...transfer]),
    // a port holds its messages until the first listener is there
    onMessage: (handler) => void port.on("message", handler),
  };
};
