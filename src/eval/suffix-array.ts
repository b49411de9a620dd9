// The suffix array of a sequence: the starts of its suffixes in their order. In linear time by induced sorting (SA-IS:
// Nong, Zhang, Chan, "Two Efficient Algorithms for Linear Time Suffix Array Construction", 2011). Working memory: five
// bytes a unit besides the result, less in the deeper levels. Not here: searching in it (memorization.ts).
import { UsageError } from "../base/errors.ts";

type Units = Uint16Array | Int32Array;

const UNITS_MAX = 2 ** 31 - 2;

/** Starts of all suffixes of `units` (each from 0 to below `alphabet`), the smallest suffix first; a prefix goes before. */
export function suffixArray(units: Units, alphabet: number): Int32Array {
  if (units.length > UNITS_MAX) {
    throw new UsageError(`A suffix array over ${units.length} units was asked for, at most ${UNITS_MAX} are possible.`);
  }
  const order = new Int32Array(units.length);
  if (units.length === 1) order[0] = 0;
  if (units.length > 1) sortSuffixes(units, alphabet, order);
  return order;
}

/** Buckets of the suffixes by their first unit: where each begins, and where its small ones begin behind the large. */
interface Buckets {
  readonly starts: Int32Array;
  readonly smallStarts: Int32Array;
  /** 1: the suffix is smaller than the one after it. */
  readonly isSmall: Uint8Array;
}

function sortSuffixes(units: Units, alphabet: number, order: Int32Array): void {
  const size = units.length;
  const buckets = findBuckets(units, alphabet);
  const { isSmall } = buckets;
  const isLeftmost = (i: number): boolean => i > 0 && isSmall[i] === 1 && isSmall[i - 1] === 0;
  let count = 0;
  for (let i = 1; i < size; i++) if (isLeftmost(i)) count++;
  const leftmost = new Int32Array(count);
  for (let i = 1, next = 0; i < size; i++) if (isLeftmost(i)) leftmost[next++] = i;

  induce(units, buckets, leftmost, order);
  if (count > 1) {
    const { names, distinct } = nameLeftmost(units, order, leftmost, isLeftmost);
    const sorted = new Int32Array(count);
    if (distinct === count) for (let i = 0; i < count; i++) sorted[names[i]] = i;
    else sortSuffixes(names, distinct, sorted);
    induce(
      units,
      buckets,
      sorted.map((i) => leftmost[i]),
      order,
    );
  }
}

function findBuckets(units: Units, alphabet: number): Buckets {
  const isSmall = new Uint8Array(units.length);
  for (let i = units.length - 2; i >= 0; i--) {
    isSmall[i] = units[i] < units[i + 1] || (units[i] === units[i + 1] && isSmall[i + 1] === 1) ? 1 : 0;
  }
  const starts = new Int32Array(alphabet + 1);
  const large = new Int32Array(alphabet);
  for (let i = 0; i < units.length; i++) {
    starts[units[i] + 1]++;
    if (isSmall[i] === 0) large[units[i]]++;
  }
  for (let unit = 0; unit < alphabet; unit++) {
    starts[unit + 1] += starts[unit];
    large[unit] += starts[unit];
  }
  return { starts, smallStarts: large, isSmall };
}

/** Sorts all suffixes by the order of the leftmost small ones: the large ones from left to right, the small ones back. */
function induce(
  units: Units,
  { starts, smallStarts, isSmall }: Buckets,
  leftmost: Int32Array,
  order: Int32Array,
): void {
  const size = units.length;
  order.fill(-1);
  const next = smallStarts.slice();
  for (let i = 0; i < leftmost.length; i++) order[next[units[leftmost[i]]]++] = leftmost[i];
  next.set(starts.subarray(0, next.length));
  order[next[units[size - 1]]++] = size - 1; // the end is smaller than any unit
  for (let i = 0; i < size; i++) {
    const before = order[i] - 1;
    if (before >= 0 && isSmall[before] === 0) order[next[units[before]]++] = before;
  }
  next.set(starts.subarray(1));
  for (let i = size - 1; i >= 0; i--) {
    const before = order[i] - 1;
    if (before >= 0 && isSmall[before] === 1) order[--next[units[before]]] = before;
  }
}

/** Names the stretches between leftmost small suffixes by their order, the same name for the same stretch. */
function nameLeftmost(
  units: Units,
  order: Int32Array,
  leftmost: Int32Array,
  isLeftmost: (i: number) => boolean,
): { names: Int32Array; distinct: number } {
  const size = units.length;
  // two of them are never neighbours, so half a place each is enough
  const indexOf = new Int32Array((size >> 1) + 1);
  for (let i = 0; i < leftmost.length; i++) indexOf[leftmost[i] >> 1] = i;
  const names = new Int32Array(leftmost.length);
  let name = -1;
  let last = -1;
  for (let i = 0; i < size; i++) {
    const at = order[i];
    if (!isLeftmost(at)) continue;
    const index = indexOf[at >> 1];
    if (last < 0 || !sameStretch(units, leftmost, last, index)) name++;
    names[index] = name;
    last = index;
  }
  return { names, distinct: name + 1 };
}

/** Whether two stretches, each up to the next leftmost suffix and its first unit, are the same. */
function sameStretch(units: Units, leftmost: Int32Array, a: number, b: number): boolean {
  if (a === leftmost.length - 1 || b === leftmost.length - 1) return false; // one ends with the text
  const length = leftmost[a + 1] - leftmost[a];
  if (length !== leftmost[b + 1] - leftmost[b]) return false;
  for (let i = 0; i <= length; i++) if (units[leftmost[a] + i] !== units[leftmost[b] + i]) return false;
  return true;
}
