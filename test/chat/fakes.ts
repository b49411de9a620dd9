// A tiny real tokenizer (bytes, a few merges, ChatML markers) and an engine that says what it is told: for tests of the
// chat layer without a model.
import type { Engine, EngineEvent, GenerateRequest, Generation } from "../../src/engine/index.ts";
import { tokenizerFromGguf } from "../../src/text/from-gguf.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";

const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;

const printable = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);

/** GPT-2's spelling of bytes: printable ones as themselves, the others from U+0100 on. */
function byteSpellings(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

const MERGES = ["h e", "l l", "he ll", "hell o", "Ġ w", "o r", "< |", "| >"];
const MARKERS: readonly [string, number][] = [
  ["<|im_start|>", CONTROL],
  ["<|im_end|>", CONTROL],
  ["<tool_call>", USER_DEFINED],
];

/** Byte-level BPE with 256 bytes, 8 merges and the markers of ChatML; BOS is `<|im_start|>` when asked for. */
export function tinyTokenizer(options: { addBos?: boolean; markers?: boolean } = {}): Tokenizer {
  const merged = MERGES.map((merge) => merge.replace(" ", ""));
  const markers = options.markers === false ? [] : MARKERS;
  const tokens = [...byteSpellings(), ...merged, ...markers.map(([text]) => text)];
  const types = [...tokens.slice(markers.length).map(() => NORMAL), ...markers.map(([, type]) => type)];
  const start = tokens.indexOf("<|im_start|>");
  return tokenizerFromGguf({
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": types,
    "tokenizer.ggml.merges": MERGES,
    ...(markers.length > 0 && {
      "tokenizer.ggml.bos_token_id": start,
      "tokenizer.ggml.eos_token_id": start + 1,
      "tokenizer.ggml.add_bos_token": options.addBos ?? false,
    }),
  });
}

export interface FakeEngine extends Pick<Engine, "generate" | "logits" | "score"> {
  readonly requests: GenerateRequest[];
  /** Token events that were asked for, over all replies. */
  emitted: number;
}

const TIMINGS = {
  queuedMs: 0,
  prefillMs: 2,
  firstTokenMs: 3,
  decodeMs: 4,
  prefillTokensPerSecond: 5,
  decodeTokensPerSecond: 6,
};

/** Replies with `script` to whatever it is asked, as an engine would: end ids and `stop()` end it, so does maxTokens. */
export function fakeEngine(script: readonly number[]): FakeEngine {
  const engine: FakeEngine = {
    requests: [],
    emitted: 0,
    generate(request): Generation {
      engine.requests.push(request);
      const state = { isStopped: false };
      async function* events(): AsyncGenerator<EngineEvent> {
        const total = request.ids.length;
        yield { type: "prefill", done: 0, total, cached: 0 };
        yield { type: "prefill", done: total, total, cached: 0 };
        const ends = new Set(request.endIds ?? []);
        const count = Math.min(script.length, request.maxTokens ?? Infinity);
        let tokens = 0;
        let endId: number | undefined;
        for (; tokens < count && !state.isStopped; tokens++) {
          request.signal?.throwIfAborted();
          const id = script[tokens];
          if (ends.has(id)) {
            endId = id;
            break;
          }
          engine.emitted++;
          const logprob = { logprob: -0.5, top: [{ id, logprob: -0.5 }].slice(0, request.logprobs ?? 0) };
          yield { type: "token", id, ...(request.logprobs !== undefined && logprob) };
        }
        const reason = endId !== undefined || state.isStopped ? "stop" : "length";
        yield { type: "end", reason, ...(endId !== undefined && { endId }), tokens, cached: 0, timings: TIMINGS };
      }
      return { stop: () => void (state.isStopped = true), [Symbol.asyncIterator]: events };
    },
    logits: async (ids) => new Float32Array(ids.length),
    score: async (ids) => new Float64Array(ids.length - 1),
  };
  return engine;
}

/** Of models that are not asked to read. */
export const noReader = {
  embed: () => Promise.reject(new Error("not here")),
  rerank: () => Promise.reject(new Error("not here")),
  classify: () => Promise.reject(new Error("not here")),
};
