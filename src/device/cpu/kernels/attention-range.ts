// One range of a decoded row's keys, for all heads of a group: scores a block of keys at a time, weights against the range's
// highest score, sums of weighted values. Scores are in powers of two (powers.ts).
import { type Float, type Floats, type Int, type KernelBuilder, tanh } from "../../../lanes/index.ts";
import { rangeKeysMost } from "./attention-ranges.ts";
import { isQuantized } from "../../../graph/index.ts";
import { align } from "../layout.ts";
import { type AttentionShape, roundedHeadBytes, slices, sumRegisters, unrolled } from "./attention-shape.ts";
import { type CacheReader, readerBytes } from "./cache-reader.ts";
import { BLOCK_KEYS, loadCached, plainBytes } from "./key-blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { LEAST, power } from "./powers.ts";

// Scratch: a register of loops.ts, scores of the heads, their sums, what the reader needs.
export const SCORES_AT = 64;
/** Bytes from one head's scores to the next's; not a power of two, so that they do not share places in the first cache. */
export const scoreStride = ({ headsPerGroup }: AttentionShape): number =>
  (rangeKeysMost(headsPerGroup) + 3 * BLOCK_KEYS) * FLOAT_BYTES;
export const sumsAt = (shape: AttentionShape): number => SCORES_AT + shape.headsPerGroup * scoreStride(shape);
/** Bytes of one head's sums, with a register's room. */
export const sumStride = ({ headSize }: AttentionShape): number => headSize * FLOAT_BYTES + 64;
export const readerAt = (shape: AttentionShape): number => sumsAt(shape) + shape.headsPerGroup * sumStride(shape);
/** The heads' queries as int8 blocks, where keys are quantized. */
export const roundedQueriesAt = (shape: AttentionShape): number => align(readerAt(shape) + readerBytes(shape));
export const decodeScratchBytes = (shape: AttentionShape): number =>
  roundedQueriesAt(shape) + (isQuantized(shape.type) ? shape.headsPerGroup * roundedHeadBytes(shape.headSize) : 0);

export interface ScoreTask {
  /** Of the group's heads. */
  readonly q: Int;
  readonly scores: Int;
  readonly start: Int;
  readonly end: Int;
}

/** Scores are `factor` q·k, or with a cap `cap` tanh(`factor` q·k). */
export type ScoreWords = Readonly<Record<"factor" | "cap", Int>>;

/** What makes a score of q·k. */
export function finishedScore(
  k: KernelBuilder,
  w: ScoreWords,
  { capped }: AttentionShape,
): (product: Floats) => Floats {
  const [factor, cap] = [w.factor.asFloat().splat(), w.cap.asFloat().splat()];
  return (product) => (capped ? tanh(product.mul(factor), k).mul(cap) : product.mul(factor));
}

/** Scores of the keys [start, end) for all heads, a block at once; those of keys past the end are undefined. */
export function scoreKeys(
  k: KernelBuilder,
  w: ScoreWords,
  shape: AttentionShape,
  reader: CacheReader,
  { q, scores, start, end }: ScoreTask,
): void {
  const { headsPerGroup, headSize } = shape;
  const { type } = reader;
  const finished = finishedScore(k, w, shape);
  const registers = BLOCK_KEYS / k.lanes;
  const turns = unrolled(headSize, 8);
  k.range(start, end, BLOCK_KEYS, (key) => {
    const block = reader.keys(key.shr(4));
    const to = scores.add(key.sub(start).shl(2));
    for (const heads of slices(headsPerGroup, sumRegisters(k) / 2)) {
      const atOnce = Math.min(registers, largestPower(sumRegisters(k) / heads.count));
      // so many sums, of every so manieth column each, that no sum waits for its last addition
      const chains = Math.min(turns, largestPower(sumRegisters(k) / (heads.count * atOnce)), CHAINS_MOST);
      for (let some = 0; some < registers; some += atOnce) {
        const sums = Array.from({ length: heads.count }, () =>
          Array.from({ length: atOnce }, () => k.variables(chains, k.floats(0))),
        );
        k.range(0, headSize, turns, (column) => {
          const [query, keys] = [q.add(column.shl(2)), block.add(column.mul(reader.keyStride))];
          if (some === 0 && heads.first === 0) reader.prefetch(keys, turns * reader.keyStride);
          for (let d = 0; d < turns; d++) {
            const row = Array.from({ length: atOnce }, (_, v) =>
              loadCached(type, keys, d * reader.keyStride + ((some + v) * k.lanes * reader.keyStride) / BLOCK_KEYS),
            );
            for (const [n, list] of sums.entries()) {
              const x = query.splatFloats(((heads.first + n) * headSize + d) * FLOAT_BYTES);
              for (const [v, sum] of list.entries()) sum[d % chains].value = x.madd(row[v], sum[d % chains].value);
            }
          }
        });
        for (const [n, list] of sums.entries()) {
          for (const [v, [first, ...rest]] of list.entries()) {
            const score = finished(rest.reduce((sum, chain) => sum.add(chain.value), first.value));
            to.store(score, (heads.first + n) * scoreStride(shape) + (some + v) * k.lanes * FLOAT_BYTES);
          }
        }
      }
    }
  });
}

