// The narrow door's types: what a program, the CLI and the server see of a loaded model. Bodies: load.ts and below.
import type { OnProgress } from "../base/progress.ts";
import type { OpenWeights } from "../device/executor.ts";
import type { EnginePlan } from "../engine/types.ts";
import type { RopeChoice } from "../models/index.ts";
import type { CacheType } from "./cache-types.ts";

export interface ToolCall {
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name: string; readonly arguments: string | Record<string, unknown> };
}

/** A message as chat APIs have it. Text parts are joined; other parts are refused with UnsupportedError. */
export interface Message {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool";
  readonly content: string | readonly { readonly type: string; readonly text?: string }[] | null;
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
  /** What an assistant thought before it answered; templates that know it decide what the model sees of it again. */
  readonly reasoning_content?: string;
}

/** A function the model may call, as the OpenAI API has it; passed to the template as it is. */
export interface Tool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description?: string; readonly parameters?: object };
}

export interface SamplingOptions {
  /** 0 is greedy. Default (of all of these): what the model's files recommend, else the number named here: 0.8. */
  temperature?: number;
  /** Keep the k most likely; 0 keeps all. Default 40. */
  topK?: number;
  /** Default 0.95. */
  topP?: number;
  /** Default 0.05. */
  minP?: number;
  /** 1 (default) keeps all. */
  typicalP?: number;
  /** 1 (default) is none. */
  repetitionPenalty?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  /** How many of the last tokens the penalties look at; -1: the whole window. Default 64. */
  penaltyTokens?: number;
  /** Added to the logits, by token id. */
  logitBias?: Readonly<Record<number, number>>;
  /** Same seed, same prompt, same settings: same reply. Default: drawn, and reported in the `end` event. */
  seed?: number;
}

export interface BeamOptions {
  /**
   * Beam search: so many beginnings go on together, the best whole reply is given, all of it at its end; not with a temperature
   * or log-probabilities. 1: none. Default: what the model's files recommend (translators' do) where nothing is asked for that
   * beams do not go with.
   */
  beams?: number;
  /** A whole reply's score is its log-probability over (its tokens) ^ this. Default: the files', else 1. */
  lengthPenalty?: number;
  /** When as many replies are whole as there are beams: true ends, false and "never" wait for likelier ones. Default: the files', else false. */
  earlyStopping?: boolean | "never";
}

/** What a model's files recommend. */
export type ReplyDefaults = SamplingOptions & BeamOptions;

export interface GenerateOptions extends SamplingOptions, BeamOptions {
  /** Default: what the window still holds. */
  maxTokens?: number;
  /** The reply ends before the first of these; none of its text is emitted. */
  stop?: readonly string[];
  /** Report log-probabilities with this many alternatives (0: of the chosen token only). */
  logprobs?: number;
  /** Go on after end-of-generation tokens, up to maxTokens: for measuring speed. */
  ignoreEnd?: boolean;
  /** Reuse no cached prefix, so that bytes do not depend on history. */
  reproducible?: boolean;
  signal?: AbortSignal;
}

export interface RenderOptions {
  tools?: readonly Tool[];
  /** End with the opening of the assistant's turn. Default true. */
  addGenerationPrompt?: boolean;
  /** Extra variables for the template, such as enable_thinking. */
  templateOptions?: Readonly<Record<string, unknown>>;
}

export interface ChatOptions extends GenerateOptions, RenderOptions {}

export interface TokenLogprob {
  readonly id: number;
  /** The token's bytes as text, U+FFFD where they are no character of their own. */
  readonly token: string;
  readonly bytes: readonly number[];
  readonly logprob: number;
  /** The best alternatives, the chosen one included if it is among them. */
  readonly top: readonly {
    readonly id: number;
    readonly token: string;
    readonly bytes: readonly number[];
    readonly logprob: number;
  }[];
}

