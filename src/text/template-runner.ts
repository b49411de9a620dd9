// Runs untrusted templates on a thread of their own, within a budget of time, memory and output. The thread starts with
// the first render, serves the following ones, is killed when a job goes over, and never keeps the process alive.
import { Worker, startWorker } from "#platform";
import type { WorkerHandle } from "#platform";
import { TemplateError } from "./template-error.ts";
import type { JinjaJob, JinjaResult } from "./template-jinja.ts";

export interface TemplateBudget {
  /** For one render, in milliseconds that the thread computes: on a busy machine it may take longer. */
  readonly timeMs: number;
  /** Of the thread's JS heap. */
  readonly heapBytes: number;
  /** Of one rendering, in UTF-16 units. */
  readonly outputUnits: number;
}

/** An honest template takes a few milliseconds and a few megabytes, its output is little more than the messages. */
export const DEFAULT_BUDGET: TemplateBudget = { timeMs: 2000, heapBytes: 256 * 2 ** 20, outputUnits: 16 * 2 ** 20 };

/** By the clock: for loading the thread's modules, and for a render that waits for the processor, on a machine that may be busy. */
const WAIT_MS = 30_000;

export interface TemplateRunner extends AsyncDisposable {
  /** Renders once those before are done; rejects with TemplateError (time, memory, source), with AbortError when closed. */
  run(job: JinjaJob): Promise<JinjaResult>;
  /** Stops the thread for good: what renders or waits, and every later `run`, is rejected at once. */
  close(): Promise<void>;
}

/** A runner with no thread yet. */
export function createTemplateRunner(budget: TemplateBudget): TemplateRunner {
  let thread: WorkerHandle | undefined;
  let pending: PromiseWithResolvers<unknown> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  let closed: DOMException | undefined;

  /** The next job starts a new thread. */
  async function stop(): Promise<void> {
    const stopping = thread;
    thread = undefined;
    await stopping?.terminate();
  }

  function checkOpen(): void {
    if (closed !== undefined) throw closed;
  }

  async function close(): Promise<void> {
    closed ??= new DOMException("The chat template was closed.", "AbortError");
    pending?.reject(closed);
    await stop();
  }

  function start(): WorkerHandle {
    const module = new Worker(new URL("./template-worker.ts", import.meta.url), { type: "module" });
    const started = startWorker(module, undefined, {
      name: "template",
      background: true,
      heapBytesMax: budget.heapBytes,
    });
    started.onMessage((message) => pending?.resolve(message));
    started.onFailure((error) => {
      if (thread === started) thread = undefined;
      pending?.reject(failure(error));
    });
    return started;
  }

  /** The thread's next message, within `timeMs` that it computes. The timer also keeps the process alive while somebody waits. */
  async function answer(of: WorkerHandle, timeMs: number): Promise<unknown> {
    const waiting = (pending = Promise.withResolvers<unknown>());
    const late = new TemplateError("time", `The chat template did not end within ${timeMs} ms.`);
    const computed = async (): Promise<number> => (await of.processorMs().catch(() => undefined)) ?? performance.now();
    const [start, first] = [performance.now(), computed()];
    let timer = setTimeout(() => void check(), timeMs);
    const check = async (): Promise<void> => {
      const left = Math.min(timeMs - ((await computed()) - (await first)), WAIT_MS - (performance.now() - start));
      if (pending !== waiting) return;
      if (left < 1) waiting.reject(late);
      else timer = setTimeout(() => void check(), left);
    };
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      pending = undefined;
    }
  }

  async function runAlone(job: JinjaJob): Promise<JinjaResult> {
    checkOpen();
    try {
      if (thread === undefined) {
        thread = start();
        await answer(thread, WAIT_MS);
        checkOpen();
      }
      thread.post(job);
      return (await answer(thread, budget.timeMs)) as JinjaResult;
    } catch (error) {
      await stop();
      throw error;
    }
  }

  return {
    async run(job) {
      const mine = last.then(() => runAlone(job));
      last = mine.catch(() => undefined); // whoever waits behind a failure runs all the same
      return await mine;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function failure(error: Error & { code?: unknown }): TemplateError {
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new TemplateError("memory", "The chat template used up the memory that a template may take.", {
      cause: error,
    });
  }
  return new TemplateError("source", `The chat template's thread failed: ${error.message}.`, { cause: error });
}
