// The engine's API: token ids in, token ids and probabilities out, for any number of sequences at once. Text, stop
// strings and templates are src/chat's business; bodies are engine.ts and below.
import type { OnProgress } from "../base/progress.ts";
import type { MemoryUse, OpenWeights } from "../device/executor.ts";
import type { StateType } from "../graph/tensor.ts";
import type { CodeCache } from "../store/code-cache.ts";
import type { PackCache } from "../store/pack-cache.ts";
import type { AdapterTables } from "./adapter-tables.ts";
import type { AdapterRoom, AttachedAdapter } from "./adapters.ts";

/** How the next id is chosen. Neutral values (in brackets) switch a step off; the defaults are all neutral. */
export interface SamplingSettings {
  /** 0 is greedy: the first largest logit after penalties and bias. [1] */
  readonly temperature: number;
  /** Keep the k most likely and what ties with the last of them. [0] */
  readonly topK: number;
  /** Keep the most likely until their sum reaches this. [1] */
  readonly topP: number;
  /** Drop what is less likely than this times the most likely. [0] */
  readonly minP: number;
  /** Locally typical sampling (Meister et al. 2022): the mass that is kept. [1] */
  readonly typicalP: number;
  /** Keskar et al. 2019: divides positive logits of ids seen, multiplies negative ones. [1] */
  readonly repetitionPenalty: number;
  /** Subtracted once from the logit of an id seen. [0] */
  readonly presencePenalty: number;
  /** Subtracted from a logit for each time its id was seen. [0] */
  readonly frequencyPenalty: number;
  /** How many of the last ids, the prompt's included, count as seen; -1: all of the sequence. [-1] */
  readonly penaltyTokens: number;
  /** Added to logits, by id; -Infinity forbids an id. [{}] */
  readonly logitBias: Readonly<Record<number, number>>;
  /** Draws are a pure function of (seed, position in the sequence). [0] */
  readonly seed: number;
}

/** Beam search: the likeliest beginnings go on together, and the best whole reply is given. */
export interface BeamSettings {
  /** Beginnings that go on; as many sequences are taken for it. 1 is greedy. */
  readonly count: number;
  /** A whole reply's score is its log-probability over (its tokens, the end included) ^ this: more favours longer ones. [1] */
  readonly lengthPenalty?: number;
  /**
   * When `count` replies are whole: true ends then; false, when the likeliest beginning is worse than the worst of them by its
   * present length; "never", by the length at which it could be best. [false]
   */
  readonly earlyStopping?: boolean | "never";
}

export interface GenerateRequest {
  /** What the reply goes on with; of a model that reads sources, the reply's beginning: its start id, and what is to follow it. */
  readonly ids: readonly number[] | Int32Array;
  /** What a model with an encoder reads first: for it alone, and always. */
  readonly source?: readonly number[] | Int32Array | undefined;
  /** Default: as many as the window holds. More than the window holds is allowed: generation ends there. */
  readonly maxTokens?: number;
  /** Missing settings are neutral, but for the temperature: without it the choice is greedy. */
  readonly sampling?: Partial<SamplingSettings>;
  /** Its tokens come together, at the end. Not with a temperature, nor with log-probabilities. Default: one beam, greedy. */
  readonly beams?: BeamSettings | undefined;
  /** Generation stops at any of these ids, which is not emitted. */
  readonly endIds?: Iterable<number>;
  /** Report log-probabilities of the raw logits with this many alternatives (0: of the chosen id only). */
  readonly logprobs?: number;
  /** Reuse no cached page, so that bytes do not depend on history. */
  readonly reproducible?: boolean;
  /** What `attach` gave: the reply is the model's with this adapter. Default: the model's own. */
  readonly adapter?: AttachedAdapter | undefined;
  readonly signal?: AbortSignal;
}

/** An id and the natural logarithm of its probability before any sampling step. */
export interface IdLogprob {
  readonly id: number;
  readonly logprob: number;
}

export interface EngineTimings {
  /** From the call until a slot was free. */
  readonly queuedMs: number;
  /** From then until the prompt was read. */
  readonly prefillMs: number;
  /** From the call to the first id. */
  readonly firstTokenMs: number;
  /** From the first id to the last. */
  readonly decodeMs: number;
  /** Over the prompt's tokens that were computed, not found in the cache. */
  readonly prefillTokensPerSecond: number;
  /** Over the ids after the first. */
  readonly decodeTokensPerSecond: number;
}

