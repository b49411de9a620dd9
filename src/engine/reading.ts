// Reads a given text to the end and hands on the logits after each of its rows, a few rows at a time.
import type { OnProgress } from "../base/progress.ts";
import type { AttachedAdapter } from "./adapters.ts";
import { Departure } from "./departure.ts";
import type { Task } from "./task.ts";
import type { ReadOptions } from "./types.ts";

export class Reading implements Task {
  readonly prompt: Int32Array;
  readonly source: Int32Array;
  readonly adapter: AttachedAdapter | undefined;
  readonly reuse = false;
  readonly everyRow = true;
  readonly paused = false;
  /** Resolves when every row was taken; rejects with what failed. */
  readonly done: Promise<void>;
  readonly #visit: (logits: Float32Array, position: number) => void;
  readonly #settled = Promise.withResolvers<void>();
  readonly #departure: Departure;
  readonly #onProgress: OnProgress | undefined;

  constructor(
    { prompt, source }: Pick<Task, "prompt" | "source">,
    visit: (logits: Float32Array, position: number) => void,
    { adapter, signal, onProgress }: ReadOptions,
    wake: () => void,
  ) {
    this.prompt = prompt;
    this.source = source;
    this.adapter = adapter;
    this.#visit = visit;
    this.#onProgress = onProgress;
    this.done = this.#settled.promise;
    this.#departure = new Departure(signal, (reason) => this.fail(reason), wake);
  }

  get left(): AbortSignal {
    return this.#departure.signal;
  }

  start(): void {
    this.progress(0);
  }

  progress(done: number): void {
    this.#onProgress?.({ label: "read", done, total: this.prompt.length, unit: "tokens" });
  }

  take(logits: Float32Array, position: number): false {
    this.#visit(logits, position);
    if (position === this.prompt.length - 1) {
      this.#settled.resolve();
      this.#departure.leave();
    }
    return false;
  }

  fail(error: unknown): void {
    this.#settled.reject(error);
    this.#departure.leave();
  }
}
