// Puts together what the ranges of a row's keys gave (attention-decode.ts), in their order, and says how a range's result
// lies: one record a row, range and head. Rows of one range are done before.
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { mostRanges, rangesAt } from "./attention-ranges.ts";
import { type AttentionShape, intAt, kernelName, roundHead, roundedHeadBytes, slices } from "./attention-shape.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { storeUpTo } from "./outputs.ts";
import { LEAST, power } from "./powers.ts";

/** A range's result for one head: its values, filled up, then its highest score and sum of weights. */
export const partialBytesOf = (headSize: number): number => highestAt(headSize) + 64;
export const highestAt = (headSize: number): number => Math.ceil(headSize / 16) * 64;
export const totalAt = (headSize: number): number => highestAt(headSize) + FLOAT_BYTES;
/** Bytes of the results of `ranges` ranges of `rows` rows of `heads` heads. */
export const partialsBytes = (rows: number, ranges: number, heads: number, headSize: number): number =>
  rows * ranges * heads * partialBytesOf(headSize);

const words = ["partials", "positions", "out", "rounded", "rows", "pagesPerSequence", "window"] as const;
type CombineKernel = Kernel<(typeof words)[number]>;

/** Puts the results of a row's ranges together, in order; rows of one range are done. A part is a share of the heads. */
function combine(name: string, shape: AttentionShape, rounded: boolean): CombineKernel {
  const { groups, headsPerGroup, headSize } = shape;
  const heads = groups * headsPerGroup;
  const bytes = partialBytesOf(headSize);
  return defineKernel(name, words, (k, w) => {
    const most = mostRanges(shape, w.pagesPerSequence, w.window);
    k.share(w.rows.mul(heads), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [row, head] = [unit.div(heads), unit.rem(heads)];
        const { count } = rangesAt(k, shape, intAt(w.positions, row), w.window);
        k.when(k.int(1).less(count), () => {
          const from = w.partials.add(row.mul(most).mul(heads).add(head).mul(bytes));
          const to = w.out.add(unit.mul(headSize * FLOAT_BYTES));
          combineHead(k, headSize, from, heads * bytes, count, to);
          if (rounded) roundHead(k, headSize, to, w.rounded.add(unit.mul(roundedHeadBytes(headSize))));
        });
      });
    });
  });
}

function combineHead(k: KernelBuilder, headSize: number, from: Int, stride: number, count: Int, to: Int): void {
  const most = k.variable(k.float(LEAST));
  k.range(0, count, 1, (i) => (most.value = most.value.max(from.add(i.mul(stride)).loadFloat(highestAt(headSize)))));
  const against = most.value.splat();
  const factorAt = (i: Int): Floats => power(from.add(i.mul(stride)).splatFloats(highestAt(headSize)).sub(against));
  const total = k.variable(k.floats(0));
  k.range(0, count, 1, (i) => {
    total.value = factorAt(i).madd(from.add(i.mul(stride)).splatFloats(totalAt(headSize)), total.value);
  });
  const share = k.floats(1).div(total.value);
  for (const columns of slices(Math.ceil(headSize / k.lanes), 8)) {
    const sums = k.variables(columns.count, k.floats(0));
    k.range(0, count, 1, (i) => {
      const factor = factorAt(i);
      const values = from.add(i.mul(stride));
      for (const [c, sum] of sums.entries()) {
        sum.value = factor.madd(values.loadFloats((columns.first + c) * k.lanes * FLOAT_BYTES), sum.value);
      }
    });
    for (const [c, sum] of sums.entries()) {
      const column = (columns.first + c) * k.lanes;
      storeUpTo(k, to.add(column * FLOAT_BYTES), sum.value.mul(share), headSize - column);
    }
  }
}

const known = new Map<string, CombineKernel>();

/** The kernel of a shape; the same one for the same shape. `rounded`: results are stored as int8 blocks too. */
export function combineAttention(shape: AttentionShape, rounded: boolean): CombineKernel {
  const name = kernelName("combine", shape) + (rounded ? ".rounded" : "");
  const kernel = known.get(name) ?? combine(name, shape, rounded);
  known.set(name, kernel);
  return kernel;
}
