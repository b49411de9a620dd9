// Makes one value of two where code copies one into the other and neither is set while the other one is needed (Chaitin
// 1982, section 3): sums that stay in one register through a loop, results that take the place of a dead source. Inner
// loops first. Rewrites the code.
import { type Code, type Program, NONE } from "./code.ts";
import { type Life, type Lives, MOMENTS, SET_FIRST } from "./live.ts";

/** Lives of what is gone become undefined, those of what is kept grow. */
export function coalesce(program: Program, { lives, order, depths }: Lives): void {
  const parents: number[] = [];
  const find = (id: number): number => {
    let root = id;
    while (parents[root] !== undefined) root = parents[root];
    while (parents[id] !== undefined) [parents[id], id] = [root, parents[id]];
    return root;
  };
  const copies = order.filter(
    (code) => (code.tied || code.isCopy) && code.result >= 0 && code.sources[0]?.kind === "value",
  );
  const deepest = copies.length === 0 ? 0 : Math.max(...copies.map((code) => depths[code.at]));
  for (let depth = deepest; depth >= 0; depth--) {
    for (const code of copies) {
      if (depths[code.at] !== depth) continue;
      const [source] = code.sources;
      if (source.kind !== "value" || program.constants.has(source.id)) continue;
      const [from, to] = [find(source.id), find(code.result)];
      if (from === to || program.classes[from] !== program.classes[to]) continue;
      const [a, b] = [lives[from]!, lives[to]!];
      const moment = code.at * MOMENTS + SET_FIRST;
      if (isSetWithin(a, b, NONE) || isSetWithin(b, a, moment)) continue;
      const [kept, gone] = a.ranges.length >= b.ranges.length ? [from, to] : [to, from];
      parents[gone] = kept;
      merge(lives[kept]!, lives[gone]!);
      lives[gone] = undefined;
    }
  }
  for (const code of order) rename(code, find);
}

/** Whether `a` is set, but at one moment, while `b` is needed. */
function isSetWithin(a: Life, b: Life, except: number): boolean {
  const { ranges } = b;
  const [first, last] = [ranges[0], ranges[ranges.length - 1]];
  return a.sets.some((moment) => moment >= first && moment < last && moment !== except && contains(ranges, moment));
}

function contains(ranges: readonly number[], moment: number): boolean {
  let [low, high] = [0, ranges.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[2 * middle + 1] <= moment) low = middle + 1;
    else high = middle;
  }
  return 2 * low < ranges.length && ranges[2 * low] <= moment;
}

function merge(into: Life, from: Life): void {
  into.sets.push(...from.sets);
  into.weight += from.weight;
  const [a, b] = [into.ranges, from.ranges];
  const merged: number[] = [];
  for (let [i, j] = [0, 0]; i < a.length || j < b.length;) {
    const takeA = j >= b.length || (i < a.length && a[i] <= b[j]);
    const [start, end] = takeA ? [a[i], a[i + 1]] : [b[j], b[j + 1]];
    if (takeA) i += 2;
    else j += 2;
    if (merged.length > 0 && merged[merged.length - 1] >= start) {
      merged[merged.length - 1] = Math.max(merged[merged.length - 1], end);
    } else merged.push(start, end);
  }
  into.ranges = merged;
}

/** Replaces every value of some code. */
export function rename(code: Code, find: (id: number) => number): void {
  if (code.result >= 0) code.result = find(code.result);
  if (code.mask >= 0) code.mask = find(code.mask);
  code.sources.forEach((source, i) => {
    if (source.kind === "value") {
      const id = find(source.id);
      if (id !== source.id) code.sources[i] = { ...source, id };
    } else if (source.kind === "place" && (source.base >= 0 || source.index >= 0)) {
      const base = source.base >= 0 ? find(source.base) : source.base;
      const index = source.index >= 0 ? find(source.index) : source.index;
      if (base !== source.base || index !== source.index) code.sources[i] = { ...source, base, index };
    }
  });
}
