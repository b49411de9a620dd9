// A reply being made: the task that chooses id after id, and the events that its reader gets. Not here: when its rows
// run (scheduler.ts), how an id is chosen (sampler.ts).
import type { AttachedAdapter } from "./adapters.ts";
import type { CachedSequence } from "./cache/cached-sequence.ts";
import type { EventQueue } from "./event-queue.ts";
import { ReplyEvents } from "./reply-events.ts";
import { type CheckedRequest, type RequestBounds, checkWhole, checkedRequest } from "./request.ts";
import type { Sampler } from "./sampler.ts";
import type { Task } from "./task.ts";
import type { EngineEvent, GenerateRequest } from "./types.ts";

export interface ReplyHost extends RequestBounds {
  readonly sampler: Sampler;
  /** The reply may be worth a look by the scheduler: its reader caught up, or it is over. */
  readonly wake: () => void;
}

export class Reply implements Task {
  readonly prompt: Int32Array;
  readonly source: Int32Array;
  readonly adapter: AttachedAdapter | undefined;
  readonly reuse: boolean;
  readonly everyRow = false;
  readonly events: EventQueue<EngineEvent>;
  /** What the scheduler runs for it. */
  readonly tasks: readonly Task[] = [this];
  readonly #sampler: Sampler;
  readonly #request: CheckedRequest;
  readonly #logprobs: number | undefined;
  readonly #out: ReplyEvents;
  #sequence: CachedSequence | undefined;
  #tokens = 0;

  /** Throws UsageError, ContextLengthError, or the reason of an aborted signal. */
  constructor(request: GenerateRequest, host: ReplyHost) {
    const checked = checkedRequest(request, host);
    if (request.logprobs !== undefined) checkWhole("logprobs", request.logprobs, 0, host.vocabularySize);
    this.#sampler = host.sampler;
    this.#request = checked;
    this.#logprobs = request.logprobs;
    this.#out = new ReplyEvents(checked, request.signal, host.wake);
    this.events = this.#out.queue;
    ({ prompt: this.prompt, source: this.source, adapter: this.adapter, reuse: this.reuse } = checked);
  }

  get left(): AbortSignal {
    return this.#out.left;
  }

  get paused(): boolean {
    return this.events.full;
  }

  start(sequence: CachedSequence): void {
    this.#sequence = sequence;
    this.#out.start(sequence.length);
  }

  progress(done: number): void {
    this.#out.progress(done);
  }

  take(logits: Float32Array, position: number, peaks?: Float32Array): boolean {
    const { clock } = this.#out;
    const { settings, endIds, tokensMax } = this.#request;
    clock.read();
    const { ids } = this.#sequence as CachedSequence; // there since `start`
    const history = ids.subarray(0, position + 1);
    const choice = this.#sampler.choose(logits, history, settings, this.#logprobs, peaks);
    if (endIds.has(choice.id)) return this.#end("stop", choice.id);
    this.#tokens++;
    clock.token();
    this.events.push({ type: "token", ...choice });
    if (this.#tokens === tokensMax) return this.#end("length");
    ids[position + 1] = choice.id;
    return true;
  }

  #end(reason: "stop" | "length", endId?: number): false {
    this.#out.end(reason, this.#tokens, endId);
    return false;
  }

  fail(error: unknown): void {
    this.#out.fail(error);
  }

  /** Ends the reply: what is not yet read is dropped. */
  stop(): void {
    this.#out.stop(this.#tokens);
  }

  /** Nobody reads the reply any more. */
  leave(): void {
    this.#out.leave();
  }
}
