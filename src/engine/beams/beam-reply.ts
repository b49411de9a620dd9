// A reply found by beam search: as many sequences as there are beams, which run one row each and wait for each other; when all
// have their logits, beginnings are chosen among all continuations, and who goes on with another's beginning takes over its
// pages. What is chosen: hypotheses.ts. The tokens come together, at the end.
import type { AttachedAdapter } from "../adapters.ts";
import type { CachedSequence, CopyPage } from "../cache/cached-sequence.ts";
import { Departure } from "../departure.ts";
import { EventQueue } from "../event-queue.ts";
import { ReplyClock } from "../reply-clock.ts";
import { checkFits, checkWhole, checkedIds, checkedSource } from "../request.ts";
import type { ReplyHost } from "../reply.ts";
import { checkedSettings } from "../sampling/settings.ts";
import type { Task } from "../task.ts";
import type { EngineEvent, GenerateRequest, SamplingSettings } from "../types.ts";
import { type Continuation, Hypotheses } from "./hypotheses.ts";
import { checkedBeams } from "./settings.ts";

const QUEUE_CAPACITY = 16;

export interface BeamHost extends ReplyHost {
  readonly slots: number;
  /** As Scheduler has it. */
  readonly between: (action: () => void) => Promise<void>;
  readonly copyPage: CopyPage;
  /** Which angles a sequence of so many tokens has. */
  readonly ropeStage: (length: number) => number;
}

export class BeamReply {
  readonly events: EventQueue<EngineEvent>;
  /** One a beam: to be submitted in order. */
  readonly tasks: readonly Lane[];
  readonly prompt: Int32Array;
  readonly source: Int32Array;
  readonly adapter: AttachedAdapter | undefined;
  readonly reuse: boolean;
  readonly #host: BeamHost;
  readonly #settings: SamplingSettings;
  readonly #tokensMax: number;
  readonly #endIds: ReadonlySet<number>;
  readonly #hypotheses: Hypotheses;
  readonly #departure: Departure;
  readonly #clock = new ReplyClock();
  #cached = 0;
  /** Of each beginning that goes on. */
  #tokens = 0;

