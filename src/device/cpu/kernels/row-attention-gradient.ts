// The gradient of attention of rows over each other: a block of keys meets the blocks of queries that see it, scores are
// computed again, and what flows to the keys' own rows adds up in scratch, what flows to the queries in their rows
// (Dao et al. 2022, FlashAttention). A part is a share of the rows, moved on to where a document begins, of one key-value
// head: documents do not see each other, so no two parts write the same row, and no sum is split. Where rows see those after
// them too, a part is a key-value head.
import { type Int, type Kernel, type KernelBuilder, defineKernel, exp } from "../../../lanes/index.ts";
import { FLOAT_BYTES, mapFloats } from "./loops.ts";
import {
  KEYS,
  QUERIES,
  type RowAttentionShape,
  bend,
  copyRows,
  fillRows,
  labelOf,
  maskOf,
  multiplyBlock,
  paddedSize,
  scratchPlaces,
  visible,
  visibleRange,
} from "./row-attention.ts";

/** Rows of a share, before it is moved on. */
export const SHARE_ROWS = 256;

/**
 * q, dy and dq (rows, heads * D), k, dk and dv (rows, heads / repeat * D), results `...Stride` bytes a row, from `...First` on; `turnedKeys` and
 * `turnedValues`: k and v turned over, `stride` bytes a row; (rows, heads): `sums` as the forward kernel gives them, and
 * `dots`, dy · y. f32 bits: scale, cap.
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
  "rows",
  "heads",
  "repeat",
  "stride",
  "window",
  "scale",
  "cap",
] as const;
type GradientWord = (typeof rowAttentionGradientWords)[number];
type Words = Readonly<Record<GradientWord, Int>>;

const kernels = new Map<string, Kernel<GradientWord>>();

export function rowAttentionGradientKernel(shape: RowAttentionShape): Kernel<GradientWord> {
  const label = `rowAttentionGradient.${labelOf(shape)}`;
  const known = kernels.get(label) ?? make(label, shape);
  kernels.set(label, known);
  return known;
}

/** The first row from `row` on that begins a document: neither it nor later ones see rows before it. */
function documentFrom(k: KernelBuilder, w: Words, row: Int): Int {
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
  const [sizeBytes, keyBytes, headBytes] = [size, KEYS, headSize].map((floats) => floats * FLOAT_BYTES);
  return defineKernel(label, rowAttentionGradientWords, (k, w) => {
    const reserve = scratchPlaces(k);
    const [queries, upstream, flows] = [reserve(QUERIES * size), reserve(QUERIES * size), reserve(QUERIES * size)];
    const [weights, changes] = [reserve(QUERIES * KEYS), reserve(QUERIES * KEYS)];
    const [keys, keySums, valueSums] = [reserve(KEYS * size), reserve(KEYS * size), reserve(KEYS * size)];
    const rowBytes = w.heads.mul(headBytes);
    const groups = w.heads.div(w.repeat);
    const groupBytes = groups.mul(headBytes);
    const scale = w.scale.asFloat().splat();
    const [dq, dk, dv] = [w.dq.add(w.dqFirst), w.dk.add(w.dkFirst), w.dv.add(w.dvFirst)];

    const meet = (head: Int, first: Int, count: Int, key: Int, keyCount: Int): void => {
      const own = first.mul(rowBytes).add(head.mul(headBytes));
      const turned = head.div(w.repeat).mul(headSize).mul(w.stride).add(key.mul(FLOAT_BYTES));
      copyRows(k, shape, { from: w.q.add(own), stride: rowBytes, to: queries, rows: count, factor: scale });
      copyRows(k, shape, { from: w.dy.add(own), stride: rowBytes, to: upstream, rows: count });
      const meeting = { aRow: sizeBytes, aStep: FLOAT_BYTES, bStep: w.stride, cRow: keyBytes };
      const counts = { rows: count, steps: headSize, columns: keyCount, add: false };
      multiplyBlock(k, { a: queries, b: w.turnedKeys.add(turned), c: weights, ...meeting, ...counts });
      multiplyBlock(k, { a: upstream, b: w.turnedValues.add(turned), c: changes, ...meeting, ...counts });
      k.range(0, count, 1, (i) => {
        const row = first.add(i);
        const mask = maskOf(k, visible(w, shape, row), key);
        const statistics = row.mul(w.heads).add(head).mul(FLOAT_BYTES);
        const [sum, dot] = [w.sums, w.dots].map((at) => at.add(statistics).splatFloats());
        k.range(0, keyCount, k.lanes, (n) => {
          const at = i.mul(keyBytes).add(n.mul(FLOAT_BYTES));
          const raw = weights.add(at).loadFloats();
          const score = capped ? bend(k, raw, w.cap.asFloat()) : raw;
          const isSeen = mask(n);
          const weight = isSeen.selectFloats(exp(score.sub(sum)), 0);
          const flowing = weight.mul(changes.add(at).loadFloats().sub(dot));
          const share = score.div(w.cap.asFloat().splat());
          const change = capped ? flowing.mul(k.floats(1).sub(share.mul(share))) : flowing;
          weights.add(at).store(weight);
          changes.add(at).store(isSeen.selectFloats(change, 0));
        });
      });
      const adding = { aRow: FLOAT_BYTES, aStep: keyBytes, bStep: sizeBytes, cRow: sizeBytes, rows: keyCount };
      const columns = headSize;
      multiplyBlock(k, { a: weights, b: upstream, c: valueSums, ...adding, steps: count, columns, add: true });
      multiplyBlock(k, { a: changes, b: queries, c: keySums, ...adding, steps: count, columns, add: true });
      multiplyBlock(k, {
        a: changes,
        aRow: keyBytes,
        aStep: FLOAT_BYTES,
        b: keys,
        bStep: sizeBytes,
        c: flows,
        cRow: sizeBytes,
        rows: count,
        steps: keyCount,
        columns,
        add: false,
      });
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
        k.range(begin, stop, KEYS, (key) => {
          const keyCount = stop.sub(key).min(KEYS);
          const own = key.mul(groupBytes).add(group.mul(headBytes));
          copyRows(k, shape, { from: w.k.add(own), stride: groupBytes, to: keys, rows: keyCount });
          for (const sums of [keySums, valueSums]) fillRows(k, sums, KEYS * size);
          k.range(heads, heads.add(w.repeat), 1, (head) => {
            k.range(bothWays ? begin : key, stop, QUERIES, (query) => {
              const count = stop.sub(query).min(QUERIES);
              const range = visibleRange(k, w, shape, { first: query, count });
              const isSeen = range.first.less(key.add(keyCount)).and(key.less(range.end));
              k.when(isSeen, () => meet(head, query, count, key, keyCount));
            });
          });
          for (const [sums, out, stride] of [
            [keySums, dk, w.dkStride],
            [valueSums, dv, w.dvStride],
          ]) {
            k.range(0, keyCount, 1, (i) => {
              const to = out.add(key.add(i).mul(stride)).add(group.mul(headBytes));
              const from = sums.add(i.mul(sizeBytes));
              mapFloats(k, k.int(0), k.int(headSize), to, (n) => from.add(n.mul(FLOAT_BYTES)).loadFloats());
            });
          }
        });
      });
    });
  });
}
