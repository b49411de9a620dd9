// Attention of a few rows, each over a long cache that is read once, at the memory's speed: all heads of a key-value
// group share what is read. Keys are cut into ranges (attention-ranges.ts); a unit is a row, a group and a range, and
// writes the range's highest score, sum of weights and weighted values, which a second kernel puts together in order
// (Dao et al. 2023, "Flash-Decoding"). A row of one range is finished at once. Units go row by row within a range, so that
// rows of one sequence find its keys in the cache, and range by range within a group. Not here: a range's products.
import {
  type Float,
  type Floats,
  type Int,
  type Kernel,
  type KernelBuilder,
  defineKernel,
} from "../../../lanes/index.ts";
import { scoreBytes } from "./attention-byte-scores.ts";
import { highestAt, partialBytesOf, totalAt } from "./attention-combine.ts";
import {
  SCORES_AT,
  addValues,
  readerAt,
  roundedQueriesAt,
  scoreKeys,
  scoreStride,
  sumStride,
  sumsAt,
  weigh,
} from "./attention-range.ts";
import { type Ranges, mostRanges, rangesAt } from "./attention-ranges.ts";
import { type AttentionShape, intAt, kernelName, roundHead, roundedHeadBytes } from "./attention-shape.ts";
import { biasOf, sinkOf, tableWords } from "./attention-tables.ts";
import { cacheReader } from "./cache-reader.ts";
import { BLOCK_KEYS } from "./key-blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { storeUpTo } from "./outputs.ts";
import { LEAST } from "./powers.ts";

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
  ...tableWords,
] as const;
type DecodeKernel = Kernel<(typeof words)[number]>;
type Words = Readonly<Record<(typeof words)[number], Int>>;

export interface DecodeShape extends AttentionShape {
  /** Queries are rounded to int8 blocks and meet quantized keys as bytes. */
  readonly byteScores: boolean;
}

function attend(name: string, shape: DecodeShape, rounded: boolean): DecodeKernel {
  const { groups } = shape;
  return defineKernel(name, words, (k, w) => {
    const most = mostRanges(shape, w.pagesPerSequence, w.window);
    k.share(w.rows.mul(most).mul(groups), (first, end) => {
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
  shape: DecodeShape,
  { row, group, range, ranges, most }: Unit,
  rounded: boolean,
): void {
  const { headsPerGroup, headSize, groups } = shape;
  const start = ranges.base.add(range.mul(ranges.keys));
  const end = start.add(ranges.keys).min(ranges.end);
  const first = start.max(ranges.first);
  const pages = w.pages.add(intAt(w.sequences, row).mul(w.pagesPerSequence).shl(2));
  const reader = cacheReader(k, shape, w, { pages, group, end, scratch: k.scratch.add(readerAt(shape)) });
  const q = w.q.add(row.mul(w.qStride)).add(group.mul(headsPerGroup * headSize * FLOAT_BYTES));
  const [scores, sums] = [k.scratch.add(SCORES_AT), k.scratch.add(sumsAt(shape))];
  if (shape.byteScores) {
    const rounded = k.scratch.add(roundedQueriesAt(shape));
    k.range(0, headsPerGroup, 1, (h) => {
      roundHead(k, headSize, q.add(h.mul(headSize * FLOAT_BYTES)), rounded.add(h.mul(roundedHeadBytes(headSize))));
    });
    scoreBytes(k, w, shape, reader, { q: rounded, scores, start, end });
  } else scoreKeys(k, w, shape, reader, { q, scores, start, end });
  reader.prefetchValues(first.shr(4));

  const whole = end
    .sub(start)
    .add(BLOCK_KEYS - 1)
    .and(-BLOCK_KEYS);
  const isOnly = ranges.count.equals(1);
  const heads = groups * headsPerGroup;
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
    if (shape.hasBias) {
      const bias = biasOf(w, head.add(h));
      k.range(0, whole, k.lanes, (i) => {
        const at = to.add(i.shl(2));
        at.store(at.loadFloats().add(bias(start.add(i), ranges.end)));
      });
    }
    // what no key of the row stands for weighs nothing
    k.range(0, first.sub(start), 1, (i) => to.add(i.shl(2)).store(k.float(LEAST)));
    k.range(end.sub(start), whole, 1, (i) => to.add(i.shl(2)).store(k.float(LEAST)));
    const sink = shape.hasSinks ? firstSink(k, range, sinkOf(w, head.add(h))) : undefined;
    const { highest, total } = weigh(k, to, whole, sink);
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
          storeUpTo(k, to, sumOf(h, column).mul(factor.splat()), headSize - column);
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

/** A head's sink, which the first of its ranges has. */
const firstSink = (k: KernelBuilder, range: Int, sink: Float): Floats =>
  k.int(0).sub(range.equals(0)).splat().selectFloats(sink.splat(), LEAST);

const known = new Map<string, DecodeKernel>();

/** The kernel of a shape; the same one for the same shape. `rounded`: results are stored as int8 blocks too. */
export function decodeAttention(shape: DecodeShape, rounded: boolean): DecodeKernel {
  const name = kernelName(shape.byteScores ? "decode.bytes" : "decode", shape) + (rounded ? ".rounded" : "");
  const kernel = known.get(name) ?? attend(name, shape, rounded);
  known.set(name, kernel);
  return kernel;
}
