// Attention of a few rows, each over a long cache that is read once, at the memory's speed: all heads of a key-value
// group share what is read. Keys are cut into ranges (attention-ranges.ts); a unit is a row, a group and a range, and
// writes the range's highest score, sum of weights and weighted values, which a second kernel puts together in order
// (Dao et al. 2023, "Flash-Decoding"). A row of one range is finished at once. Units go row by row
// within a range, so that rows of one sequence find its keys in the cache, and range by range within a group. Scores are in powers of two (powers.ts).
import {
  type Float,
  type Floats,
  type Int,
  type Kernel,
  type KernelBuilder,
  defineKernel,
  tanh,
} from "../../../lanes/index.ts";
import { highestAt, partialBytesOf, totalAt } from "./attention-combine.ts";
import { type Ranges, mostRanges, rangeKeysMost, rangesAt } from "./attention-ranges.ts";
import {
  type AttentionShape,
  intAt,
  kernelName,
  roundHead,
  roundedHeadBytes,
  slices,
  storeSome,
  sumRegisters,
  unrolled,
} from "./attention-shape.ts";
import { BLOCK_KEYS, CacheReader, loadCached, readerBytes } from "./key-blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { LEAST, power } from "./powers.ts";

const words = [
  "q",
  "keys",
  "values",
  // bytes of a head's plane of keys, or values
  "plane",
  "pages",
  "positions",
  "sequences",
  "out",
  // int8 blocks of what goes to `out`, or 0
  "rounded",
  "partials",
  "rows",
  // bytes from one row's queries to the next's
  "qStride",
  "pagesPerSequence",
  "window",
  // scores are `factor` q·k, or with a cap `cap` tanh(`factor` q·k), in units of log 2
  "factor",
  "cap",
] as const;
type DecodeKernel = Kernel<(typeof words)[number]>;
type Words = Readonly<Record<(typeof words)[number], Int>>;

// Scratch: a register of loops.ts, scores of the heads, their sums, what the reader needs.
const SCORES_AT = 64;
/** Bytes from one head's scores to the next's; not a power of two, so that they do not share places in the first cache. */
const scoreStride = ({ headsPerGroup }: AttentionShape): number =>
  (rangeKeysMost(headsPerGroup) + 3 * BLOCK_KEYS) * FLOAT_BYTES;
const sumsAt = (shape: AttentionShape): number => SCORES_AT + shape.headsPerGroup * scoreStride(shape);
/** Bytes of one head's sums, with a register's room. */
const sumStride = ({ headSize }: AttentionShape): number => headSize * FLOAT_BYTES + 64;
const readerAt = (shape: AttentionShape): number => sumsAt(shape) + shape.headsPerGroup * sumStride(shape);
export const decodeScratchBytes = (shape: AttentionShape): number => readerAt(shape) + readerBytes(shape);

/** Keys and values are asked for so long before they are needed; bench/attention.ts. */
const AHEAD_BYTES = 2048;
/** What one prefetch brings. */
const LINE_BYTES = 64;

function attend(name: string, shape: AttentionShape, rounded: boolean): DecodeKernel {
  const { kvHeads } = shape;
  return defineKernel(name, words, (k, w) => {
    const most = mostRanges(shape, w.pagesPerSequence, w.window);
    k.share(w.rows.mul(most).mul(kvHeads), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [row, rest] = [unit.rem(w.rows), unit.div(w.rows)];
        const [range, group] = [rest.rem(most), rest.div(most)];
        const ranges = rangesAt(k, shape, intAt(w.positions, row), w.window);
        k.when(range.less(ranges.count), () => attendRange(k, w, shape, { row, group, range, ranges, most }, rounded));
      });
    });
  });
}

interface Unit {
  readonly row: Int;
  readonly group: Int;
  readonly range: Int;
  readonly ranges: Ranges;
  /** The most ranges of any row of the run. */
  readonly most: Int;
}

