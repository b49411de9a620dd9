// When things happened to a reply, and how fast it was.
import type { EngineTimings } from "./types.ts";

export class ReplyClock {
  readonly #called = performance.now();
  #started = 0;
  #promptRead = 0;
  #first = 0;
  #last = 0;

  /** A sequence was there. */
  start(): void {
    this.#started = performance.now();
  }

  /** The prompt was read; counts once. */
  read(): void {
    if (this.#promptRead === 0) this.#promptRead = performance.now();
  }

  /** A token was there. */
  token(): void {
    this.#last = performance.now();
    if (this.#first === 0) this.#first = this.#last;
  }

  /** `read`: tokens of the prompt that were computed; `tokens`: of the reply. */
  timings(read: number, tokens: number): EngineTimings {
    const prefillMs = this.#promptRead === 0 ? 0 : this.#promptRead - this.#started;
    const decodeMs = this.#last - this.#first;
    return {
      queuedMs: this.#started === 0 ? 0 : this.#started - this.#called,
      prefillMs,
      firstTokenMs: this.#first === 0 ? 0 : this.#first - this.#called,
      decodeMs,
      prefillTokensPerSecond: perSecond(read, prefillMs),
      decodeTokensPerSecond: perSecond(tokens - 1, decodeMs),
    };
  }
}

const perSecond = (count: number, ms: number): number => (ms > 0 ? (1000 * count) / ms : 0);