/** Sums of one score at most: twice as many as additions that are under way at once. */
const CHAINS_MOST = 8;

/** The largest power of two up to `most`. */
const largestPower = (most: number): number => 2 ** Math.floor(Math.log2(Math.max(1, most)));

/** Turns scores into weights against the highest, a sink's among them; returns that and their sum. */
export function weigh(k: KernelBuilder, scores: Int, count: Int, sink?: Floats): { highest: Float; total: Float } {
  const bytes = count.shl(2);
  const step = k.lanes * FLOAT_BYTES;
  const most = k.variable(sink ?? k.floats(LEAST));
  k.range(0, bytes, step, (i) => (most.value = most.value.max(scores.add(i).loadFloats())));
  const highest = most.value.maximum();
  const against = highest.splat();
  const sum = k.variable(k.floats(0));
  k.range(0, bytes, step, (i) => {
    const weight = power(scores.add(i).loadFloats().sub(against));
    scores.add(i).store(weight);
    sum.value = sum.value.add(weight);
  });
  const total = sum.value.sum();
  return { highest, total: sink === undefined ? total : total.add(power(sink.sub(against)).lane(0)) };
}

interface ValueTask {
  readonly scores: Int;
  readonly sums: Int;
  readonly first: Int;
  readonly start: Int;
  readonly end: Int;
}

/**
 * sums = weights · values over the keys [first, end), for each head. Registers hold some columns of the heads, and take turns
 * every block, so that what lies side by side is read at about one time.
 */
export function addValues(
  k: KernelBuilder,
  shape: AttentionShape,
  reader: CacheReader,
  { scores, sums, first, start, end }: ValueTask,
): void {
  const { headsPerGroup, headSize } = shape;
  const { type } = reader;
  const numberBytes = plainBytes[type];
  k.range(0, headsPerGroup * sumStride(shape), k.lanes * FLOAT_BYTES, (i) => sums.add(i).store(k.floats(0)));
  const headSlices = slices(headsPerGroup, sumRegisters(k) / 2);
  const columnSlices = slices(Math.ceil(headSize / k.lanes), Math.floor(sumRegisters(k) / headSlices[0].count));
  k.range(first.shr(4), end.sub(1).shr(4).add(1), 1, (block) => {
    const [values, key] = [reader.values(block), block.shl(4)];
    const weights = scores.add(key.sub(start).shl(2));
    for (const heads of headSlices) {
      for (const columns of columnSlices) {
        const at = (n: number, c: number): number =>
          (heads.first + n) * sumStride(shape) + (columns.first + c) * k.lanes * FLOAT_BYTES;
        const held = Array.from({ length: heads.count }, (_, n) =>
          Array.from({ length: columns.count }, (_, c) => k.variable(sums.loadFloats(at(n, c)))),
        );
        k.range(first.sub(key).max(0), end.sub(key).min(BLOCK_KEYS), 1, (i) => {
          const row = values.add(i.mul(reader.valueStride)).add(columns.first * k.lanes * numberBytes);
          if (heads.first === 0) reader.prefetch(row, columns.count * k.lanes * numberBytes);
          const numbers = held[0].map((_, c) => loadCached(type, row, c * k.lanes * numberBytes));
          for (const [n, list] of held.entries()) {
            const weight = weights.add(i.shl(2)).splatFloats((heads.first + n) * scoreStride(shape));
            for (const [c, sum] of list.entries()) sum.value = weight.madd(numbers[c], sum.value);
          }
        });
        for (const [n, list] of held.entries()) {
          for (const [c, sum] of list.entries()) sums.store(sum.value, at(n, c));
        }
      }
    }
  });
}