export interface Usage {
  readonly promptTokens: number;
  /** Of these, found in the cache. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

export interface Timings {
  readonly prefillMs: number;
  /** From the call to the first token. */
  readonly firstTokenMs: number;
  readonly decodeMs: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

/** What a reply is made of, in order: prefill*, text-start, text-delta*, text-end, end. An abort rejects with AbortError. */
export type ReplyEvent =
  | { readonly type: "prefill"; readonly done: number; readonly total: number }
  | {
      readonly type: "text-start";
      readonly promptTokens: number;
      /** Of these, found in the cache. */
      readonly cachedTokens: number;
      readonly seed: number;
    }
  | {
      readonly type: "text-delta";
      /** Text that can no longer change; may be "" when only logprobs are new. */
      readonly text: string;
      readonly ids: readonly number[];
      readonly logprobs?: readonly TokenLogprob[];
    }
  | { readonly type: "text-end" }
  | {
      readonly type: "end";
      /** "stop": end-of-generation token or stop string; "length": maxTokens or the window's end. */
      readonly finishReason: "stop" | "length";
      readonly stopString?: string;
      readonly ids: readonly number[];
      readonly promptIds: readonly number[];
      readonly seed: number;
      readonly usage: Usage;
      readonly timings: Timings;
    };

/** What loading would take, and did: bytes, estimated before anything is allocated. */
export type MemoryPlan = EnginePlan;

export interface ModelInfo {
  readonly name: string;
  readonly path: string;
  readonly family: string;
  readonly parameters: number;
  /** Those that a token goes through, where it chooses experts; absent: all. */
  readonly activeParameters?: number;
  readonly fileBytes: number;
  readonly vocabularySize: number;
  /** Ids that begin and end a text; absent where the vocabulary has none. */
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** Whether the model wants BOS before a text. */
  readonly addBos: boolean;
  /** Tokens a conversation may hold as loaded, and as the model was made. */
  readonly window: number;
  readonly trainedWindow: number;
  /** Conversations that keep their cache at once. */
  readonly slots: number;
  readonly executor: "reference" | "cpu";
  readonly tier: string;
  /** What a person should know of how it runs, such as why not by the machine's own instructions. */
  readonly notice?: string;
  readonly threads: number;
  readonly bytesPerToken: number;
  /** Whether packed weights were found on the disk, and why they are not kept there where they should be. */
  readonly weights: OpenWeights;
  readonly memory: MemoryPlan;
  /** Where the chat template comes from; "none": the model was not made for chat, `chat` gives it the texts alone. */
  readonly template: "file" | "built-in" | "none";
  readonly loadMs: number;
  /** What was attached, of a model that `attach` gave. */
  readonly adapter?: AdapterInfo;
}

export interface AdapterInfo {
  readonly path: string;
  /** How many of the model's projections it changes, the largest of its ranks, its weights. */
  readonly projections: number;
  readonly rank: number;
  readonly parameters: number;
}

export interface AttachOptions {
  /** What the model is called with it. Default: the model's name, "@", and that of the files. */
  name?: string;
  signal?: AbortSignal;
}

export interface LoadOptions {
  /** Tokens a conversation may hold. Default: the model's, at most 8192, less where memory is short (the info says). */
  window?: number;
  /** Conversations that keep their cache at once. Default 4, fewer where memory is short (the info says). */
  slots?: number;
  /** The most beams that replies will have: no fewer slots are opened. Default: what the model's files recommend. */
  beams?: number;
  threads?: number;
  /** Keep each thread on a core of its own. Default false: the system moves them as it likes. */
  pin?: boolean;
  executor?: "reference" | "cpu";
  precision?: "f32" | "fast";
  /**
   * What keys and values are kept as: "f16" (default), "f32", or rounded in blocks of 32 columns, "q8_0" or "q4_0", which take
   * 0.53 and 0.28 of its memory; refused of models whose heads are no multiple of 32.
   */
  kvType?: CacheType;
  /**
   * Another rope scaling than the model's own, so that its window grows: `{ type: "yarn", factor: 4 }`. The window that it
   * may then have is `originalWindow` (default: what the file says it was before scaling, else its window) times the factor.
   */
  rope?: RopeChoice;
  /** Instead of the model's own chat template: the name of a built-in one ("chatml", "none", ...) or Jinja text. */
  template?: string;
  /**
   * Files of a LoRA adapter (a folder as PEFT writes it, or a GGUF file): the model talks with it, as `attach` gives it. A
   * name on the list such as "gemma@poet" needs no such option.
   */
  adapter?: string;
  /** Keep packed weights on the disk (in the data folder), where the next start finds them. Default true. */
  packCache?: boolean;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export interface EmbedOptions {
  /** Keep the first so many numbers of each vector (of models that were trained for it). Default: all. */
  dimensions?: number;
  /** What is put before texts, by the name that the model's files give it ("query"). Default: what they say, mostly nothing. */
  prompt?: string;
  /** Cut texts that are longer than the window. Default false: they are refused. */
  truncate?: boolean;
  signal?: AbortSignal;
}

/** The bytes of a PNG, JPEG or WebP file, or decoded pixels: red, green and blue of each, row by row. */
export type Picture = Uint8Array | { readonly width: number; readonly height: number; readonly rgb: Uint8Array };

/** A text, ids as they are, or a picture. */
export type EmbedInput = string | readonly number[] | { readonly image: Picture };

export interface Embeddings {
  /** One of each input, of length 1. */
  readonly vectors: readonly Float32Array[];
  /** Read in all; of images, rows: their patches, and one for each. */
  readonly tokens: number;
}

export interface ClassifyOptions {
  /** What images may show, for models that read texts too. Default: the model's own classes. */
  labels?: readonly string[];
  /** What labels are put into, at {}. Default "This is a photo of {}.". */
  prompt?: string;
  /** How many of the labels to give. Default: all. */
  top?: number;
  signal?: AbortSignal;
}

export interface Classification {
  /** The best first. */
  readonly results: readonly {
    readonly label: string;
    /** What the model says. */
    readonly score: number;
    /** Of all labels together, 1. */
    readonly probability: number;
  }[];
}

export interface RerankOptions {
  /** How many of the documents to give. Default: all. */
  top?: number;
  signal?: AbortSignal;
}

export interface Ranking {
  /** The best first. */
  readonly results: readonly {
    /** Of the document, from 0. */
    readonly index: number;
    /** What the model's head says. */
    readonly score: number;
    /** The same between 0 and 1: its sigmoid. */
    readonly relevance: number;
  }[];
  readonly tokens: number;
}

/** A loaded model. One owner; `close` (or `await using`) frees its memory and threads. */
export interface LanguageModel extends AsyncDisposable {
  readonly info: ModelInfo;
  /** Streams the reply to a conversation. */
  chat(messages: readonly Message[], options?: ChatOptions): AsyncIterable<ReplyEvent>;
  /** Continues a text or ids, with no template. Text gets BOS where the model wants it; specials in it are plain text. */
  generate(prompt: string | readonly number[], options?: GenerateOptions): AsyncIterable<ReplyEvent>;
  /** The exact prompt that `chat` would read, as its template writes it; a BOS that the tokenizer adds is not in it. */
  render(messages: readonly Message[], options?: RenderOptions): Promise<string>;
  /** The ids that `chat` would read: special tokens are the template's only, never a message's. */
  promptIds(messages: readonly Message[], options?: RenderOptions): Promise<number[]>;
  /** `special`: special tokens in the text are recognised. `bos`: BOS is put first where the model wants it. */
  tokenize(text: string, options?: { special?: boolean; bos?: boolean }): number[];
  /**
   * `special` (default true): special tokens are written out. `start` (default true): the ids begin a text, so a space
   * that the tokenizer itself puts there is taken off; false when they go on one.
   */
  detokenize(ids: readonly number[], options?: { special?: boolean; start?: boolean }): string;
  /** Logits (T, V) of every position of one sequence. */
  logits(ids: readonly number[], options?: { signal?: AbortSignal }): Promise<Float32Array>;
  /** Natural-log probabilities (T - 1) of ids[1..] given what is before each. */
  score(ids: readonly number[], options?: { signal?: AbortSignal }): Promise<Float64Array>;
  /**
   * A vector of each text, of each list of ids as it is, or of each picture: of an encoder made for it, of any other model
   * by the mean of its rows. Vectors of texts and pictures lie in one space where the model reads both. Throws
   * ContextLengthError for a text that is too long, UnsupportedError for what the model does not read, FormatError for bytes
   * that are no picture, UsageError.
   */
  embed(inputs: readonly EmbedInput[], options?: EmbedOptions): Promise<Embeddings>;
  /**
   * What each picture shows: by the model's own classes, or by any labels where it reads texts too. Throws UnsupportedError
   * where the model does neither, FormatError for bytes that are no picture, UsageError for labels that are missing or that
   * nobody asks for.
   */
  classify(pictures: readonly Picture[], options?: ClassifyOptions): Promise<Classification[]>;
  /** Documents by how well they answer a query. Throws UnsupportedError where the model has no head for it. */
  rerank(query: string, documents: readonly string[], options?: RerankOptions): Promise<Ranking>;
  /**
   * The model with a LoRA adapter: another model over the same weights, which runs in the same batches as this one and as
   * others that were attached. Nothing is merged. The first one, and one of a larger rank or of projections that none had
   * before, waits until replies under way have ended, since the model is opened anew with room for it (from packed weights,
   * where they are kept). Closing it detaches it; closing this model closes all. `path`: a folder as PEFT writes it, or a
   * GGUF file. Throws NotFoundError, FormatError and UnsupportedError for files that do not fit the model, MemoryError.
   */
  attach(path: string, options?: AttachOptions): Promise<LanguageModel>;
  close(): Promise<void>;
}
