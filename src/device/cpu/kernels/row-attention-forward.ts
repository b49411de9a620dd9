// Attention of rows over each other, forward: a block of queries of one head meets blocks of keys, with a running largest
// score and sum (Milakov and Gimelshein 2018), so that no more than a block of scores is ever there. Also gives the
// logarithm of each row's sum of exponentials, from which the gradient has the weights again. A part is a share of the
// blocks of queries of all heads.
import { type Kernel, defineKernel, exp, log } from "../../../lanes/index.ts";
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

/** Below all scores, and far enough from the end that differences are finite. */
const LOWEST = -1e30;

/**
 * q and out (rows, heads * D), v (rows, heads / repeat * D); `turnedKeys`: k turned over, `stride` bytes a row; `sums`
 * (rows, heads). f32 bits: scale, cap.
 */
export const rowAttentionWords = [
  "q",
  "turnedKeys",
  "v",
  "starts",
  "ends",
  "out",
  "sums",
  "rows",
  "heads",
  "repeat",
  "stride",
  "window",
  "scale",
  "cap",
] as const;

const kernels = new Map<string, Kernel<(typeof rowAttentionWords)[number]>>();

export function rowAttentionKernel(shape: RowAttentionShape): Kernel<(typeof rowAttentionWords)[number]> {
  const label = `rowAttention.${labelOf(shape)}`;
  const known = kernels.get(label) ?? make(label, shape);
  kernels.set(label, known);
  return known;
}

function make(label: string, shape: RowAttentionShape): Kernel<(typeof rowAttentionWords)[number]> {
  const { headSize, capped } = shape;
  const size = paddedSize(shape);
  const [sizeBytes, keyBytes, headBytes] = [size, KEYS, headSize].map((floats) => floats * FLOAT_BYTES);
  return defineKernel(label, rowAttentionWords, (k, w) => {
    const reserve = scratchPlaces(k);
    const [queries, mixed] = [reserve(QUERIES * size), reserve(QUERIES * size)];
    const [scores, values] = [reserve(QUERIES * KEYS), reserve(KEYS * size)];
    const [largest, whole] = [reserve(QUERIES * k.lanes), reserve(QUERIES * k.lanes)];
    const registerBytes = k.lanes * FLOAT_BYTES;
    const rowBytes = w.heads.mul(headBytes);
    const valueBytes = w.heads.div(w.repeat).mul(headBytes);
    const blocks = w.rows.add(QUERIES - 1).div(QUERIES);
    k.share(blocks.mul(w.heads), (firstUnit, endUnit) => {
      k.range(firstUnit, endUnit, 1, (unit) => {
        const [block, head] = [unit.div(w.heads), unit.rem(w.heads)];
        const row = block.mul(QUERIES);
        const count = w.rows.sub(row).min(QUERIES);
        const own = row.mul(rowBytes).add(head.mul(headBytes));
        const group = head.div(w.repeat).mul(headBytes);
        const turned = w.turnedKeys.add(head.div(w.repeat).mul(headSize).mul(w.stride));
        copyRows(k, shape, {
          from: w.q.add(own),
          stride: rowBytes,
          to: queries,
          rows: count,
          factor: w.scale.asFloat().splat(),
        });
        fillRows(k, mixed, QUERIES * size);
        fillRows(k, whole, QUERIES * k.lanes);
        k.range(0, QUERIES * registerBytes, registerBytes, (at) => largest.add(at).store(k.floats(LOWEST)));
        const range = visibleRange(k, w, shape, { first: row, count });
        k.range(range.first, range.end, KEYS, (key) => {
          const keys = range.end.sub(key).min(KEYS);
          copyRows(k, shape, {
            from: w.v.add(key.mul(valueBytes)).add(group),
            stride: valueBytes,
            to: values,
            rows: keys,
          });
          multiplyBlock(k, {
            a: queries,
            aRow: sizeBytes,
            aStep: FLOAT_BYTES,
            b: turned.add(key.mul(FLOAT_BYTES)),
            bStep: w.stride,
            c: scores,
            cRow: keyBytes,
            rows: count,
            steps: headSize,
            columns: keys,
            add: false,
          });
          k.range(0, count, 1, (i) => {
            const mask = maskOf(k, visible(w, shape, row.add(i)), key);
            const scoresAt = scores.add(i.mul(keyBytes));
            const [largestAt, wholeAt] = [largest, whole].map((at) => at.add(i.mul(registerBytes)));
            const most = k.variable(k.floats(LOWEST));
            k.range(0, keys, k.lanes, (n) => {
              const at = scoresAt.add(n.mul(FLOAT_BYTES));
              const score = capped ? bend(k, at.loadFloats(), w.cap.asFloat()) : at.loadFloats();
              const seen = mask(n).selectFloats(score, LOWEST);
              at.store(seen);
              most.value = most.value.max(seen);
            });
            const before = largestAt.loadFloats();
            const now = most.value.maximum().splat().max(before);
            const shrink = exp(before.sub(now));
            const sum = k.variable(k.floats(0));
            k.range(0, keys, k.lanes, (n) => {
              const at = scoresAt.add(n.mul(FLOAT_BYTES));
              const score = at.loadFloats();
              const weight = score.less(LOWEST / 2).selectFloats(0, exp(score.sub(now)));
              at.store(weight);
              sum.value = sum.value.add(weight);
            });
            largestAt.store(now);
            wholeAt.store(wholeAt.loadFloats().mul(shrink).add(sum.value));
            const mixedAt = mixed.add(i.mul(sizeBytes));
            for (let column = 0; column < headBytes; column += registerBytes) {
              mixedAt.store(mixedAt.loadFloats(column).mul(shrink), column);
            }
          });
          multiplyBlock(k, {
            a: scores,
            aRow: keyBytes,
            aStep: FLOAT_BYTES,
            b: values,
            bStep: sizeBytes,
            c: mixed,
            cRow: sizeBytes,
            rows: count,
            steps: keys,
            columns: headSize,
            add: true,
          });
        });
        k.range(0, count, 1, (i) => {
          const sum = whole.add(i.mul(registerBytes)).loadFloats().sum().splat();
          const most = largest.add(i.mul(registerBytes)).loadFloats();
          const at = row.add(i).mul(w.heads).add(head).mul(FLOAT_BYTES);
          w.sums.add(at).store(most.add(log(sum)).lane(0));
          const factor = k.floats(1).div(sum);
          const from = mixed.add(i.mul(sizeBytes));
          mapFloats(k, k.int(0), k.int(headSize), w.out.add(own).add(i.mul(rowBytes)), (n) =>
            from.add(n.mul(FLOAT_BYTES)).loadFloats().mul(factor),
          );
        });
      });
    });
  });
}
