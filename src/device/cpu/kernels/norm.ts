// RMSNorm over groups of columns, and LayerNorm. A part is a share of the groups; `out` may be the same place as `x`.
// Sums run over registers in order, in f32.
import { type Floats, type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, mapFloats, sumFloats } from "./loops.ts";

/** What RMSNorm multiplies `size` f32 columns at `from` by, besides the gain; epsilon's f32 bits. */
export function rmsFactor(k: KernelBuilder, from: Int, size: Int, epsilon: Int): Floats {
  const at = (i: Int): Floats => from.add(i.mul(FLOAT_BYTES)).loadFloats();
  const squares = sumFloats(k, size, (i) => at(i).mul(at(i)));
  const mean = squares.lane(0).div(size.toFloat()).add(epsilon.asFloat());
  return k.float(1).div(mean.sqrt()).splat();
}

/** Groups of `size` columns, `groups` in all rows; epsilon's f32 bits are a word. */
export const rmsNormKernel = defineKernel(
  "rmsNorm",
  ["x", "gain", "out", "groups", "size", "epsilon"],
  (k, { x, gain, out, groups, size, epsilon }) => {
    const bytes = size.mul(FLOAT_BYTES);
    k.share(groups, (first, end) => {
      k.range(first, end, 1, (group) => {
        const from = x.add(group.mul(bytes));
        const at = (base: typeof x, i: typeof x) => base.add(i.mul(FLOAT_BYTES)).loadFloats();
        const factor = rmsFactor(k, from, size, epsilon);
        mapFloats(k, k.int(0), size, out.add(group.mul(bytes)), (i) => at(from, i).mul(factor).mul(at(gain, i)));
      });
    });
  },
);

export const layerNormKernel = defineKernel(
  "layerNorm",
  ["x", "gain", "bias", "out", "groups", "size", "epsilon"],
  (k, { x, gain, bias, out, groups, size, epsilon }) => {
    const bytes = size.mul(FLOAT_BYTES);
    const count = size.toFloat();
    k.share(groups, (first, end) => {
      k.range(first, end, 1, (group) => {
        const from = x.add(group.mul(bytes));
        const at = (base: typeof x, i: typeof x) => base.add(i.mul(FLOAT_BYTES)).loadFloats();
        const mean = sumFloats(k, size, (i) => at(from, i))
          .lane(0)
          .div(count)
          .splat();
        const away = (i: typeof x) => at(from, i).sub(mean);
        const variance = sumFloats(k, size, (i) => away(i).mul(away(i)))
          .lane(0)
          .div(count);
        const factor = k.float(1).div(variance.add(epsilon.asFloat()).sqrt()).splat();
        mapFloats(k, k.int(0), size, out.add(group.mul(bytes)), (i) =>
          away(i).mul(factor).madd(at(gain, i), at(bias, i)),
        );
      });
    });
  },
);
