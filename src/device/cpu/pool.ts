// The conductor's side of a model's compute threads: post one command, await one answer. Threads that failed are
// replaced by new ones over the same memory. Not here: what a thread does (run-loop.ts), what a program is (encode.ts).
import { KernelError } from "../../base/errors.ts";
import { type WorkerHandle, startWorker } from "#platform";
import { PART_BITS, STEP_WORDS, Status, TAG_MASK, Word } from "./control.ts";
import type { ComputeThreadData } from "./worker.ts";

// Sources run as .ts, the published package as .js: the entry has this file's own extension.
const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

export interface PoolOptions extends Omit<ComputeThreadData, "scratch"> {
  /** Addresses of scratch bytes: one thread for each. */
  readonly scratch: readonly number[];
}

export class ComputePool {
  readonly #options: PoolOptions;
  readonly #words: Int32Array;
  #threads: WorkerHandle[] = [];
  #dead: Promise<never> = new Promise(() => {});
  #nextTag = 0;

  /** Starts the threads over `options.memory`, which holds the control block. */
  constructor(options: PoolOptions) {
    this.#options = options;
    this.#words = new Int32Array(options.memory.buffer);
    this.#start();
  }

  /**
   * Runs the step table at byte address `program` once. One run at a time.
   * Rejects with KernelError when a kernel fails (the pool is whole again then), and with the signal's reason.
   */
  async run(program: number, steps: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const words = this.#words;
    const table = program / 4;
    let first = 0;
    while (first < steps && words[table + first * STEP_WORDS + 2] === 0) first++;
    if (first === steps) return;
    const tagBase = this.#nextTag;
    this.#nextTag = (tagBase + steps) & TAG_MASK;
    const ended = words[Word.finished];
    words[Word.abort] = 0;
    words[Word.done] = 0;
    this.#command(program, steps, tagBase, first);
    const abort = (): void => void Atomics.store(words, Word.abort, 1);
    signal?.addEventListener("abort", abort, { once: true });
    this.#hold(true);
    try {
      await this.#ended(ended);
    } finally {
      this.#hold(false);
      signal?.removeEventListener("abort", abort);
    }
    const status = Atomics.load(words, Word.status);
    if (status === Status.failed) throw await this.#failure();
    if (status === Status.aborted) throw signal?.reason;
  }

  /** Ends all threads; resolves when they are gone. */
  async close(): Promise<void> {
    this.#hold(true); // else the process may end while it waits here
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #start(): void {
    this.#threads = this.#options.scratch.map((scratch, i) => {
      const data: ComputeThreadData = { ...this.#options, scratch };
      return startWorker(ENTRY, data, { name: `compute ${i}`, background: true });
    });
    this.#dead = new Promise((_, reject) => {
      for (const thread of this.#threads) thread.onFailure(reject);
    });
    this.#dead.catch(() => {}); // between runs nobody waits for it
  }

  /** Writes the words of a run between an odd and an even COMMAND. */
  #command(program: number, steps: number, tagBase: number, first: number): void {
    const words = this.#words;
    Atomics.add(words, Word.command, 1);
    words[Word.program] = program;
    words[Word.steps] = steps;
    words[Word.tagBase] = tagBase;
    Atomics.store(words, Word.claim, (tagBase + first) << PART_BITS);
    Atomics.add(words, Word.command, 1);
    Atomics.notify(words, Word.command);
  }

  /** Resolves when FINISHED moves on from `ended`; rejects when a thread dies instead. */
  async #ended(ended: number): Promise<void> {
    const wait = Atomics.waitAsync(this.#words, Word.finished, ended);
    if (!wait.async) return;
    await Promise.race([wait.value, this.#dead]);
  }

  #hold(on: boolean): void {
    for (const thread of this.#threads) thread.hold(on);
  }

  /** Ends the threads of a poisoned run, starts new ones, and returns what happened. */
  async #failure(): Promise<KernelError> {
    const words = this.#words;
    // A copy: TextDecoder refuses views of shared memory.
    const text = Uint8Array.from(new Uint8Array(words.buffer, Word.errorText * 4, words[Word.errorBytes]));
    const error = new KernelError(new TextDecoder().decode(text), words[Word.errorStep], words[Word.errorPart]);
    await this.close();
    this.#start();
    return error;
  }
}
