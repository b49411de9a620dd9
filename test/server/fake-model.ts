// A scripted LanguageModel for server tests: a token is one character (its id the code point), the reply is what the test
// says, and every call is recorded. It obeys maxTokens, stop, logprobs and the signal as the door promises.
import { ContextLengthError, UnsupportedError, UsageError } from "../../src/base/errors.ts";
import type {
  ChatOptions,
  GenerateOptions,
  LanguageModel,
  Message,
  ModelInfo,
  ReplyEvent,
  TokenLogprob,
} from "../../src/chat/types.ts";

export interface FakeScript {
  /** The reply to a rendered prompt. */
  reply?: (prompt: string, options: GenerateOptions) => string;
  /** Waited for before every token. */
  beforeToken?: (index: number) => Promise<void>;
  /** Thrown in place of the token of this index. */
  failAt?: { index: number; error: Error };
  window?: number;
}

export interface FakeModel extends LanguageModel {
  readonly calls: { prompt: string; options: ChatOptions }[];
  /** Replies running now. */
  readonly active: number;
  readonly aborted: number;
  readonly isClosed: boolean;
  /** Models that `attach` gave, in order. */
  readonly adapted: FakeModel[];
}

const VOCABULARY = 0x3000;

export function createFakeModel(name: string, script: FakeScript = {}): FakeModel {
  const { window = 1000 } = script;
  const calls: FakeModel["calls"] = [];
  let active = 0;
  let aborted = 0;
  let isClosed = false;
  const adapted: FakeModel[] = [];

  async function* run(prompt: string, options: ChatOptions): AsyncGenerator<ReplyEvent> {
    calls.push({ prompt, options });
    if (isClosed) throw new Error("used after close");
    const promptIds = tokenize(prompt);
    if (promptIds.length > window) throw new ContextLengthError(promptIds.length, window);
    active++;
    try {
      yield { type: "prefill", done: promptIds.length, total: promptIds.length };
      const cachedTokens = calls.length > 1 ? 3 : 0;
      const seed = options.seed ?? 7;
      yield { type: "text-start", promptTokens: promptIds.length, cachedTokens, seed };
      const whole = script.reply?.(prompt, options) ?? "Hello, world";
      const cut = (options.stop ?? []).map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
      const stopped = cut.length > 0;
      const text = stopped ? whole.slice(0, Math.min(...cut)) : whole;
      const all = tokenize(text);
      const ids = all.slice(0, options.maxTokens ?? Infinity);
      for (const [index, id] of ids.entries()) {
        await script.beforeToken?.(index);
        if (options.signal?.aborted === true) {
          aborted++;
          throw new DOMException("aborted", "AbortError");
        }
        if (script.failAt?.index === index) throw script.failAt.error;
        const logprobs = options.logprobs === undefined ? {} : { logprobs: [logprobOf(id, options.logprobs)] };
        yield { type: "text-delta", text: String.fromCodePoint(id), ids: [id], ...logprobs };
      }
      yield { type: "text-end" };
      yield {
        type: "end",
        finishReason: ids.length < all.length ? "length" : "stop",
        ids,
        promptIds,
        seed,
        usage: { promptTokens: promptIds.length, cachedTokens, completionTokens: ids.length },
        timings: { prefillMs: 1, firstTokenMs: 2, decodeMs: 3, prefillTokensPerSecond: 4, decodeTokensPerSecond: 5 },
      };
    } finally {
      active--;
    }
  }

  return {
    info: fakeInfo(name, window),
    calls,
    adapted,
    get active() {
      return active;
    },
    get aborted() {
      return aborted;
    },
    get isClosed() {
      return isClosed;
    },
    chat: (messages, options = {}) => run(render(messages), options),
    generate: (prompt, options = {}) => run(typeof prompt === "string" ? prompt : detokenize(prompt), options),
    render: async (messages) => render(messages),
    promptIds: async (messages) => tokenize(render(messages)),
    tokenize: (text, { bos = false } = {}) => [...(bos ? [1] : []), ...tokenize(text)],
    detokenize,
    async logits(ids) {
      // The next id is the same as this one, by far.
      const rows = new Float32Array(ids.length * VOCABULARY);
      ids.forEach((id, row) => (rows[row * VOCABULARY + id] = 20));
      return rows;
    },
    async score(ids) {
      return new Float64Array(ids.length - 1).fill(-1.5);
    },
    /** (length of the text, its first id, 0), or what is left of that; of a picture its bytes in place of ids. */
    async embed(inputs, { dimensions = 3, truncate = false, signal } = {}) {
      signal?.throwIfAborted();
      const all = inputs.map((input): readonly number[] => {
        if (typeof input === "string") return tokenize(input);
        if (!("image" in input)) return input;
        return Array.from(input.image instanceof Uint8Array ? input.image : input.image.rgb);
      });
      const long = all.find((ids) => ids.length > window);
      if (long !== undefined && !truncate) throw new ContextLengthError(long.length, window);
      const ids = all.map((one) => one.slice(0, window));
      return {
        vectors: ids.map((one) => Float32Array.of(one.length, one[0], 0).slice(0, dimensions)),
        tokens: ids.reduce((sum, one) => sum + one.length, 0),
      };
    },
    classify: () => Promise.reject(new UnsupportedError("The model (fake) tells no classes of images.")),
    /** The longer a document, the better. */
    async rerank(query, documents, { top = documents.length } = {}) {
      const results = documents.map(({ length }, index) => ({ index, score: length, relevance: 1 - 1 / (length + 2) }));
      results.sort((a, b) => b.score - a.score);
      const tokens = documents.reduce((sum, { length }) => sum + length, documents.length * query.length);
      return { results: results.slice(0, top), tokens };
    },
    /** Its replies are those of the script, with the name of the adapter. */
    async attach(path, { name: own = path } = {}) {
      const model = createFakeModel(own, { ...script, reply: () => `${own} from ${path}` });
      adapted.push(model);
      return model;
    },
    async close() {
      isClosed = true;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
    },
  };
}

