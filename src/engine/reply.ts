// A reply being made: the task that chooses id after id, and the events that its reader gets. Not here: when its rows
// run (scheduler.ts), how an id is chosen (sampler.ts).
import type { AttachedAdapter } from "./adapters.ts";
import type { CachedSequence } from "./cache/cached-sequence.ts";
import { Departure } from "./departure.ts";
import { EventQueue } from "./event-queue.ts";
import { ReplyClock } from "./reply-clock.ts";
import { checkFits, checkWhole, checkedIds, checkedSource } from "./request.ts";
import type { Sampler } from "./sampler.ts";
import { checkedSettings } from "./sampling/settings.ts";
import type { Task } from "./task.ts";
import type { EngineEvent, GenerateRequest, SamplingSettings } from "./types.ts";

/** Events that wait for a reader before its sequence pauses. */
const QUEUE_CAPACITY = 16;

export interface ReplyHost {
  readonly vocabularySize: number;
  readonly window: number;
  /** The longest source; undefined: the model reads none. */
  readonly sourceRows: number | undefined;
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
  readonly #host: ReplyHost;
  readonly #settings: SamplingSettings;
  readonly #tokensMax: number;
  readonly #endIds: ReadonlySet<number>;
  readonly #logprobs: number | undefined;
  readonly #departure: Departure;
  readonly #clock = new ReplyClock();
  #sequence: CachedSequence | undefined;
  #cached = 0;
  #tokens = 0;

  /** Throws UsageError, ContextLengthError, or the reason of an aborted signal. */
  constructor(request: GenerateRequest, host: ReplyHost) {
    const { vocabularySize, window } = host;
    this.#host = host;
    this.prompt = checkedIds(request.ids, vocabularySize);
    checkFits(this.prompt, window - 1, window);
    this.source = checkedSource(request.source, host.sourceRows, vocabularySize);
    this.#settings = checkedSettings(request.sampling ?? {}, vocabularySize);
    if (request.maxTokens !== undefined) checkWhole("maxTokens", request.maxTokens, 1);
    if (request.logprobs !== undefined) checkWhole("logprobs", request.logprobs, 0, vocabularySize);
    this.#tokensMax = Math.min(request.maxTokens ?? Infinity, window - this.prompt.length);
    this.#endIds = new Set(request.endIds);
    this.#logprobs = request.logprobs;
    this.adapter = request.adapter;
    this.reuse = request.reproducible !== true;
    this.events = new EventQueue(QUEUE_CAPACITY, host.wake);
    this.#departure = new Departure(request.signal, (reason) => this.fail(reason), host.wake);
  }

  get left(): AbortSignal {
    return this.#departure.signal;
  }

  get paused(): boolean {
    return this.events.full;
  }

  start(sequence: CachedSequence): void {
    this.#clock.start();
    this.#sequence = sequence;
    this.#cached = this.#withSource(sequence.length);
    this.progress(sequence.length);
  }

  progress(done: number): void {
    const total = this.prompt.length + this.source.length;
    this.events.push({ type: "prefill", done: this.#withSource(done), total, cached: this.#cached });
  }

  /** A source is read with the first row after it. */
  #withSource(rows: number): number {
    return rows === 0 ? 0 : rows + this.source.length;
  }

  take(logits: Float32Array, position: number, peaks?: Float32Array): boolean {
    this.#clock.read();
    const { ids } = this.#sequence as CachedSequence; // there since `start`
    const history = ids.subarray(0, position + 1);
    const choice = this.#host.sampler.choose(logits, history, this.#settings, this.#logprobs, peaks);
    if (this.#endIds.has(choice.id)) return this.#end("stop", choice.id);
    this.#tokens++;
    this.#clock.token();
    this.events.push({ type: "token", ...choice });
    if (this.#tokens === this.#tokensMax) return this.#end("length");
    ids[position + 1] = choice.id;
    return true;
  }

  fail(error: unknown): void {
    this.events.fail(error);
    this.leave();
  }

  /** Ends the reply: what is not yet read is dropped. */
  stop(): void {
    if (this.left.aborted) return;
    this.events.drop();
    this.#end("stop");
  }

  /** Nobody reads the reply any more. */
  leave(): void {
    this.#departure.leave();
  }

  #end(reason: "stop" | "length", endId?: number): false {
    const read = this.prompt.length + this.source.length - this.#cached;
    const timings = this.#clock.timings(read, this.#tokens);
    const end = { type: "end", reason, tokens: this.#tokens, cached: this.#cached, timings } as const;
    this.events.push(endId === undefined ? end : { ...end, endId });
    this.events.end();
    this.leave();
    return false;
  }
}
