// How a decoded row's keys are cut into ranges, each of which is a unit of work with a sum of its own: by the row's own
// position and the window alone. Few keys make few ranges; many make at most 32 until a range is as long as it may be.
import { type Int, type KernelBuilder } from "../../../lanes/index.ts";
import { BLOCK_KEYS } from "./key-blocks.ts";

/** Keys of a range; of the choices below those with which bench/attention.ts decodes fastest at 256 and at 16384 keys. */
const RANGE_KEYS_LEAST = 128;
export const RANGE_KEYS_MOST = 512;
/** Keys by which the length of ranges grows one step: 32 of the shortest. */
const GROWTH_KEYS = 4096;

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

/** The ranges of a row at `position`; `window` undefined: it sees all keys before it. */
export function rangesAt(k: KernelBuilder, position: Int, window: Int | undefined): Ranges {
  const end = position.add(1);
  const first = window === undefined ? k.int(0) : end.sub(window).max(0);
  const base = first.and(-BLOCK_KEYS);
  const seen = end.sub(base);
  const keys = ceilDiv(seen, GROWTH_KEYS).mul(RANGE_KEYS_LEAST).min(RANGE_KEYS_MOST);
  return { first, end, base, keys, count: seen.add(keys).sub(1).div(keys) };
}

/** The most ranges of any row that has at most `keysMost` keys to see. */
export function rangesMost(keysMost: number, window: number | undefined): number {
  const seen = Math.min(keysMost, window === undefined ? Infinity : window + BLOCK_KEYS - 1);
  const slices = GROWTH_KEYS / RANGE_KEYS_LEAST;
  return Math.max(Math.min(slices, Math.ceil(seen / RANGE_KEYS_LEAST)), Math.ceil(seen / RANGE_KEYS_MOST));
}

/** The same in a kernel. */
export function mostRanges(keysMost: Int, window: Int | undefined): Int {
  const seen = window === undefined ? keysMost : keysMost.min(window.add(BLOCK_KEYS - 1));
  const short = ceilDiv(seen, RANGE_KEYS_LEAST).min(GROWTH_KEYS / RANGE_KEYS_LEAST);
  return short.max(ceilDiv(seen, RANGE_KEYS_MOST));
}

const ceilDiv = (x: Int, by: number): Int => x.add(by - 1).div(by);
