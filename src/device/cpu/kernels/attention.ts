// Causal attention over paged keys and values, with a running softmax (Milakov & Gimelshein 2018; Dao et al. 2022): the
// scores of one page at a time, never a whole row of them. A unit is one query row and one head; a part is a share of the
// units. Pages are cut where positions say, so a row's result does not depend on chunks or company.
import {
  type Floats,
  type Int,
  type Kernel,
  type KernelBuilder,
  defineKernel,
  exp,
  loadF16,
  tanh,
} from "../../../lanes/index.ts";
import { FLOAT_BYTES, dotFloats, mapFloats, sumFloats } from "./loops.ts";

const words = [
  "q",
  "keys",
  "values",
  "pages",
  "positions",
  "sequences",
  "out",
  "rows",
  "heads",
  "headsPerGroup",
  "headSize",
  "columns",
  "pageSize",
  "pagesPerSequence",
  "window",
  "scale",
  "softCap",
] as const;
type Words = Readonly<Record<string, Int>>;

/** Where the scores of a page begin in scratch; loops.ts uses what lies before. */
const SCORES = 64;
/** Smaller than any score, and finite, so that differences stay numbers. */
const LEAST = -1e30;
/** Registers of a value row that are summed at once. */
const VALUE_REGISTERS = 8;

/** Bytes of scratch that a page size and head size need. */
export const attentionScratchBytes = (pageSize: number, headSize: number): number =>
  SCORES + (pageSize + headSize + 2 * VALUE_REGISTERS * 16) * FLOAT_BYTES;

interface Cache {
  readonly bytes: number;
  /** W elements at an address. */
  load(address: Int, k: KernelBuilder): Floats;
}
const caches: Readonly<Record<"f32" | "f16", Cache>> = {
  f32: { bytes: 4, load: (address) => address.loadFloats() },
  f16: { bytes: 2, load: (address) => loadF16(address, 0) },
};

function attention(type: "f32" | "f16", capped: boolean): Kernel {
  const cache = caches[type];
  return defineKernel(`attention.${type}${capped ? ".cap" : ""}`, words, (k, w) => {
    const scores = k.scratch.add(SCORES);
    const sums = scores.add(w.pageSize.add(k.lanes).mul(FLOAT_BYTES));
    k.share(w.rows.mul(w.heads), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [row, head] = [unit.div(w.heads), unit.rem(w.heads)];
        const position = w.positions.add(row.mul(4)).loadInt();
        const start = position.add(1).sub(w.window).max(0);
        const kvColumn = head.div(w.headsPerGroup).mul(w.headSize);
        const sequence = w.sequences.add(row.mul(4)).loadInt();
        const pages = w.pages.add(sequence.mul(w.pagesPerSequence).mul(4));
        const q = w.q.add(unit.mul(w.headSize).mul(FLOAT_BYTES));
        const most = k.variable(k.floats(LEAST));
        const total = k.variable(k.floats(0));
        k.range(0, w.headSize, k.lanes, (i) => sums.add(i.mul(FLOAT_BYTES)).store(k.floats(0)));

        k.range(start.div(w.pageSize), position.div(w.pageSize).add(1), 1, (page) => {
          const before = page.mul(w.pageSize);
          const from = start.sub(before).max(0);
          const count = position.add(1).sub(before).min(w.pageSize).sub(from);
          const slot = pages.add(page.mul(4)).loadInt().mul(w.pageSize).add(from);
          const offset = slot.mul(w.columns).add(kvColumn).mul(cache.bytes);
          const stride = w.columns.mul(cache.bytes);

          const highest = k.variable(most.value);
          k.range(0, count, 1, (j) => {
            const key = w.keys.add(offset).add(j.mul(stride));
            const score = scoreOf(k, w, q, (i) => cache.load(key.add(i.mul(cache.bytes)), k));
            highest.value = highest.value.max(score);
            scores.add(j.mul(FLOAT_BYTES)).store(score.lane(0));
          });
          const shrink = exp(most.value.sub(highest.value));
          const added = sumFloats(k, count, (j) => {
            const at = scores.add(j.mul(FLOAT_BYTES));
            const weight = exp(at.loadFloats().sub(highest.value));
            at.store(weight);
            return weight;
          });
          total.value = total.value.madd(shrink, added);
          most.value = highest.value;

          const value = w.values.add(offset);
          const accumulate = (registers: number, i: Int): void => {
            const at = sums.add(i.mul(FLOAT_BYTES));
            const parts = Array.from({ length: registers }, (_, n) => n * k.lanes);
            const held = parts.map((n) => k.variable(at.loadFloats(n * FLOAT_BYTES).mul(shrink)));
            k.range(0, count, 1, (j) => {
              const weight = scores.add(j.mul(FLOAT_BYTES)).splatFloats();
              const from = value.add(j.mul(stride)).add(i.mul(cache.bytes));
              for (const [n, sum] of held.entries()) {
                sum.value = weight.madd(cache.load(from.add(parts[n] * cache.bytes), k), sum.value);
              }
            });
            for (const [n, sum] of held.entries()) at.store(sum.value, parts[n] * FLOAT_BYTES);
          };
          const blocks = w.headSize.and(-VALUE_REGISTERS * k.lanes);
          k.range(0, blocks, VALUE_REGISTERS * k.lanes, (i) => accumulate(VALUE_REGISTERS, i));
          k.range(blocks, w.headSize, k.lanes, (i) => accumulate(1, i));
        });
        const share = k.floats(1).div(total.value);
        mapFloats(k, k.int(0), w.headSize, w.out.add(unit.mul(w.headSize).mul(FLOAT_BYTES)), (i) =>
          sums.add(i.mul(FLOAT_BYTES)).loadFloats().mul(share),
        );
      });
    });
  });

  function scoreOf(k: KernelBuilder, w: Words, q: Int, key: (i: Int) => Floats): Floats {
    const dot = dotFloats(k, w.headSize, (i) => q.add(i.mul(FLOAT_BYTES)).loadFloats(), key);
    const score = dot.mul(w.scale.asFloat().splat());
    if (!capped) return score;
    const cap = w.softCap.asFloat().splat();
    return tanh(score.div(cap), k).mul(cap);
  }
}

/** By the type of keys and values, and whether scores are capped. */
export const attentionKernels = {
  f32: { plain: attention("f32", false), capped: attention("f32", true) },
  f16: { plain: attention("f16", false), capped: attention("f16", true) },
} as const;
