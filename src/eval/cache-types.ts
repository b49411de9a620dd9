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
  readonly tokensMax?: number | undefined;
  /** Hears each rung as soon as it is measured. */
  readonly onRung?: (rung: CacheRung) => void;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Tokens that are written while speed is measured, and some room. */
const REPLY_ROOM = 64;

/** Measures each type, the default first. Throws UsageError, by `open`, where the model's window does not hold the context. */
export async function measureCacheTypes(options: CacheLadderOptions): Promise<CacheLadder> {
  const { open, text, types, context, tokensMax, onRung, onProgress, signal } = options;
  const window = context + REPLY_ROOM;
  await using original = await open({ kvType: DEFAULT, window });
  const rungs: CacheRung[] = [];
  let [tokens, compared] = [0, 0];
  for (const type of [DEFAULT, ...types.filter((type) => type !== DEFAULT)]) {
    const other = type === DEFAULT ? undefined : await open({ kvType: type, window });
    try {
      const copy = other ?? original;
      const found = await divergence(original, copy, text, { tokensMax, onProgress, signal });
      const rung: CacheRung = {
        type,
        bytes_per_token: copy.info.memory.kvBytesPerToken,
        perplexity: found.perplexity_copy,
        kl_divergence: found.kl_divergence,
        kl_divergence_99: found.kl_divergence_99,
        same_top: found.same_top,
        tokens_per_second: await decodeSpeed(copy, { context, signal }),
      };
      [tokens, compared] = [found.tokens, found.window];
      rungs.push(rung);
      onRung?.(rung);
    } finally {
      await other?.close();
    }
  }
  return { model: original.info.name, tokens, window: compared, context, rungs };
}
