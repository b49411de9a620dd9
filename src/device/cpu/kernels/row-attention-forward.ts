// Attention of rows over each other, forward: a block of queries of one head meets blocks of keys, with a running largest
// score and sum (Milakov and Gimelshein 2018), so that no more than a block of scores is ever there. Also gives the
// logarithm of each row's sum of exponentials, from which the gradient has the weights again. A part is a share of the
// blocks of queries of all heads.
import { getOrMake } from "../../../base/collections.ts";
import { type Int, type Kernel, defineKernel, exp, log } from "../../../lanes/index.ts";
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
import { bringBias } from "./row-attention-tables.ts";

/** Below all scores, and far enough from the end that differences are finite. */
const LOWEST = -1e30;

/**
 * q and out (rows, heads * D), v (rows, heads / repeat * D); `turnedKeys`: k turned over; `sums`
 * (rows, heads).
 */
export const rowAttentionWords = ["q", "turnedKeys", "v", "starts", "ends", "out", "sums", ...sharedWords] as const;

const kernels = new Map<string, Kernel<(typeof rowAttentionWords)[number]>>();

export function rowAttentionKernel(shape: RowAttentionShape): Kernel<(typeof rowAttentionWords)[number]> {
  const label = `rowAttention.${labelOf(shape)}`;
  return getOrMake(kernels, label, () => make(label, shape));
}

function make(label: string, shape: RowAttentionShape): Kernel<(typeof rowAttentionWords)[number]> {
  const { headSize, capped, hasBias, hasSinks } = shape;
  const size = paddedSize(shape);
  const [sizeBytes, keyBytes, headBytes] = [size, BLOCK, headSize].map((floats) => floats * FLOAT_BYTES);
  return defineKernel(label, rowAttentionWords, (k, w) => {
    const reserve = scratchBlocks(k);
    const [queries, mixed, values] = [reserve(size), reserve(size), reserve(size)];
    const [scores, largest, whole] = [reserve(BLOCK), reserve(k.lanes), reserve(k.lanes)];
    const biases = reserve(2); // of two blocks' distances
    const lanes = laneNumbers(k);
    const registerBytes = k.lanes * FLOAT_BYTES;
    const registers = Array.from({ length: BLOCK / k.lanes }, (_, n) => n * k.lanes);
    const rowBytes = w.heads.mul(headBytes);
    const kvColumns = w.heads.div(w.repeat).mul(headSize);
    const valueBytes = kvColumns.mul(FLOAT_BYTES);
    const blocks = w.rows.add(BLOCK - 1).div(BLOCK);
    /** Some queries of a head, which see the same keys where rows see both ways. */
    const attend = (head: Int, row: Int, count: Int): void => {
      const own = row.mul(rowBytes).add(head.mul(headBytes));
      const firstColumn = head.div(w.repeat).mul(headSize);
      const queriesFrom = { from: w.q.add(own), stride: rowBytes, to: queries, rows: count };
      copyRows(k, shape, { ...queriesFrom, factor: w.scale.asFloat().splat() });
      fillRows(k, mixed, count.mul(size));
      fillRows(k, whole, count.mul(k.lanes));
      const sink = hasSinks ? w.sinks.add(head.mul(FLOAT_BYTES)).splatFloats() : undefined;
      k.range(0, count.mul(registerBytes), registerBytes, (at) => {
        largest.add(at).store(sink ?? k.floats(LOWEST));
        if (hasSinks) whole.add(at).store(k.float(1));
      });
      const range = visibleRange(k, w, shape, { first: row, count });
      k.range(range.first.and(-BLOCK), range.end, BLOCK, (key) => {
        const keys = range.end.sub(key).min(BLOCK);
        const from = w.v.add(key.mul(valueBytes)).add(firstColumn.mul(FLOAT_BYTES));
        copyRows(k, shape, { from, stride: valueBytes, to: values, rows: keys });
        multiplyBlock(k, {
          ...meeting(sizeBytes),
          a: queries,
          b: turnedAt(w.turnedKeys, key, kvColumns, firstColumn),
          c: scores,
          rows: count,
          steps: headSize,
        });
        const bias = hasBias ? bringBias(k, w, shape, { head, query: row, key }, biases) : undefined;
        k.range(0, count, 1, (i) => {
          const mask = maskOf(visible(w, shape, row.add(i)), key, lanes);
          const scoresAt = scores.add(i.mul(keyBytes));
          const [largestAt, wholeAt] = [largest, whole].map((at) => at.add(i.mul(registerBytes)));
          const seen = registers.map((n) => {
            const score = scoresAt.loadFloats(n * FLOAT_BYTES);
            const bent = capped ? bend(k, score, w.cap.asFloat()) : score;
            return mask(n).selectFloats(bias === undefined ? bent : bent.add(bias(i, n)), LOWEST);
          });
          const before = largestAt.loadFloats();
          const most = seen.reduce((a, b) => a.max(b));
          const now = most.maximum().splat().max(before);
          const weights = seen.map((score) => score.less(LOWEST / 2).selectFloats(0, exp(score.sub(now))));
          weights.forEach((weight, n) => scoresAt.store(weight, n * registerBytes));
          const shrink = exp(before.sub(now));
          largestAt.store(now);
          wholeAt.store(weights.reduce((sum, weight) => sum.add(weight), wholeAt.loadFloats().mul(shrink)));
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
          columns: size,
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
    };
    k.share(blocks.mul(w.heads), (firstUnit, endUnit) => {
      k.range(firstUnit, endUnit, 1, (unit) => {
        const [block, head] = [unit.div(w.heads), unit.rem(w.heads)];
        const row = block.mul(BLOCK);
        const end = row.add(BLOCK).min(w.rows);
        if (!shape.bothWays) return attend(head, row, end.sub(row));
        // short texts lie in a block by the dozen: those of the same keys meet them together, and no others
        const first = k.variable(row);
        k.range(row, end, 1, (i) => {
          const next = i.add(1);
          const [start, nextStart] = [i, next.min(end.sub(1))].map((at) => w.starts.add(at.mul(4)).loadInt());
          k.when(next.equals(end).or(nextStart.sub(start)), () => {
            attend(head, first.value, next.sub(first.value));
            first.value = next;
          });
        });
      });
    });
  });
}
