// Activations rounded to int8, in blocks of 32 columns with a scale of their own: what the integer kernels multiply
// packed weights by. One form serves every weight format, so values that feed several weights are rounded once.
import { type Float, type Floats, type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES } from "./loops.ts";

/** Columns of a block of rounded activations. */
export const ACTIVATION_COLUMNS = 32;
/**
 * Bytes of a block, and what lies where: f32 scale d; d * sum of the numbers, as f32: of all, of columns 0..15, of
 * 16..31; minus the sums of the same three, as i32; 32 signed bytes.
 */
export const ACTIVATION_BYTES = 64;
export const Activation = { d: 0, total: 4, totalHalf: 8, minusSum: 16, minusSumHalf: 20, bytes: 32 } as const;

export const activationBytes = (rows: number, columns: number): number =>
  rows * (columns / ACTIVATION_COLUMNS) * ACTIVATION_BYTES;

/** Rounds the 32 f32 at `from` to the activation block at `to`; the scale is NaN where one of them is, or is infinite. */
export function quantizeBlock(k: KernelBuilder, from: Int, to: Int): void {
  const registers = ACTIVATION_COLUMNS / k.lanes;
  const values = Array.from({ length: registers }, (_, n) => from.loadFloats(n * k.lanes * FLOAT_BYTES));
  const most = values
    .map((value) => value.abs())
    .reduce((a, b) => a.max(b))
    .maximum();
  // a block of zeros has scale 0, and its numbers are 0 whatever they are multiplied by
  const inverse = k.float(0).less(most).selectFloat(k.float(127).div(most), k.float(0)).splat();
  const numbers = values.map((value) => value.mul(inverse).nearest());
  for (const [n, number] of numbers.entries()) to.storeBytes(number.toInts(), Activation.bytes + n * k.lanes);

  // exact in f32: 16 numbers of at most 127 each
  const sums = [0, 1].map((half) => sumFloats(numbers.slice((half * registers) / 2, ((half + 1) * registers) / 2)));
  const all = sums[0].add(sums[1]);
  // where one number is NaN so is the sum, which the maximum may not be, and so are all products with the block
  const d = most.mul(k.float(1 / 127)).add(all.mul(k.float(0)));
  const minus = (sum: Float): Int => k.int(0).sub(sum.toInt());
  to.store(d, Activation.d);
  to.store(all.mul(d), Activation.total);
  to.store(minus(all), Activation.minusSum);
  for (const [half, sum] of sums.entries()) {
    to.store(sum.mul(d), Activation.totalHalf + half * 4);
    to.store(minus(sum), Activation.minusSumHalf + half * 4);
  }
}

/** x: f32, `blocks` of 32 columns in all rows together; out: as many activation blocks. A part is a share of them. */
export const quantizeKernel = defineKernel("quantize", ["x", "out", "blocks"], (k, { x, out, blocks }) => {
  k.share(blocks, (first, end) => {
    k.range(first, end, 1, (block) => {
      quantizeBlock(k, x.add(block.mul(ACTIVATION_COLUMNS * FLOAT_BYTES)), out.add(block.mul(ACTIVATION_BYTES)));
    });
  });
});

const sumFloats = (numbers: readonly Floats[]): Float => numbers.reduce((a, b) => a.add(b)).sum();
