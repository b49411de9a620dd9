// The conductor's side of a model's compute threads: post one command, await one answer. Threads that failed are
// replaced by new ones over the same memory. Not here: what a thread does (run-loop.ts), what a program is (program.ts).
import { KernelError, UsageError } from "../../base/errors.ts";
import { ThreadGovernor } from "./thread-governor.ts";
import { Worker, type WorkerHandle, now, startWorker } from "#platform";
import { PART_BITS, POISON, STEP_WORDS, Status, TAG_MASK, Word } from "./control.ts";
import type { ComputeThreadData } from "./worker.ts";

const thread = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

/** Ending takes longer than this only where a thread is stuck: then it is stopped wherever it is. */
const END_MS_MAX = 10_000;
/** How often it is looked whether a thread died meanwhile. */
const END_TURN_MS = 50;

export interface PoolOptions extends Pick<ComputeThreadData, "memory" | "code" | "base"> {
  /** Names of the kernels in the order of the step table's indices. */
  readonly kernels: readonly string[];
  /** Offsets of scratch bytes: one thread for each. */
  readonly scratch: readonly number[];
  /** Keep each thread on a core of its own. Default false. */
  readonly pin?: boolean;
  /** Says how many threads take part; default: all but where they wait too long. */
  readonly governor?: Pick<ThreadGovernor, "active" | "ran">;
}

