// How a decoded row's keys are cut into ranges, each of which is a unit of work with a sum of its own: by the row's own
// position and the window alone. Few keys make few ranges; many make at most 16 until a range is as long as it may be.
import type { Int, KernelBuilder } from "../../../lanes/index.ts";
import type { AttentionShape } from "./attention-shape.ts";
import { BLOCK_KEYS } from "./key-blocks.ts";
import { ceilDiv } from "./loops.ts";

/**
 * Keys of a range at least. Longer ranges are read faster, since each begins with a wait for memory: 11.3, 12.5, 13.7 and
 * 14.0 GB/s a thread with 256, 512, 1024 and 2048 keys (bench/attention.ts); shorter ones give more threads work.
 */
const RANGE_KEYS_LEAST = 128;
/** Keys by which the length of ranges grows one step: 16 of the shortest. */
const GROWTH_KEYS = 2048;

/** Keys of a range at most: where a group has many heads, their scores are to fit scratch. */
export const rangeKeysMost = (headsPerGroup: number): number => (headsPerGroup <= 32 ? 1024 : 512);

/** What a row's keys are cut into. */
export interface Ranges {
  /** The first key that the row sees, and the one past the last. */
  readonly first: Int;
  readonly end: Int;
  /** Where range 0 begins, keys of a range, and how many there are. */
  readonly base: Int;
  readonly keys: Int;
  readonly count: Int;
}

type Cut = Pick<AttentionShape, "headsPerGroup" | "pageSize" | "windowed">;

/** The ranges of a row at `position`. */
export function rangesAt(k: KernelBuilder, { headsPerGroup, windowed }: Cut, position: Int, window: Int): Ranges {
  const end = position.add(1);
  const first = windowed ? end.sub(window).max(0) : k.int(0);
  const base = first.and(-BLOCK_KEYS);
  const seen = end.sub(base);
  const keys = ceilDiv(seen, GROWTH_KEYS).mul(RANGE_KEYS_LEAST).min(rangeKeysMost(headsPerGroup));
  return { first, end, base, keys, count: ceilDiv(seen, keys) };
}

/** The most ranges of any row whose keys lie in `pages` pages. */
export function rangesMost({ headsPerGroup, pageSize }: Cut, pages: number, window: number | undefined): number {
  const seen = Math.min(pages * pageSize, window === undefined ? Infinity : window + BLOCK_KEYS - 1);
  const short = Math.min(GROWTH_KEYS / RANGE_KEYS_LEAST, Math.ceil(seen / RANGE_KEYS_LEAST));
  return Math.max(short, Math.ceil(seen / rangeKeysMost(headsPerGroup)));
}

/** The same in a kernel. */
export function mostRanges({ headsPerGroup, pageSize, windowed }: Cut, pages: Int, window: Int): Int {
  const keys = pages.mul(pageSize);
  const seen = windowed ? keys.min(window.add(BLOCK_KEYS - 1)) : keys;
  const short = ceilDiv(seen, RANGE_KEYS_LEAST).min(GROWTH_KEYS / RANGE_KEYS_LEAST);
  return short.max(ceilDiv(seen, rangeKeysMost(headsPerGroup)));
}
