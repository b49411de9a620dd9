// What is known of a reply's size and speed while it is written: a reply that is stopped has no `end` event that would
// tell. Times are those of the events as they come here. Not here: what the events are (chat/types.ts).
import type { ReplyEvent } from "../../chat/types.ts";
import type { ReplyStats } from "../api-types.ts";

export class ReplyMeter {
  readonly #window: number;
  readonly #now: () => number;
  readonly #startMs: number;
  #prompt: Pick<ReplyStats, "promptTokens" | "cachedTokens" | "seed"> | undefined;
  #tokens = 0;
  /** Of these, in the first event that had any. */
  #firstTokens = 0;
  #firstMs = 0;
  #lastMs = 0;

  /** The reply is asked for now, of a model that holds `window` tokens. `now`: a clock in milliseconds. */
  constructor(window: number, now: () => number = () => performance.now()) {
    this.#window = window;
    this.#now = now;
    this.#startMs = now();
  }

  note(event: ReplyEvent): void {
    if (event.type === "text-start") {
      const { promptTokens, cachedTokens, seed } = event;
      this.#prompt = { promptTokens, cachedTokens, seed };
    } else if (event.type === "text-delta" && event.ids.length > 0) {
      this.#lastMs = this.#now();
      if (this.#tokens === 0) {
        this.#firstMs = this.#lastMs;
        this.#firstTokens = event.ids.length;
      }
      this.#tokens += event.ids.length;
    }
  }

  /** So far; undefined before the first token. */
  get stats(): ReplyStats | undefined {
    if (this.#prompt === undefined || this.#tokens === 0) return undefined;
    const decodeMs = this.#lastMs - this.#firstMs;
    return {
      ...this.#prompt,
      completionTokens: this.#tokens,
      window: this.#window,
      firstTokenMs: this.#firstMs - this.#startMs,
      tokensPerSecond: decodeMs > 0 ? (1000 * (this.#tokens - this.#firstTokens)) / decodeMs : 0,
    };
  }
}
