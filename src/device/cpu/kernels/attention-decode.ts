// Attention of a few rows, each over a long cache that is read once, at the memory's speed: all heads of a key-value
// group share what is read. Keys are cut into ranges (attention-ranges.ts); a unit is a row, a group and a range, and
// writes the range's highest score, sum of weights and weighted values, which a second kernel puts together in order
// (Dao et al. 2023, "Flash-Decoding"). A row of one range is finished at once. Units go row by row within a group and
// range, so that rows of one sequence find its keys in the cache. Scores are in powers of two (powers.ts).
import {
  type Float,
  type Floats,
  type Int,
  type Kernel,
  type KernelBuilder,
  defineKernel,
  tanh,
} from "../../../lanes/index.ts";
import { highestAt, partialBytesOf, rangesOf, totalAt } from "./attention-combine.ts";
import { ALIGNED_KEYS, RANGE_KEYS_MOST, type Ranges, rangesAt } from "./attention-ranges.ts";
import {
  type AttentionShape,
  intAt,
  kernelName,
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
  "pages",
  "positions",
  "sequences",
  "out",
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

// Scratch: a register of loops.ts, scores of the heads, what the reader needs.
const SCORES_AT = 64;
/** Bytes from one head's scores to the next's; not a power of two, so that they do not share places in the first cache. */
const SCORE_STRIDE = (RANGE_KEYS_MOST + ALIGNED_KEYS + 16) * FLOAT_BYTES;
const readerAt = (shape: AttentionShape): number => SCORES_AT + shape.headsPerGroup * SCORE_STRIDE;
export const decodeScratchBytes = (shape: AttentionShape): number => readerAt(shape) + readerBytes(shape);

function attend(shape: AttentionShape): DecodeKernel {
  const { kvHeads } = shape;
  return defineKernel(kernelName("decode", shape), words, (k, w) => {
    const most = rangesOf(shape, w);
    k.share(w.rows.mul(most).mul(kvHeads), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const row = unit.rem(w.rows);
        const rest = unit.div(w.rows);
        const [group, range] = [rest.rem(kvHeads), rest.div(kvHeads)];
        const ranges = rangesAt(k, intAt(w.positions, row), shape.windowed ? w.window : undefined);
        k.when(range.less(ranges.count), () => attendRange(k, w, shape, { row, group, range, ranges, most }));
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
): void {
  const { headsPerGroup, headSize, kvHeads } = shape;
  const start = ranges.base.add(range.mul(ranges.keys));
  const end = start.add(ranges.keys).min(ranges.end);
  const first = start.max(ranges.first);
  const pages = w.pages.add(intAt(w.sequences, row).mul(w.pagesPerSequence).shl(2));
  const reader = new CacheReader(k, shape, w, { pages, group, end, scratch: k.scratch.add(readerAt(shape)) });
  const q = w.q.add(row.mul(w.qStride)).add(group.mul(headsPerGroup * headSize * FLOAT_BYTES));
  const scores = k.scratch.add(SCORES_AT);
  scoreKeys(k, w, shape, reader, { q, scores, start, end });

  const rounded = end
    .sub(start)
    .add(ALIGNED_KEYS - 1)
    .and(-ALIGNED_KEYS);
  const isOnly = ranges.count.equals(1);
  const heads = kvHeads * headsPerGroup;
  const head = group.mul(headsPerGroup);
  const record = row.mul(most).add(range).mul(heads).add(head).mul(partialBytesOf(headSize));
  const totals: Float[] = [];
  for (let h = 0; h < headsPerGroup; h++) {
    const to = scores.add(h * SCORE_STRIDE);
    // what no key of the row stands for weighs nothing
    k.range(0, first.sub(start), 1, (i) => to.add(i.shl(2)).store(k.float(LEAST)));
    k.range(end.sub(start), rounded, 1, (i) => to.add(i.shl(2)).store(k.float(LEAST)));
    const { highest, total } = weigh(k, to, rounded);
    totals.push(total);
    k.when(
      isOnly,
      () => {},
      () => {
        const partial = w.partials.add(record).add(h * partialBytesOf(headSize));
        partial.store(highest, highestAt(headSize));
        partial.store(total, totalAt(headSize));
      },
    );
  }
  const factors = totals.map((total) => isOnly.selectFloat(k.float(1).div(total), k.float(1)));
  const target = isOnly.select(
    w.out.add(
      row
        .mul(heads)
        .add(head)
        .mul(headSize * FLOAT_BYTES),
    ),
    w.partials.add(record),
  );
  const stride = isOnly.select(headSize * FLOAT_BYTES, partialBytesOf(headSize));
  addValues(k, shape, reader, { scores, first, start, end }, (h, column, sum) => {
    const to = target.add(stride.mul(h)).add(column * FLOAT_BYTES);
    storeSome(k, sum.mul(factors[h].splat()), to, headSize - column);
  });
}

interface ScoreTask {
  readonly q: Int;
  readonly scores: Int;
  readonly start: Int;
  readonly end: Int;
}

/** Scores of the keys [start, end) for all heads, two blocks at once; those of keys past the end are undefined. */
function scoreKeys(
  k: KernelBuilder,
  w: Words,
  { type, headsPerGroup, headSize, capped }: AttentionShape,
  reader: CacheReader,
  { q, scores, start, end }: ScoreTask,
): void {
  const [factor, cap] = [w.factor.asFloat().splat(), w.cap.asFloat().splat()];
  const headSlices = slices(headsPerGroup, sumRegisters(k) / 2);
  const lastBlock = end.sub(1).shr(4);
  const registers = ALIGNED_KEYS / k.lanes;
  const columns = unrolled(headSize, 8);
  k.range(start, end, ALIGNED_KEYS, (key) => {
    const blocks = [reader.keys(key.shr(4), 0), reader.keys(key.shr(4).add(1).min(lastBlock), 1)];
    const to = scores.add(key.sub(start).shl(2));
    for (const slice of headSlices) {
      const atOnce = Math.min(registers, largestPower(sumRegisters(k) / slice.count));
      for (let some = 0; some < registers; some += atOnce) {
        const places = Array.from({ length: atOnce }, (_, v) => {
          const offset = (some + v) * k.lanes;
          return { block: blocks[offset < BLOCK_KEYS ? 0 : 1], key: offset % BLOCK_KEYS };
        });
        const sums = Array.from({ length: slice.count }, () => k.variables(atOnce, k.floats(0)));
        k.range(0, headSize, columns, (column) => {
          const query = q.add(column.shl(2));
          const starts = new Map(
            [...new Set(places.map(({ block }) => block))].map((block) => [
              block,
              block.add(column.mul(reader.keyStride)),
            ]),
          );
          for (let d = 0; d < columns; d++) {
            const keys = places.map(({ block, key }) => {
              const bytes = reader.keyStride / BLOCK_KEYS;
              return loadCached(type, starts.get(block) as Int, d * reader.keyStride + key * bytes);
            });
            for (const [n, list] of sums.entries()) {
              const x = query.splatFloats(((slice.first + n) * headSize + d) * FLOAT_BYTES);
              for (const [v, sum] of list.entries()) sum.value = x.madd(keys[v], sum.value);
            }
          }
        });
        for (const [n, list] of sums.entries()) {
          for (const [v, sum] of list.entries()) {
            const score = sum.value.mul(factor);
            const value = capped ? tanh(score, k).mul(cap) : score;
            to.store(value, (slice.first + n) * SCORE_STRIDE + (some + v) * k.lanes * FLOAT_BYTES);
          }
        }
      }
    }
  });
}

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
  readonly first: Int;
  readonly start: Int;
  readonly end: Int;
}

/** Calls `store` with each register of the sums weights · values over the keys [first, end), for each head. */
function addValues(
  k: KernelBuilder,
  { type, headsPerGroup, headSize }: AttentionShape,
  reader: CacheReader,
  { scores, first, start, end }: ValueTask,
  store: (head: number, column: number, sum: Floats) => void,
): void {
  const registers = Math.ceil(headSize / k.lanes);
  const numberBytes = reader.keyStride / BLOCK_KEYS;
  for (const heads of slices(headsPerGroup, sumRegisters(k) / 2)) {
    for (const columns of slices(registers, Math.floor(sumRegisters(k) / heads.count))) {
      const sums = Array.from({ length: heads.count }, () => k.variables(columns.count, k.floats(0)));
      const add = (values: Int, weights: Int): void => {
        const row = Array.from({ length: columns.count }, (_, c) =>
          loadCached(type, values, (columns.first + c) * k.lanes * numberBytes),
        );
        for (const [n, list] of sums.entries()) {
          const weight = weights.splatFloats((heads.first + n) * SCORE_STRIDE);
          for (const [c, sum] of list.entries()) sum.value = weight.madd(row[c], sum.value);
        }
      };
      k.range(first.shr(4), end.add(BLOCK_KEYS - 1).shr(4), 1, (block) => {
        const values = reader.values(block);
        const key = block.shl(4);
        const weights = scores.add(key.sub(start).shl(2));
        k.range(first.sub(key).max(0), end.sub(key).min(BLOCK_KEYS), 1, (i) => {
          add(values.add(i.mul(reader.valueStride)), weights.add(i.shl(2)));
        });
      });
      for (const [n, list] of sums.entries()) {
        for (const [c, sum] of list.entries()) store(heads.first + n, (columns.first + c) * k.lanes, sum.value);
      }
    }
  }
}

const known = new Map<string, DecodeKernel>();

/** The kernel of a shape; the same one for the same shape. */
export function decodeAttention(shape: AttentionShape): DecodeKernel {
  const name = kernelName("decode", shape);
  const kernel = known.get(name) ?? attend(shape);
  known.set(name, kernel);
  return kernel;
}
