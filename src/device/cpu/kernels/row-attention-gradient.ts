// The gradient of attention of rows over each other: a block of keys meets the blocks of queries that see it, scores are
// computed again, and what flows to the keys' own rows adds up in scratch, what flows to the queries in their rows
// (Dao et al. 2022, FlashAttention). A part is a share of the rows, moved on to where a document begins, of one key-value
// head: documents do not see each other, so no two parts write the same row, and no sum is split. Where rows see those after
// them too, a part is a key-value head.
import { getOrMake } from "../../../base/collections.ts";
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel, exp } from "../../../lanes/index.ts";
import { FLOAT_BYTES, laneNumbers, mapFloats } from "./loops.ts";
import {
  BLOCK,
  type RowAttentionShape,
  bend,
  copyRows,
  fillRows,
  labelOf,
  maskOf,
  meeting,
  multiplyBlock,
  paddedSize,
  scratchBlocks,
  sharedWords,
  turnedAt,
  visible,
  visibleRange,
} from "./row-attention.ts";

/** Rows of a share, before it is moved on. */
export const SHARE_ROWS = 256;

/**
 * q, dy and dq (rows, heads * D), k, dk and dv (rows, heads / repeat * D), results `...Stride` bytes a row, from `...First` on; `turnedKeys` and
 * `turnedValues`: k and v turned over; (rows, heads): `sums` as the forward kernel gives them, and
 * `dots`, dy · y.
 */
export const rowAttentionGradientWords = [
  "q",
  "k",
  "dy",
  "turnedKeys",
  "turnedValues",
  "starts",
  "ends",
  "sums",
  "dots",
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
  const { headSize, capped, bothWays } = shape;
  const size = paddedSize(shape);
  const [sizeBytes, keyBytes, headBytes] = [size, BLOCK, headSize].map((floats) => floats * FLOAT_BYTES);
  return defineKernel(label, rowAttentionGradientWords, (k, w) => {
    const reserve = scratchBlocks(k);
    const [queries, upstream, flows] = [reserve(size), reserve(size), reserve(size)];
    const [keys, keySums, valueSums] = [reserve(size), reserve(size), reserve(size)];
    const [weights, changes] = [reserve(BLOCK), reserve(BLOCK)];
    const lanes = laneNumbers(k);
    const rowBytes = w.heads.mul(headBytes);
    const groups = w.heads.div(w.repeat);
    const groupColumns = groups.mul(headSize);
    const groupBytes = groups.mul(headBytes);
    const scale = w.scale.asFloat().splat();
    const [dq, dk, dv] = [w.dq.add(w.dqFirst), w.dk.add(w.dkFirst), w.dv.add(w.dvFirst)];

    /** Rows from `first` on meet the keys from `key` on, in `keys`. */
    const meet = (head: Int, first: Int, count: Int, key: Int, keyCount: Int): void => {
      const own = first.mul(rowBytes).add(head.mul(headBytes));
      copyRows(k, shape, { from: w.q.add(own), stride: rowBytes, to: queries, rows: count, factor: scale });
      copyRows(k, shape, { from: w.dy.add(own), stride: rowBytes, to: upstream, rows: count });
      const turned = (base: Int): Int => turnedAt(base, key, groupColumns, head.div(w.repeat).mul(headSize));
      const met = { ...meeting(sizeBytes), rows: count, steps: headSize };
      multiplyBlock(k, { ...met, a: queries, b: turned(w.turnedKeys), c: weights });
      multiplyBlock(k, { ...met, a: upstream, b: turned(w.turnedValues), c: changes });
      k.range(0, count, 1, (i) => {
        const row = first.add(i);
        const mask = maskOf(visible(w, shape, row), key, lanes);
        const statistics = row.mul(w.heads).add(head).mul(FLOAT_BYTES);
        const [sum, dot] = [w.sums, w.dots].map((at) => at.add(statistics).splatFloats());
        const [weightsAt, changesAt] = [weights, changes].map((at) => at.add(i.mul(keyBytes)));
        for (let n = 0; n < BLOCK; n += k.lanes) {
          const raw = weightsAt.loadFloats(n * FLOAT_BYTES);
          const score = capped ? bend(k, raw, w.cap.asFloat()) : raw;
          const isSeen = mask(n);
          const weight = isSeen.selectFloats(exp(score.sub(sum)), 0);
          const flowing = weight.mul(changesAt.loadFloats(n * FLOAT_BYTES).sub(dot));
          const change = capped ? flowing.mul(slope(k, score, w.cap)) : flowing;
          weightsAt.store(weight, n * FLOAT_BYTES);
          changesAt.store(isSeen.selectFloats(change, 0), n * FLOAT_BYTES);
        }
      });
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

/** How the soft cap changes with the score that it gave. */
export function slope(k: KernelBuilder, score: Floats, cap: Int): Floats {
  const share = score.div(cap.asFloat().splat());
  return k.floats(1).sub(share.mul(share));
}
