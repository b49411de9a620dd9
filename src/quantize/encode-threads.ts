// Threads that encode and compare weights. A job goes to the thread that has least to do; answers come in the order of a
// thread's jobs. Whoever hands out jobs bounds how many there are at once.
import { LiangError } from "../base/errors.ts";
import { machineFacts, startWorker, Worker, type WorkerHandle } from "#platform";
import { tierInUse } from "../device/cpu/tiers.ts";
import { type FormatName, formats } from "../numeric/registry.ts";
import type { Job, Reply } from "./encode-worker.ts";
import { type SearchCode, compileSearches } from "./lane-search.ts";

type Answer<K extends Job["kind"]> = Extract<Reply, { kind: K }>;

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: WorkerHandle;
  /** The first one's job is being done. */
  readonly waiting: Waiting[];
}

/** One owner; disposing ends the threads wherever they are. */
export class EncodeThreads implements AsyncDisposable {
  readonly #threads: readonly Thread[];
  #code: ReturnType<typeof compileSearches> | undefined;

  private constructor(threads: readonly Thread[]) {
    this.#threads = threads;
  }

  /** `count`: default as many as the machine runs at once. */
  static async start(count?: number): Promise<EncodeThreads> {
    const module = new Worker(new URL("./encode-worker.ts", import.meta.url), { type: "module" });
    const threads = Array.from({ length: count ?? (await machineFacts()).cores }, (_, i): Thread => {
      const worker = startWorker(module, undefined, { name: `encode ${i}` });
      const waiting: Waiting[] = [];
      worker.onMessage((reply) => waiting.shift()?.resolve(reply as Reply));
      worker.onFailure((error) => {
        for (const { reject } of waiting.splice(0)) reject(error);
      });
      return { worker, waiting };
    });
    return new EncodeThreads(threads);
  }

  /** Jobs that keep every thread busy while the oldest is waited for. */
  get jobsAtOnce(): number {
    return 2 * this.#threads.length;
  }

  /** Rejects with what the job threw. */
  async run<J extends Job>(given: J): Promise<Answer<J["kind"]>> {
    const job = given.kind === "encode" ? { ...given, search: this.#searchFor(given.to) } : given;
    const { worker, waiting } = this.#threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    waiting.push({ resolve, reject });
    worker.post(job);
    const reply = await promise;
    if (reply.kind === "failed") throw new LiangError(reply.code, reply.message, {}, reply.exitCode);
    return reply as Answer<J["kind"]>;
  }

  /** What finds the scales of a format that asks for searches, compiled for all threads when the first needs it. */
  #searchFor(format: FormatName): SearchCode | undefined {
    if (formats[format].asked === undefined) return undefined;
    return (this.#code ??= compileSearches(tierInUse())).search;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
    this.#code?.release();
  }
}

/** What `run` makes of each item, in order, with at most `atOnce` of them under way. */
export async function* inOrder<A, B>(
  items: AsyncIterable<A>,
  atOnce: number,
  run: (item: A) => Promise<B>,
): AsyncGenerator<B> {
  const waiting: Promise<B>[] = [];
  for await (const item of items) {
    const result = run(item);
    result.catch(() => undefined); // told when its turn comes
    waiting.push(result);
    if (waiting.length >= atOnce) yield await waiting.shift()!;
  }
  for (const result of waiting) yield await result;
}
