// A reply found by beam search: as many sequences as there are beams, which run one row each and wait for each other; when all
// have their logits, beginnings are chosen among all continuations, and who goes on with another's beginning takes over its
// pages. What is chosen: hypotheses.ts. The tokens come together, at the end.
import type { AttachedAdapter } from "../adapters.ts";
import type { CachedSequence, CopyPage } from "../cache/cached-sequence.ts";
import type { EventQueue } from "../event-queue.ts";
import { ReplyEvents } from "../reply-events.ts";
import { type CheckedRequest, checkedRequest } from "../request.ts";
import type { ReplyHost } from "../reply.ts";
import type { Task } from "../task.ts";
import type { EngineEvent, GenerateRequest } from "../types.ts";
import { type Continuation, Hypotheses } from "./hypotheses.ts";
import { checkedBeams } from "./settings.ts";

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
  readonly request: CheckedRequest;
  readonly #host: BeamHost;
  readonly #hypotheses: Hypotheses;
  readonly #out: ReplyEvents;
  /** Of each beginning that goes on. */
  #tokens = 0;

  /** Throws UsageError, ContextLengthError, or the reason of an aborted signal. */
  constructor(request: GenerateRequest, host: BeamHost) {
    this.#host = host;
    this.request = checkedRequest(request, host);
    const { prompt, settings, tokensMax } = this.request;
    const beams = checkedBeams(request, settings, host, prompt.length, tokensMax);
    this.#hypotheses = new Hypotheses(beams, tokensMax);
    this.#out = new ReplyEvents(this.request, request.signal, host.wake);
    this.events = this.#out.queue;
    this.tasks = Array.from({ length: beams.count }, (_, lane) => new Lane(this, lane));
  }

  get left(): AbortSignal {
    return this.#out.left;
  }

  start(found: number): void {
    this.#out.start(found);
  }

  progress(done: number): void {
    this.#out.progress(done);
  }

  /** The best continuations of a beginning of `score`: enough that as many as there are beams are no ends. */
  continuations(lane: number, score: number, logits: Float32Array, history: Int32Array): Continuation[] {
    this.#out.clock.read();
    const { endIds, settings } = this.request;
    const best = this.#host.sampler.likeliest(logits, history, settings, this.tasks.length + endIds.size);
    return best.map(({ id, logprob }) => ({ lane, id, score: score + logprob, isEnd: endIds.has(id) }));
  }

  /** A lane is there, or has its continuations: when all are and have, the search goes on once nothing runs. */
  taken(): void {
    if (!this.tasks.every(({ isReady }) => isReady)) return;
    this.#host.between(() => this.#advance()).catch((error: unknown) => this.fail(error));
  }

  #advance(): void {
    if (this.left.aborted) return;
    this.#tokens++;
    this.#out.clock.token();
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
    const first = this.request.prompt.length;
    return this.tasks[lane].sequence.ids.subarray(first, first + this.#tokens - 1);
  }

  #end(): void {
    const { ids, endId } = this.#hypotheses.best();
    for (const id of ids) this.events.push({ type: "token", id });
    this.#out.end(endId === undefined ? "length" : "stop", ids.length, endId);
  }

  fail(error: unknown): void {
    this.#out.fail(error);
  }

  /** Ends the search before anything of it was given. */
  stop(): void {
    this.#out.stop(0);
  }

  leave(): void {
    this.#out.leave();
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
    ({ prompt: this.prompt, source: this.source, adapter: this.adapter } = reply.request);
    this.reuse = reply.request.reuse && lane === 0;
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