export class ComputePool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #words: Int32Array;
  readonly #governor: Pick<ThreadGovernor, "active" | "ran">;
  #threads: WorkerHandle[] = [];
  /** How many threads ended by an error. */
  #deaths = 0;
  #nextTag = 0;
  #closed = false;
  /** Why a thread that should serve does not, if one does not. */
  #death: Error | undefined;
  /** Rejects the run that is waited for. */
  #interrupt: (error: Error) => void = () => {};

  /** Starts the threads over `options.memory`, which holds the control block. What fails then is what `ready` says. */
  constructor(options: PoolOptions) {
    this.#options = options;
    this.#words = new Int32Array(options.memory.buffer);
    this.#governor = options.governor ?? new ThreadGovernor(options.scratch.length);
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
    const waited = words[Word.waitedMicros];
    words[Word.abort] = 0;
    words[Word.done] = 0;
    this.#command(program, steps, tagBase, first);
    const abort = (): void => void Atomics.store(words, Word.abort, 1);
    signal?.addEventListener("abort", abort, { once: true });
    this.#hold(true);
    const from = now();
    try {
      await this.#ended(ended);
      this.#governor.ran(from, now(), ((words[Word.waitedMicros] - waited) | 0) / 1000);
    } catch (error) {
      if (this.#death !== undefined) await this.#restart();
      throw error;
    } finally {
      this.#hold(false);
      signal?.removeEventListener("abort", abort);
    }
    const status = Atomics.load(words, Word.status);
    if (status === Status.failed) {
      const error = this.#failure(table);
      await this.#restart();
      throw error;
    }
    if (status === Status.aborted) throw signal?.reason;
  }

  /** Resolves when all threads serve; rejects with KernelError when one cannot begin. */
  async ready(): Promise<void> {
    this.#hold(true); // else the process may end while it waits here
    try {
      await this.#reaches(Word.ready, () => this.#threads.length);
    } finally {
      this.#hold(false);
    }
    if (this.#death !== undefined) throw this.#death;
  }

  /** Ends all threads; resolves when they are gone. A run that is on rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#interrupt(new UsageError("The model was closed while a program ran."));
    await this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Asks the threads to end and waits until they have. One that was stopped wherever it is, by `terminate`, could be in
   * the middle of loading what calls machine code, which ends the process.
   */
  async #end(): Promise<void> {
    this.#hold(true); // else the process may end while it waits here
    const words = this.#words;
    Atomics.store(words, Word.quit, 1);
    Atomics.store(words, Word.abort, 1);
    Atomics.store(words, Word.active, this.#threads.length);
    Atomics.add(words, Word.command, 2);
    for (const word of [Word.command, Word.active]) Atomics.notify(words, word);
    await this.#reaches(Word.gone, () => this.#threads.length - this.#deaths);
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  /** Waits until a word that threads count up is `goal()`, but not for ever: a thread that died may leave others asleep. */
  async #reaches(word: number, goal: () => number): Promise<void> {
    const words = this.#words;
    const until = now() + END_MS_MAX;
    for (let count = Atomics.load(words, word); count < goal() && now() < until; count = Atomics.load(words, word)) {
      if (this.#death !== undefined) {
        // nobody may finish what it began
        Atomics.store(words, Word.claim, POISON);
        Atomics.notify(words, Word.claim);
        if (word === Word.ready) return;
      }
      const wait = Atomics.waitAsync(words, word, count, END_TURN_MS);
      if (wait.async) await wait.value;
    }
  }

  async #restart(): Promise<void> {
    await this.#end();
    if (!this.#closed) this.#start(); // whoever closes gives back the code that threads would run
  }

  #start(): void {
    const words = this.#words;
    this.#death = undefined;
    this.#deaths = 0;
    for (const word of [Word.sleepers, Word.ready, Word.gone, Word.quit]) words[word] = 0; // of threads that are gone
    words[Word.claim] = this.#nextTag << PART_BITS; // after the last step of the last run
    this.#threads = [];
    try {
      for (const [index, scratch] of this.#options.scratch.entries()) this.#startThread(index, scratch);
    } catch (cause) {
      this.#lose("A compute thread could not start.", cause as Error); // those that did are ended as always
    }
  }

  #startThread(index: number, scratch: number): void {
    const { memory, code, base, pin = false } = this.#options;
    const data: ComputeThreadData = { memory, code, base, index, pin, scratch };
    const handle = startWorker(thread, data, { name: `compute ${index}`, background: true });
    this.#threads.push(handle);
    handle.onFailure((cause) => {
      this.#deaths++;
      this.#lose("A compute thread ended.", cause);
    });
  }

  #lose(message: string, cause: Error): void {
    this.#death = new KernelError(message, -1, -1, { cause, hint: cause.message });
    this.#interrupt(this.#death);
  }

  /** Writes the words of a run between an odd and an even COMMAND. */
  #command(program: number, steps: number, tagBase: number, first: number): void {
    const words = this.#words;
    Atomics.add(words, Word.command, 1);
    words[Word.program] = program;
    words[Word.steps] = steps;
    words[Word.tagBase] = tagBase;
    const { active } = this.#governor;
    if (Atomics.exchange(words, Word.active, active) !== active) Atomics.notify(words, Word.active);
    Atomics.store(words, Word.claim, (tagBase + first) << PART_BITS);
    Atomics.add(words, Word.command, 1);
    Atomics.notify(words, Word.command);
  }

  /**
   * Resolves when FINISHED moves on from `ended`; rejects when a thread dies or the pool is closed instead. A wake proves
   * nothing: the thread that ended the run before may have counted it, been off its core, and wake only now.
   */
  async #ended(ended: number): Promise<void> {
    if (this.#death !== undefined) throw this.#death;
    for (;;) {
      const wait = Atomics.waitAsync(this.#words, Word.finished, ended);
      if (!wait.async) return;
      // not Promise.race with a lasting promise: that would keep something of every run
      await new Promise<void>((resolve, reject) => {
        this.#interrupt = reject;
        wait.value.then(() => resolve(), reject);
      });
    }
  }

  #hold(on: boolean): void {
    for (const thread of this.#threads) thread.hold(on);
  }

  /** What happened in a poisoned run. */
  #failure(table: number): KernelError {
    const words = this.#words;
    // A copy: TextDecoder refuses views of shared memory.
    const text = Uint8Array.from(new Uint8Array(words.buffer, Word.errorText * 4, words[Word.errorBytes]));
    const [step, part] = [words[Word.errorStep], words[Word.errorPart]];
    const kernel = this.#options.kernels[words[table + step * STEP_WORDS]];
    return new KernelError(`${kernel}: ${new TextDecoder().decode(text)}`, step, part);
  }
}
