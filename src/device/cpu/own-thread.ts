// In place of the compute threads where the host's threads cannot share memory (a page that is not cross-origin isolated),
// or where starting them takes longer than what they would do (tests of tiny models): steps run on the conductor's own
// thread, one part after the other. Between parts the event loop gets a turn every few milliseconds, so that an abort is
// heard. The same bytes as with threads: parts depend on shapes alone.
import { KernelError, UsageError } from "../../base/errors.ts";
import { eventLoopTurn, now } from "#platform";
import { kernelFunctions } from "./thread-code.ts";
import { STEP_WORDS } from "./control.ts";
import type { PoolOptions } from "./pool.ts";
import type { KernelFunction } from "./run-loop.ts";

/** An abort is to be heard within 50 ms; a turn of the event loop costs some microseconds. */
const BUSY_MS = 10;

export class OwnThread implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #words: Int32Array;
  readonly #functions: readonly KernelFunction[];
  readonly #scratch: number;
  #closed = false;

  /** `options` as ComputePool has them, with one scratch. */
  constructor(options: PoolOptions) {
    const { memory, code, base, scratch } = options;
    this.#options = options;
    this.#words = new Int32Array(memory.buffer);
    this.#scratch = base + scratch[0];
    this.#functions = kernelFunctions(code, memory, this.#scratch);
  }

  /** It can run at once. */
  ready(): Promise<void> {
    return Promise.resolve();
  }

  /** Runs the step table at byte address `program` once, as ComputePool does. */
  async run(program: number, steps: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const words = this.#words;
    let busySince = now();
    for (let step = 0; step < steps; step++) {
      const row = program / 4 + step * STEP_WORDS;
      const [kernel, record, parts] = [words[row], words[row + 1], words[row + 2]];
      for (let part = 0; part < parts; part++) {
        if (now() - busySince > BUSY_MS) {
          await eventLoopTurn();
          if (this.#closed) throw new UsageError("The model was closed while a program ran.");
          signal?.throwIfAborted();
          busySince = now();
        }
        try {
          this.#functions[kernel](this.#options.base + record, part, parts, this.#scratch);
        } catch (cause) {
          const reason = cause instanceof Error ? cause.message : String(cause);
          throw new KernelError(`${this.#options.kernels[kernel]}: ${reason}`, step, part, { cause });
        }
      }
    }
  }

  /** A run that is on rejects at its next turn. */
  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
