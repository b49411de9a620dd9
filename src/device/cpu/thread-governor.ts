// How many of a pool's threads take part in runs. Beside another busy process one of our threads is off its core at any
// time, and the others wait for it: then one thread fewer computes more. What is waited is counted by the threads
// (run-loop.ts); the bytes of a result do not depend on their number. Not here: how a thread is kept from taking part.

/** Time of runs after which the share of waiting is looked at. */
const WINDOW_MS = 1000;
/**
 * Waiting for more than this share of the time, a thread is worth less than its trouble. Of n threads on n cores one is off
 * its core for n / (n + 1) of the time beside one busy process, else hardly ever: this lies between. What 0.1
 * and 0.5 compute beside one process cannot be told apart (bench/threads.ts).
 */
const WAITING_SHARE = 0.3;
/**
 * How long one thread fewer runs until one more is tried, which takes a window: a fifth of the time at first, ever less as
 * this doubles every time that it fails.
 */
const REST_MS = 4000;
const REST_MS_MAX = 64_000;

export class ThreadGovernor {
  readonly #threads: number;
  #active: number;
  #ranMs = 0;
  #waitedMs = 0;
  #restMs = REST_MS;
  /** When one thread more is tried, by the clock of the runs. */
  #tryAt = Infinity;

  constructor(threads: number) {
    this.#threads = threads;
    this.#active = threads;
  }

  /** Threads that take part in the next run. */
  get active(): number {
    return this.#active;
  }

  /** Notes a run: from when to when, and how long its threads waited for one another, all together. */
  ran(fromMs: number, endMs: number, waitedMs: number): void {
    this.#ranMs += endMs - fromMs;
    this.#waitedMs += waitedMs;
    if (endMs >= this.#tryAt) this.#set(this.#active + 1, endMs);
    else if (this.#ranMs >= WINDOW_MS) this.#judge(endMs);
  }

  #judge(nowMs: number): void {
    const isCrowded = this.#waitedMs > WAITING_SHARE * this.#ranMs * (this.#active - 1);
    if (isCrowded && this.#active > 1) {
      this.#set(this.#active - 1, nowMs);
      this.#restMs = Math.min(2 * this.#restMs, REST_MS_MAX);
      return;
    }
    if (this.#active === this.#threads) this.#restMs = REST_MS;
    this.#ranMs = 0;
    this.#waitedMs = 0;
  }

  /** A new window begins. */
  #set(active: number, nowMs: number): void {
    this.#active = active;
    this.#ranMs = 0;
    this.#waitedMs = 0;
    this.#tryAt = active < this.#threads ? nowMs + this.#restMs : Infinity;
  }
}