/** In order: prefill (once at `cached`, then after every chunk), token*, end. */
export type EngineEvent =
  | {
      readonly type: "prefill";
      /** Tokens of the prompt, the source's included, whose keys and values are there, out of `total`. */
      readonly done: number;
      readonly total: number;
      /** Of these, found in the cache. */
      readonly cached: number;
    }
  | {
      readonly type: "token";
      readonly id: number;
      /** With `logprobs` only. */
      readonly logprob?: number;
      /** The best alternatives, most likely first, the chosen one included if it is among them. */
      readonly top?: readonly IdLogprob[];
    }
  | {
      readonly type: "end";
      /** "stop": an end id or `stop()`; "length": maxTokens or the window's end. */
      readonly reason: "stop" | "length";
      /** The end id that was chosen, if one was. */
      readonly endId?: number;
      /** Ids emitted. */
      readonly tokens: number;
      readonly cached: number;
      readonly timings: EngineTimings;
    };

/**
 * One reply being made; work begins when iteration does, and leaving the loop early ends it. Can be iterated once.
 * Iteration rejects with AbortError, ContextLengthError, UsageError, or KernelError (the engine lives on).
 */
export interface Generation extends AsyncIterable<EngineEvent> {
  /** Ends the reply: events not yet read are dropped and `end` with reason "stop" follows. */
  stop(): void;
}

export interface EngineOptions {
  /** Tokens a sequence may hold, prompt and reply together, and a source besides; 1..model.window. */
  readonly window: number;
  /** Sequences that keep their keys and values at once, and so run at once. Default 4. */
  readonly slots?: number;
  /** Compute threads; default: the machine's. */
  readonly threads?: number;
  /** Keep each thread on a core of its own. Default false. */
  readonly pin?: boolean;
  /** "f32": activations stay f32. "fast" (default): rounded to int8 blocks where weights are quantized. */
  readonly precision?: "f32" | "fast";
  /** How keys and values are stored. Default "f16". Quantized: heads are a multiple of 32 columns. */
  readonly kvType?: StateType;
  /** Places for adapters; without any the model's programs are as if there were none. */
  readonly adapters?: AdapterRoom | undefined;
  /** Where packed weights are kept between starts. */
  readonly packs?: PackCache | undefined;
  /** Where machine code is kept between starts. */
  readonly codes?: CodeCache | undefined;
  /** Rows of a page and of a prompt chunk; the defaults are right but for tests of tiny models. */
  readonly pageSize?: number;
  readonly chunkRows?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Bytes that a model would take, known before anything is allocated. */
export interface EnginePlan {
  /** As the executor keeps them, which may be more than the file has. */
  readonly weightBytes: number;
  /** Of them what a token that goes on alone reads: of experts those that it chooses. */
  readonly weightBytesPerToken: number;
  /** What keys and values are kept as. */
  readonly kvType: StateType;
  /** Keys and values of all slots. */
  readonly kvBytes: number;
  /** What one more token of one sequence takes while its window groups are not yet full. */
  readonly kvBytesPerToken: number;
  /** Tables of adapters. */
  readonly adapterBytes: number;
  /** Values that are computed on the way. */
  readonly arenaBytes: number;
  /** Code, threads, inputs and outputs of programs. */
  readonly runtimeBytes: number;
  /** A tokenizer's tables, estimated. */
  readonly vocabularyBytes: number;
  readonly totalBytes: number;
  /** Of the machine, or what the executor can address where that is less. */
  readonly availableBytes: number;
  readonly fits: boolean;
}

/** A model that is ready to run. One owner; `close` aborts what runs and frees memory and threads. */
export interface Engine extends AsyncDisposable {
  readonly window: number;
  readonly slots: number;
  readonly threads: number;
  readonly memory: MemoryUse;
  /** Bytes that the weights of one decoded token stream. */
  readonly bytesPerToken: number;
  readonly weights: OpenWeights;
  /** Any number may run at once; where no slot is free they wait in order. */
  generate(request: GenerateRequest): Generation;
  /** Logits (T, V) of every position; T up to the window. Reuses no cached page. */
  logits(ids: readonly number[] | Int32Array, options?: ReadOptions): Promise<Float32Array>;
  /** Natural-log probabilities (T - 1) of ids[1..], each given what is before it; never holds (T, V). */
  score(ids: readonly number[] | Int32Array, options?: ReadOptions): Promise<Float64Array>;
  /**
   * Puts an adapter into a free place, between runs; what runs goes on. Undefined: there is no place for it, with these
   * projections, of this rank, that is free.
   */
  attach(adapter: AdapterTables): Promise<AttachedAdapter | undefined>;
  /** A copy of its tables, as large as its place: what it was attached from, filled up with zeros. */
  tablesOf(adapter: AttachedAdapter): AdapterTables;
  /** No new request may use it; its place is free when those that do have ended. */
  detach(adapter: AttachedAdapter): void;
  close(): Promise<void>;
}

export interface ReadOptions {
  /** As GenerateRequest has it. */
  readonly source?: readonly number[] | Int32Array | undefined;
  readonly adapter?: AttachedAdapter | undefined;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}
