// What the reader of a reply gets: how far the prompt is read, tokens, the end with its timings; and when nobody reads any
// more. Not here: which tokens (reply.ts, beams/beam-reply.ts).
import { Departure } from "./departure.ts";
import { EventQueue } from "./event-queue.ts";
import { ReplyClock } from "./reply-clock.ts";
import type { CheckedRequest } from "./request.ts";
import type { EngineEvent } from "./types.ts";

/** Events that wait for a reader before its sequence pauses. */
const QUEUE_CAPACITY = 16;

export class ReplyEvents {
  readonly queue: EventQueue<EngineEvent>;
  readonly clock = new ReplyClock();
  readonly #request: CheckedRequest;
  readonly #departure: Departure;
  #cached = 0;

  /** `wake`: the reader caught up, or left. Throws the reason of a signal that has aborted already. */
  constructor(request: CheckedRequest, signal: AbortSignal | undefined, wake: () => void) {
    this.#request = request;
    this.queue = new EventQueue(QUEUE_CAPACITY, wake);
    this.#departure = new Departure(signal, (reason) => this.fail(reason), wake);
  }

  /** Aborts once the reply is over, or nobody reads it any more. */
  get left(): AbortSignal {
    return this.#departure.signal;
  }

  get #rows(): number {
    return this.#request.prompt.length + this.#request.source.length;
  }

  /** A sequence is there, which has so many rows of the prompt already. */
  start(found: number): void {
    this.clock.start();
    this.#cached = this.#withSource(found);
    this.progress(found);
  }

  progress(done: number): void {
    this.queue.push({ type: "prefill", done: this.#withSource(done), total: this.#rows, cached: this.#cached });
  }

  /** A source is read with the first row after it. */
  #withSource(rows: number): number {
    return rows === 0 ? 0 : rows + this.#request.source.length;
  }

  end(reason: "stop" | "length", tokens: number, endId?: number): void {
    const timings = this.clock.timings(this.#rows - this.#cached, tokens);
    const end = { type: "end", reason, tokens, cached: this.#cached, timings } as const;
    this.queue.push(endId === undefined ? end : { ...end, endId });
    this.queue.end();
    this.leave();
  }

  /** Ends the reply after so many tokens: what is not yet read is dropped. */
  stop(tokens: number): void {
    if (this.left.aborted) return;
    this.queue.drop();
    this.end("stop", tokens);
  }

  fail(error: unknown): void {
    this.queue.fail(error);
    this.leave();
  }

  /** Nobody reads the reply any more. */
  leave(): void {
    this.#departure.leave();
  }
}
