// Makes one value of two where code copies one into the other and neither is set while the other one is needed (Chaitin
// 1982, section 3): sums that stay in one register through a loop, results that take the place of a dead source. Inner
// loops first. Rewrites the code.
import { type Code, type Program, NONE } from "./code.ts";
import { type Life, type Lives, LOOP_TURNS, MOMENTS, SET_FIRST } from "./live.ts";

/** Lives of what is gone become undefined, those of what is kept grow. */
export function coalesce(program: Program, { lives, order, depths }: Lives): void {
  const parents: number[] = [];
  const find = (id: number): number => {
    let root = id;
    while (parents[root] !== undefined) root = parents[root];
    // what was passed on the way points to the root from now on
    while (id !== root) {
      const next = parents[id];
      parents[id] = root;
      id = next;
    }
    return root;
  };
  const copies = order.filter(
    (code) => (code.tied || code.isCopy) && code.result >= 0 && code.sources[0]?.kind === "value",
  );
  let deepest = 0;
  for (const { at } of copies) deepest = Math.max(deepest, depths[at]);
  for (let depth = deepest; depth >= 0; depth--) {
    for (const code of copies) {
      const source = code.sources[0];
      if (depths[code.at] !== depth || source.kind !== "value" || program.constants.has(source.id)) continue;
      const from = find(source.id);
      const to = find(code.result);
      if (from === to || program.classes[from] !== program.classes[to]) continue;
      const a = lives[from]!;
      const b = lives[to]!;
      if (isSetWithin(a, b, NONE) || isSetWithin(b, a, code.at * MOMENTS + SET_FIRST)) continue;
      const isLonger = a.ranges.length + a.sets.length >= b.ranges.length + b.sets.length;
      const kept = isLonger ? from : to;
      const gone = isLonger ? to : from;
      parents[gone] = kept;
      merge(lives[kept]!, lives[gone]!);
      if (code.isCopy) lives[kept]!.weight -= 2 * LOOP_TURNS ** depth; // the copy neither reads nor sets any more
      lives[gone] = undefined;
      program.homes.delete(kept); // what is one value now may differ from what is in the frame
    }
  }
  for (const code of order) rename(code, find);
}

/** Whether `a` is set, but at one moment, while `b` is needed. */
function isSetWithin(a: Life, b: Life, except: number): boolean {
  const first = b.ranges[0];
  const last = b.ranges[b.ranges.length - 1];
  for (let i = firstFrom(a.sets, 1, first); i < a.sets.length && a.sets[i] < last; i++) {
    if (a.sets[i] !== except && contains(b.ranges, a.sets[i])) return true;
  }
  return false;
}

function contains(ranges: readonly number[], moment: number): boolean {
  const after = firstFrom(ranges, 2, moment + 1); // the first range that begins later
  return after > 0 && ranges[2 * after - 1] > moment;
}

/** Index, in steps of `stride`, of the first number in an ascending list that is not less than `least`. */
function firstFrom(numbers: readonly number[], stride: number, least: number): number {
  let low = 0;
  let high = numbers.length / stride;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle * stride] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adds the shorter of two lives to the longer one, in place. */
function merge(into: Life, from: Life): void {
  into.weight += from.weight;
  for (const moment of from.sets) into.sets.splice(firstFrom(into.sets, 1, moment), 0, moment);
  const { ranges } = into;
  for (let i = 0; i < from.ranges.length; i += 2) {
    let start = from.ranges[i];
    let end = from.ranges[i + 1];
    // everything that touches the new range becomes part of it
    let first = firstFrom(ranges, 2, start);
    if (first > 0 && ranges[2 * first - 1] >= start) first--;
    let last = first;
    while (2 * last < ranges.length && ranges[2 * last] <= end) last++;
    if (last > first) {
      start = Math.min(start, ranges[2 * first]);
      end = Math.max(end, ranges[2 * last - 1]);
    }
    ranges.splice(2 * first, 2 * (last - first), start, end);
  }
}

/** Replaces every value of some code. */
export function rename(code: Code, find: (id: number) => number): void {
  if (code.result >= 0) code.result = find(code.result);
  if (code.mask >= 0) code.mask = find(code.mask);
  const { sources } = code;
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i];
    if (source.kind === "value") {
      const id = find(source.id);
      if (id !== source.id) sources[i] = { kind: "value", id };
    } else if (source.kind === "place" && (source.base >= 0 || source.index >= 0)) {
      const base = source.base >= 0 ? find(source.base) : source.base;
      const index = source.index >= 0 ? find(source.index) : source.index;
      if (base !== source.base || index !== source.index) sources[i] = { ...source, base, index };
    }
  }
}