function render(messages: readonly Message[]): string {
  const lines = messages.map(({ role, content }) => {
    const text = typeof content === "string" ? content : (content ?? []).map((part) => part.text).join("");
    return `${role}: ${text}\n`;
  });
  return `${lines.join("")}assistant:`;
}

const tokenize = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);

function detokenize(ids: readonly number[]): string {
  if (ids.some((id) => id >= VOCABULARY)) throw new UsageError("An id is outside of the vocabulary.");
  return ids.map((id) => (id === 1 ? "" : String.fromCodePoint(id))).join("");
}

function withLogprob(id: number, logprob: number) {
  const token = String.fromCodePoint(id);
  return { id, token, bytes: [...new TextEncoder().encode(token)], logprob };
}

function logprobOf(id: number, alternatives: number): TokenLogprob {
  const top = Array.from({ length: alternatives }, (_, rank) => withLogprob(id + rank, -0.25 - rank));
  return { ...withLogprob(id, -0.25), top };
}

function fakeInfo(name: string, window: number): ModelInfo {
  const memory = {
    weightBytes: 6,
    weightBytesPerToken: 1,
    kvType: "f16" as const,
    kvBytes: 2,
    kvBytesPerToken: 1,
    adapterBytes: 0,
    arenaBytes: 1,
    runtimeBytes: 1,
    vocabularyBytes: 1,
    totalBytes: 10,
    availableBytes: 100,
    fits: true,
  };
  return {
    name,
    path: `/models/${name}`,
    family: "fake",
    parameters: 1000,
    fileBytes: 10,
    vocabularySize: VOCABULARY,
    bosId: 1,
    eosId: 2,
    addBos: true,
    window,
    trainedWindow: window,
    slots: 4,
    executor: "reference",
    tier: "plain",
    threads: 1,
    bytesPerToken: 1,
    weights: { from: "packed" },
    memory,
    template: "built-in",
    loadMs: 1,
  };
}
