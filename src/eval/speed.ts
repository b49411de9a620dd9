// The speed measurement behind `liang bench`: reading a prompt of 512 tokens, writing 128 after a prompt of 20, greedy,
// one warm-up, best of the runs; keys and values are f16 unless the model was opened otherwise. The fields never change meaning.
import type { LanguageModel, ReplyEvent } from "../chat/types.ts";
import { residentBytes } from "#platform";
import { readBandwidth } from "./read-bandwidth.ts";

const PROMPT_TOKENS = 512;
const SHORT_PROMPT_TOKENS = 20;
const DECODE_TOKENS = 128;
/** What the window must hold. */
export const SPEED_WINDOW = PROMPT_TOKENS + 64;

export interface Speed {
  readonly model: string;
  readonly executor: string;
  readonly tier: string;
  readonly threads: number;
  /** Seconds from the start of loading until the model can answer. */
  readonly load_s: number;
  /** Seconds from a request with the short prompt to its first token, best. */
  readonly ttft_s: number;
  readonly prefill_tok_s: number;
  readonly decode_tok_s: number;
  readonly prefill_tok_s_median: number;
  readonly decode_tok_s_median: number;
  /** Memory read bandwidth of as many threads, in 10^9 bytes a second, in this run. */
  readonly read_gb_s: number;
  /** Weight bytes that decoding one token reads. */
  readonly bytes_per_token: number;
  /** What a token's keys and values are kept as, and take. */
  readonly kv_type: string;
  readonly kv_bytes_per_token: number;
  /** Resident set of this process with the model loaded, in 10^6 bytes. */
  readonly rss_mb: number;
  readonly weights_mb: number;
  readonly runs: number;
}

export interface MeasureOptions {
  readonly onRun?: (done: number) => void;
  readonly signal?: AbortSignal;
  /** Bytes that are read for `read_gb_s`: as `readBandwidth` has them. */
  readonly readBlock?: number;
}

export async function measureSpeed(
  model: LanguageModel,
  runs: number,
  { onRun, signal, readBlock }: MeasureOptions = {},
): Promise<Speed> {
  const { vocabularySize, memory, ...info } = model.info;
  // Ids spread over the vocabulary but for its beginning (specials and bytes), another sequence each run; speed depends on
  // their number alone.
  const first = Math.min(299, vocabularySize >> 1);
  const prompt = (length: number, run: number): number[] =>
    Array.from({ length }, (_, i) => first + (((run * length + i) * 7919) % (vocabularySize - first)));
  const settings = { temperature: 0, ignoreEnd: true, reproducible: true, signal };
  const prefill: number[] = [];
  const decode: number[] = [];
  const firstToken: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const long = await finish(model.generate(prompt(PROMPT_TOKENS, run), { ...settings, maxTokens: 1 }));
    const short = await finish(
      model.generate(prompt(SHORT_PROMPT_TOKENS, run), { ...settings, maxTokens: DECODE_TOKENS }),
    );
    if (run > 0) {
      prefill.push(long.timings.prefillTokensPerSecond);
      decode.push(short.timings.decodeTokensPerSecond);
      firstToken.push(short.timings.firstTokenMs / 1000);
      onRun?.(run);
    }
  }
  const rss = residentBytes();
  return {
    model: info.name,
    executor: info.executor,
    tier: info.tier,
    threads: info.threads,
    load_s: round(info.loadMs / 1000),
    ttft_s: round(Math.min(...firstToken)),
    prefill_tok_s: round(Math.max(...prefill)),
    decode_tok_s: round(Math.max(...decode)),
    prefill_tok_s_median: round(median(prefill)),
    decode_tok_s_median: round(median(decode)),
    read_gb_s: round(await readBandwidth(info.threads, readBlock === undefined ? {} : { block: readBlock })),
    bytes_per_token: info.bytesPerToken,
    kv_type: memory.kvType,
    kv_bytes_per_token: memory.kvBytesPerToken,
    rss_mb: Math.round(rss / 1e6),
    weights_mb: Math.round(memory.weightBytes / 1e6),
    runs,
  };
}

const QUICK_TOKENS = 32;

/** Tokens a second of a short greedy reply after `context` tokens, the better of two: for many models one after another. */
export async function decodeSpeed(
  model: LanguageModel,
  { context = 8, signal }: { readonly context?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<number> {
  const prompt = Array.from({ length: context }, (_, i) => (i * 7919) % model.info.vocabularySize);
  // the second run finds the prompt in the cache
  const settings = { temperature: 0, ignoreEnd: true, maxTokens: QUICK_TOKENS };
  let best = 0;
  for (let run = 0; run < 2; run++) {
    const { timings } = await finish(model.generate(prompt, { ...settings, ...(signal && { signal }) }));
    best = Math.max(best, timings.decodeTokensPerSecond);
  }
  return round(best);
}

async function finish(events: AsyncIterable<ReplyEvent>): Promise<Extract<ReplyEvent, { type: "end" }>> {
  let end: Extract<ReplyEvent, { type: "end" }> | undefined;
  for await (const event of events) if (event.type === "end") end = event;
  return end!;
}

const round = (value: number): number => Number(value.toPrecision(4));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