  /** Throws UsageError, ContextLengthError, or the reason of an aborted signal. */
  constructor(request: GenerateRequest, host: BeamHost) {
    const { vocabularySize, window } = host;
    this.#host = host;
    this.prompt = checkedIds(request.ids, vocabularySize);
    checkFits(this.prompt, window - 1, window);
    this.source = checkedSource(request.source, host.sourceRows, vocabularySize);
    this.#settings = checkedSettings(request.sampling ?? {}, vocabularySize);
    if (request.maxTokens !== undefined) checkWhole("maxTokens", request.maxTokens, 1);
    this.#tokensMax = Math.min(request.maxTokens ?? Infinity, window - this.prompt.length);
    const beams = checkedBeams(request, this.#settings, host, this.prompt.length, this.#tokensMax);
    this.#endIds = new Set(request.endIds);
    this.#hypotheses = new Hypotheses(beams, this.#tokensMax);
    this.adapter = request.adapter;
    this.reuse = request.reproducible !== true;
    this.events = new EventQueue(QUEUE_CAPACITY, host.wake);
    this.#departure = new Departure(request.signal, (reason) => this.fail(reason), host.wake);
    this.tasks = Array.from({ length: beams.count }, (_, lane) => new Lane(this, lane));
  }

  get left(): AbortSignal {
    return this.#departure.signal;
  }

  start(found: number): void {
    this.#clock.start();
    this.#cached = this.#withSource(found);
    this.progress(found);
  }

  progress(done: number): void {
    const total = this.prompt.length + this.source.length;
    this.events.push({ type: "prefill", done: this.#withSource(done), total, cached: this.#cached });
  }

  /** A source is read with the first row after it. */
  #withSource(rows: number): number {
    return rows === 0 ? 0 : rows + this.source.length;
  }

  /** The best continuations of a beginning of `score`: enough that as many as there are beams are no ends. */
  continuations(lane: number, score: number, logits: Float32Array, history: Int32Array): Continuation[] {
    this.#clock.read();
    const count = this.tasks.length + this.#endIds.size;
    const best = this.#host.sampler.likeliest(logits, history, this.#settings, count);
    return best.map(({ id, logprob }) => ({ lane, id, score: score + logprob, isEnd: this.#endIds.has(id) }));
  }

  /** A lane is there, or has its continuations: when all are and have, the search goes on once nothing runs. */
  taken(): void {
    if (!this.tasks.every(({ isReady }) => isReady)) return;
    this.#host.between(() => this.#advance()).catch((error: unknown) => this.fail(error));
  }

  #advance(): void {
    if (this.left.aborted) return;
    this.#tokens++;
    this.#clock.token();
    const all = this.tasks.flatMap(({ continuations = [] }) => continuations);
    const next = this.#hypotheses.step(all, this.#tokens, (lane) => this.#idsOf(lane));
    if (next === undefined) return this.#end();
    for (const lane of this.tasks) lane.continuations = [];
    for (const { lane, to, id, score } of assigned(next, this.tasks.length)) {
      if (to !== lane) this.tasks[to].takeOver(this.tasks[lane], this.#host.copyPage);
      this.tasks[to].goOn(id, score);
    }
    this.#host.wake();
  }

  /** What a beginning has after the prompt, without the tokens that are being chosen. */
  #idsOf(lane: number): Int32Array {
    const first = this.prompt.length;
    return this.tasks[lane].sequence.ids.subarray(first, first + this.#tokens - 1);
  }

  #end(): void {
    const { ids, endId } = this.#hypotheses.best();
    for (const id of ids) this.events.push({ type: "token", id });
    const read = this.prompt.length + this.source.length - this.#cached;
    const timings = this.#clock.timings(read, ids.length);
    const reason = endId === undefined ? "length" : "stop";
    const end = { type: "end", reason, tokens: ids.length, cached: this.#cached, timings } as const;
    this.#close(endId === undefined ? end : { ...end, endId });
  }

  #close(end: EngineEvent): void {
    this.events.push(end);
    this.events.end();
    this.leave();
  }

  fail(error: unknown): void {
    this.events.fail(error);
    this.leave();
  }

  /** Ends the search before anything of it was given. */
  stop(): void {
    if (this.left.aborted) return;
    this.events.drop();
    const timings = this.#clock.timings(this.prompt.length + this.source.length - this.#cached, 0);
    this.#close({ type: "end", reason: "stop", tokens: 0, cached: this.#cached, timings });
  }

  leave(): void {
    this.#departure.leave();
  }
}

/** One beam's sequence. The first reads the prompt; the others wait for it. */
class Lane implements Task {
  readonly prompt: Int32Array;
  readonly source: Int32Array;
  readonly adapter: AttachedAdapter | undefined;
  readonly reuse: boolean;
  readonly everyRow = false;
  readonly #reply: BeamReply;
  readonly #lane: number;
  #sequence: CachedSequence | undefined;
  #score = 0;
  /** Undefined while its next row is to run; none where the lane has no beginning. */
  continuations: readonly Continuation[] | undefined;

  constructor(reply: BeamReply, lane: number) {
    this.#reply = reply;
    this.#lane = lane;
    this.prompt = reply.prompt;
    this.source = reply.source;
    this.adapter = reply.adapter;
    this.reuse = reply.reuse && lane === 0;
    this.continuations = lane === 0 ? undefined : [];
  }

  get left(): AbortSignal {
    return this.#reply.left;
  }

  /** Waits for the others. */
  get paused(): boolean {
    return this.continuations !== undefined;
  }

  get isReady(): boolean {
    return this.#sequence !== undefined && this.continuations !== undefined;
  }

  /** There since `start`. */
  get sequence(): CachedSequence {
    return this.#sequence!;
  }

  start(sequence: CachedSequence): void {
    this.#sequence = sequence;
    if (this.#lane === 0) this.#reply.start(sequence.length);
    else this.#reply.taken();
  }

  progress(done: number): void {
    this.#reply.progress(done);
  }

  take(logits: Float32Array, position: number): boolean {
    const history = this.sequence.ids.subarray(0, position + 1);
    this.continuations = this.#reply.continuations(this.#lane, this.#score, logits, history);
    this.#reply.taken();
    return true;
  }

  /** Has the other's beginning from now on. */
  takeOver({ sequence }: Lane, copyPage: CopyPage): void {
    this.sequence.fork(sequence, sequence.length, copyPage);
  }

  /** `id` is run next. */
  goOn(id: number, score: number): void {
    this.sequence.ids[this.sequence.length] = id;
    this.#score = score;
    this.continuations = undefined;
  }

  fail(error: unknown): void {
    this.#reply.fail(error);
  }
}

/** Which lane each continuation runs in: one of each beginning in its own, the others in lanes whose beginnings ended. */
function assigned(next: readonly Continuation[], lanes: number): (Continuation & { readonly to: number })[] {
  const going = new Set(next.map(({ lane }) => lane));
  const free = Array.from({ length: lanes }, (_, lane) => lane).filter((lane) => !going.has(lane));
  const stays = new Set<number>();
  return next.map((one) => {
    if (stays.has(one.lane)) return { ...one, to: free.pop()! };
    stays.add(one.lane);
    return { ...one, to: one.lane };
  });
}
