// One model with its keys and values kept as each type: what a type saves, what it costs beside the default, and how fast it
// writes behind a long text. Not here: how that is drawn (cli/).
import type { CacheType } from "../chat/cache-types.ts";
import type { LanguageModel, LoadOptions } from "../chat/types.ts";
import type { OnProgress } from "../base/progress.ts";
import { divergence } from "./divergence.ts";
import { decodeSpeed } from "./speed.ts";

/** What the others are compared with: hardly to be told from f32, and computed by the same kernels as they are. */
const DEFAULT: CacheType = "f16";

export interface CacheRung {
  readonly type: CacheType;
  /** Of keys and values. */
  readonly bytes_per_token: number;
  readonly perplexity: number;
  /** From the default type, in nats a token: the mean, and what one token in a hundred is above. */
  readonly kl_divergence: number;
  readonly kl_divergence_99: number;
  /** Share of tokens for which both find the same one most likely. */
  readonly same_top: number;
  /** Tokens that it writes in a second, here, after `context`. */
  readonly tokens_per_second: number;
}

export interface CacheLadder {
  readonly model: string;
  /** Tokens of the text that were predicted, in windows of so many. */
  readonly tokens: number;
  readonly window: number;
  /** Tokens that lie in the cache while speed is measured. */
  readonly context: number;
  readonly rungs: readonly CacheRung[];
}

export interface CacheLadderOptions {
  /** Opens the model; whoever measures closes it. */
  readonly open: (options: Pick<LoadOptions, "kvType" | "window">) => Promise<LanguageModel>;
  readonly text: string;
  readonly types: readonly CacheType[];
  readonly context: number;
  /** Tokens that are compared at once, at most. */
  readonly window: number;
  readonly tokensMax?: number | undefined;
  /** Hears each rung as soon as it is measured. */
  readonly onRung?: (rung: CacheRung) => void;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Tokens that are written while speed is measured, and some room. */
const REPLY_ROOM = 64;

type Cost = Pick<CacheRung, "perplexity" | "kl_divergence" | "kl_divergence_99" | "same_top">;
/** What the default type costs beside itself. */
const NOTHING = { kl_divergence: 0, kl_divergence_99: 0, same_top: 1 } as const;

/** Measures the default, then each of `types`. Throws UsageError, by `open`, where the model's window does not hold the context. */
export async function measureCacheTypes(options: CacheLadderOptions): Promise<CacheLadder> {
  const { open, text, types, context, tokensMax, onRung, onProgress, signal } = options;
  const window = Math.max(options.window, context + REPLY_ROOM);
  await using original = await open({ kvType: DEFAULT, window });
  const rungs: CacheRung[] = [];
  const add = async (type: CacheType, model: LanguageModel, cost: Cost): Promise<void> => {
    const speed = await decodeSpeed(model, { context, signal });
    const rung = { type, bytes_per_token: model.info.memory.kvBytesPerToken, ...cost, tokens_per_second: speed };
    rungs.push(rung);
    onRung?.(rung);
  };
  let [tokens, compared] = [0, 0];
  for (const type of types) {
    await using copy = await open({ kvType: type, window });
    const found = await divergence(original, copy, text, { tokensMax, onProgress, signal });
    const { perplexity_original, perplexity_copy, kl_divergence, kl_divergence_99, same_top } = found;
    if (rungs.length === 0) await add(DEFAULT, original, { perplexity: perplexity_original, ...NOTHING });
    await add(type, copy, { perplexity: perplexity_copy, kl_divergence, kl_divergence_99, same_top });
    [tokens, compared] = [found.tokens, found.window];
  }
  return { model: original.info.name, tokens, window: compared, context, rungs };
}