function attendRange(
  k: KernelBuilder,
  w: Words,
  shape: AttentionShape,
  { row, group, range, ranges, most }: Unit,
  rounded: boolean,
): void {
  const { headsPerGroup, headSize, kvHeads } = shape;
  const start = ranges.base.add(range.mul(ranges.keys));
  const end = start.add(ranges.keys).min(ranges.end);
  const first = start.max(ranges.first);
  const pages = w.pages.add(intAt(w.sequences, row).mul(w.pagesPerSequence).shl(2));
  const reader = new CacheReader(k, shape, w, { pages, group, end, scratch: k.scratch.add(readerAt(shape)) });
  const q = w.q.add(row.mul(w.qStride)).add(group.mul(headsPerGroup * headSize * FLOAT_BYTES));
  const [scores, sums] = [k.scratch.add(SCORES_AT), k.scratch.add(sumsAt(shape))];
  scoreKeys(k, w, shape, reader, { q, scores, start, end });
  const values = reader.values(first.shr(4));
  k.range(0, AHEAD_BYTES, LINE_BYTES, (i) => values.add(i).prefetch());

  const whole = end
    .sub(start)
    .add(BLOCK_KEYS - 1)
    .and(-BLOCK_KEYS);
  const isOnly = ranges.count.equals(1);
  const heads = kvHeads * headsPerGroup;
  const head = group.mul(headsPerGroup);
  const record = w.partials.add(row.mul(most).add(range).mul(heads).add(head).mul(partialBytesOf(headSize)));
  const out = w.out.add(
    row
      .mul(heads)
      .add(head)
      .mul(headSize * FLOAT_BYTES),
  );
  const factors = Array.from({ length: headsPerGroup }, (_, h) => {
    const to = scores.add(h * scoreStride(shape));
    // what no key of the row stands for weighs nothing
    k.range(0, first.sub(start), 1, (i) => to.add(i.shl(2)).store(k.float(LEAST)));
    k.range(end.sub(start), whole, 1, (i) => to.add(i.shl(2)).store(k.float(LEAST)));
    const { highest, total } = weigh(k, to, whole);
    record.store(highest, h * partialBytesOf(headSize) + highestAt(headSize));
    record.store(total, h * partialBytesOf(headSize) + totalAt(headSize));
    return k.float(1).div(total);
  });
  addValues(k, shape, reader, { scores, sums, first, start, end });

  const sumOf = (h: number, column: number): Floats => sums.loadFloats(h * sumStride(shape) + column * FLOAT_BYTES);
  const columns = Array.from({ length: Math.ceil(headSize / k.lanes) }, (_, i) => i * k.lanes);
  k.when(
    isOnly,
    () => {
      for (const [h, factor] of factors.entries()) {
        for (const column of columns) {
          const to = out.add((h * headSize + column) * FLOAT_BYTES);
          storeSome(k, sumOf(h, column).mul(factor.splat()), to, headSize - column);
        }
        if (!rounded) continue;
        const blocks = w.rounded.add(row.mul(heads).add(head).add(h).mul(roundedHeadBytes(headSize)));
        roundHead(k, headSize, out.add(h * headSize * FLOAT_BYTES), blocks);
      }
    },
    () => {
      for (const h of factors.keys()) {
        for (const column of columns)
          record.store(sumOf(h, column), h * partialBytesOf(headSize) + column * FLOAT_BYTES);
      }
    },
  );
}

interface ScoreTask {
  readonly q: Int;
  readonly scores: Int;
  readonly start: Int;
  readonly end: Int;
}

/** Scores of the keys [start, end) for all heads, a block at once; those of keys past the end are undefined. */
function scoreKeys(
  k: KernelBuilder,
  w: Words,
  shape: AttentionShape,
  reader: CacheReader,
  { q, scores, start, end }: ScoreTask,
): void {
  const { type, headsPerGroup, headSize, capped } = shape;
  const [factor, cap] = [w.factor.asFloat().splat(), w.cap.asFloat().splat()];
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
          if (some === 0 && heads.first === 0) prefetch(keys, turns * reader.keyStride);
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
            const score = rest.reduce((sum, chain) => sum.add(chain.value), first.value).mul(factor);
            const value = capped ? tanh(score, k).mul(cap) : score;
            to.store(value, (heads.first + n) * scoreStride(shape) + (some + v) * k.lanes * FLOAT_BYTES);
          }
        }
      }
    }
  });
}

/** Asks for `bytes` bytes that are read some time after those at `at`: the next ones, but at a page's end. */
function prefetch(at: Int, bytes: number): void {
  for (let offset = 0; offset < bytes; offset += LINE_BYTES) at.prefetch(offset + AHEAD_BYTES);
}

/** Sums of one score at most: twice as many as additions that are under way at once. */
const CHAINS_MOST = 8;

/** The largest power of two up to `most`. */
const largestPower = (most: number): number => 2 ** Math.floor(Math.log2(Math.max(1, most)));

/** Turns scores into weights against the highest; returns that and their sum. */
function weigh(k: KernelBuilder, scores: Int, count: Int): { highest: Float; total: Float } {
  const bytes = count.shl(2);
  const step = k.lanes * FLOAT_BYTES;
  const most = k.variable(k.floats(LEAST));
  k.range(0, bytes, step, (i) => (most.value = most.value.max(scores.add(i).loadFloats())));
  const highest = most.value.maximum();
  const against = highest.splat();
  const sum = k.variable(k.floats(0));
  k.range(0, bytes, step, (i) => {
    const weight = power(scores.add(i).loadFloats().sub(against));
    scores.add(i).store(weight);
    sum.value = sum.value.add(weight);
  });
  return { highest, total: sum.value.sum() };
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
function addValues(
  k: KernelBuilder,
  shape: AttentionShape,
  reader: CacheReader,
  { scores, sums, first, start, end }: ValueTask,
): void {
  const { type, headsPerGroup, headSize } = shape;
  const numberBytes = reader.keyStride / BLOCK_KEYS;
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
          if (heads.first === 0) prefetch(row, columns.count * k.lanes * numberBytes);
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

const known = new Map<string, DecodeKernel>();

/** The kernel of a shape; the same one for the same shape. `rounded`: results are stored as int8 blocks too. */
export function decodeAttention(shape: AttentionShape, rounded: boolean): DecodeKernel {
  const name = kernelName("decode", shape) + (rounded ? ".rounded" : "");
  const kernel = known.get(name) ?? attend(name, shape, rounded);
  known.set(name, kernel);
  return kernel;
}
