// The gradient of attention of rows over each other: a block of keys meets the blocks of queries that see it, scores are
// computed again, and what flows to the keys' own rows adds up in scratch, what flows to the queries in their rows
// (Dao et al. 2022, FlashAttention). A part is a share of the rows, moved on to where a document begins, of one key-value
// head: documents do not see each other, so no two parts write the same row, and no sum is split. Where rows see those after
// them too, a part is a key-value head.
import { getOrMake } from "../../../base/collections.ts";
import { type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers, mapFloats } from "./loops.ts";
import {
  BLOCK,
  type RowAttentionShape,
  copyRows,
  fillRows,
  labelOf,
  multiplyBlock,
  paddedSize,
  scratchBlocks,
  sharedWords,
  visibleRange,
} from "./row-attention.ts";
import { blockChanges, changesPlaces, changesWords } from "./row-attention-changes.ts";

/** Rows of a share, before it is moved on. */
export const SHARE_ROWS = 256;

/** dq (rows, heads * D), k, dk and dv (rows, heads / repeat * D), results `...Stride` bytes a row, from `...First` on. */
export const rowAttentionGradientWords = [
  ...changesWords,
  "k",
  "dq",
  "dk",
  "dv",
  "dqStride",
  "dkStride",
  "dvStride",
  "dqFirst",
  "dkFirst",
  "dvFirst",
  ...sharedWords,
] as const;
type GradientWord = (typeof rowAttentionGradientWords)[number];
type Words = Readonly<Record<GradientWord, Int>>;

const kernels = new Map<string, Kernel<GradientWord>>();

export function rowAttentionGradientKernel(shape: RowAttentionShape): Kernel<GradientWord> {
  const label = `rowAttentionGradient.${labelOf(shape)}`;
  return getOrMake(kernels, label, () => make(label, shape));
}

/** The first row from `row` on that begins a document: neither it nor later ones see rows before it. */
export function documentFrom(k: KernelBuilder, w: Pick<Words, "rows" | "starts">, row: Int): Int {
  const [found, least] = [k.variable(w.rows), k.variable(w.rows)];
  k.range(0, w.rows.sub(row), 1, (i) => {
    const at = w.rows.sub(1).sub(i);
    least.value = least.value.min(w.starts.add(at.mul(4)).loadInt());
    found.value = least.value.less(at).select(found.value, at);
  });
  return found.value;
}

function make(label: string, shape: RowAttentionShape): Kernel<GradientWord> {
  const { headSize, bothWays } = shape;
  const size = paddedSize(shape);
  const [sizeBytes, keyBytes, headBytes] = [size, BLOCK, headSize].map((floats) => floats * FLOAT_BYTES);
  return defineKernel(label, rowAttentionGradientWords, (k, w) => {
    const reserve = scratchBlocks(k);
    const places = changesPlaces(shape, reserve);
    const [flows, keys, keySums, valueSums] = [0, 1, 2, 3].map(() => reserve(size));
    const lanes = laneNumbers(k);
    const groups = w.heads.div(w.repeat);
    const groupBytes = groups.mul(headBytes);
    const scale = w.scale.asFloat().splat();
    const [dq, dk, dv] = [w.dq.add(w.dqFirst), w.dk.add(w.dkFirst), w.dv.add(w.dvFirst)];

    /** Rows from `first` on meet the keys from `key` on, in `keys`. */
    const meet = (head: Int, first: Int, count: Int, key: Int, keyCount: Int): void => {
      blockChanges(k, w, shape, places, { head, query: first, count, key, lanes });
      const { queries, upstream, weights, changes } = places;
      const sizes = { bStep: sizeBytes, cRow: sizeBytes, columns: size };
      const adding = { ...sizes, aRow: FLOAT_BYTES, aStep: keyBytes, rows: keyCount, steps: count, add: true };
      multiplyBlock(k, { ...adding, a: weights, b: upstream, c: valueSums });
      multiplyBlock(k, { ...adding, a: changes, b: queries, c: keySums });
      const flowing = { ...sizes, aRow: keyBytes, aStep: FLOAT_BYTES, rows: count, steps: keyCount, add: false };
      multiplyBlock(k, { ...flowing, a: changes, b: keys, c: flows });
      k.range(0, count, 1, (i) => {
        const to = dq.add(first.add(i).mul(w.dqStride)).add(head.mul(headBytes));
        const from = flows.add(i.mul(sizeBytes));
        mapFloats(k, k.int(0), k.int(headSize), to, (n) => {
          const at = n.mul(FLOAT_BYTES);
          return to.add(at).loadFloats().add(from.add(at).loadFloats().mul(scale));
        });
      });
    };

    const shares = bothWays ? k.int(1) : w.rows.add(SHARE_ROWS - 1).div(SHARE_ROWS);
    k.share(shares.mul(groups), (firstUnit, endUnit) => {
      k.range(firstUnit, endUnit, 1, (unit) => {
        const [share, group] = [unit.div(groups), unit.rem(groups)];
        const start = share.mul(SHARE_ROWS);
        const [begin, stop] = bothWays
          ? [start, w.rows]
          : [documentFrom(k, w, start), documentFrom(k, w, start.add(SHARE_ROWS).min(w.rows))];
        const heads = group.mul(w.repeat);
        k.range(begin, stop, 1, (row) => {
          const to = dq.add(row.mul(w.dqStride)).add(heads.mul(headBytes));
          mapFloats(k, k.int(0), w.repeat.mul(headSize), to, () => k.floats(0));
        });
        k.range(begin.and(-BLOCK), stop, BLOCK, (key) => {
          const keyEnd = key.add(BLOCK).min(stop);
          const keyCount = keyEnd.sub(key);
          const own = key.mul(groupBytes).add(group.mul(headBytes));
          copyRows(k, shape, { from: w.k.add(own), stride: groupBytes, to: keys, rows: keyCount });
          for (const sums of [keySums, valueSums]) fillRows(k, sums, keyCount.mul(size));
          k.range(heads, heads.add(w.repeat), 1, (head) => {
            k.range(bothWays ? begin : key.max(begin), stop, BLOCK, (query) => {
              const count = stop.sub(query).min(BLOCK);
              const range = visibleRange(k, w, shape, { first: query, count });
              const isSeen = range.first.less(keyEnd).and(key.less(range.end));
              k.when(isSeen, () => meet(head, query, count, key, keyCount));
            });
          });
          for (const [sums, out, stride] of [
            [keySums, dk, w.dkStride],
            [valueSums, dv, w.dvStride],
          ]) {
            k.range(key.max(begin), keyEnd, 1, (row) => {
              const to = out.add(row.mul(stride)).add(group.mul(headBytes));
              const from = sums.add(row.sub(key).mul(sizeBytes));
              mapFloats(k, k.int(0), k.int(headSize), to, (n) => from.add(n.mul(FLOAT_BYTES)).loadFloats());
            });
          }
        });
      });
    });
  });
}
