// y = x Wᵀ + b with f32 activations and packed float weights, decode class: 16 rows of weights interleaved, so that one
// column of a group lies in one place. Every output is one chain of products and sums over the columns in order.
import { type Floats, type Int, defineKernel, loadBf16, loadF16 } from "../../../lanes/index.ts";
import { GROUP_ROWS } from "../packed-layouts.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type LinearKernel, groupCount, linearWords, storeOutputs } from "./outputs.ts";

interface FloatFormat {
  readonly bytes: number;
  /** W rows of one column. */
  readonly load: (at: Int, offset: number) => Floats;
}

export const floatFormats = {
  f32: { bytes: 4, load: (at, offset) => at.loadFloats(offset) },
  f16: { bytes: 2, load: loadF16 },
  bf16: { bytes: 2, load: loadBf16 },
} as const satisfies Record<string, FloatFormat>;
export type FloatFormatName = keyof typeof floatFormats;

export const isFloatFormat = (name: string): name is FloatFormatName => Object.hasOwn(floatFormats, name);

/** A part is a share of the groups of 16 outputs; every row is computed alone. */
function linear(name: FloatFormatName): LinearKernel {
  const { bytes, load }: FloatFormat = floatFormats[name];
  return defineKernel(`linear.${name}`, linearWords, (k, w) => {
    const registers = GROUP_ROWS / k.lanes;
    k.share(groupCount(w), (first, end) => {
      k.range(first, end, 1, (group) => {
        const weight = w.weight.add(group.mul(w.columns).mul(GROUP_ROWS * bytes));
        k.range(0, w.rows, 1, (row) => {
          const x = w.x.add(row.mul(w.columns).mul(FLOAT_BYTES));
          const sums = k.variables(registers, k.floats(0));
          k.range(0, w.columns, 1, (column) => {
            const at = weight.add(column.mul(GROUP_ROWS * bytes));
            const value = x.add(column.mul(FLOAT_BYTES)).splatFloats();
            for (const [n, sum] of sums.entries()) sum.value = value.madd(load(at, n * k.lanes * bytes), sum.value);
          });
          for (const [n, sum] of sums.entries()) {
            storeOutputs(k, w, row, group.mul(GROUP_ROWS).add(n * k.lanes), sum.value);
          }
        });
      });
    });
  });
}

export const floatKernels: Readonly<Record<FloatFormatName, LinearKernel>> = {
  f32: linear("f32"),
  f16: linear("f16"),
  bf16: linear("bf16"),
};
