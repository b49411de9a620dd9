// What every matrix product kernel shares: its record, and how W outputs of one row are finished: bias added, stored, and
// cut where the last group of 16 rows of weights has fewer.
import type { Floats, Int, Kernel, KernelBuilder } from "../../../lanes/index.ts";
import { GROUP_ROWS } from "../packed-layouts.ts";
import { FLOAT_BYTES } from "./loops.ts";

/**
 * x: rows of f32, or of int8 blocks (quantize.ts); weight: packed groups; bias: f32 (outer) or address 0; out: (rows,
 * outer) f32; `columns` is K, `outer` M.
 */
export const linearWords = ["x", "weight", "bias", "out", "rows", "columns", "outer"] as const;
export type LinearWord = (typeof linearWords)[number];
export type LinearKernel = Kernel<LinearWord>;
export type LinearValues = Readonly<Record<LinearWord, Int>>;

/** Groups of 16 rows of weights, the last one filled up with zeros. */
export const groupCount = (w: LinearValues): Int => w.outer.add(GROUP_ROWS - 1).div(GROUP_ROWS);

/** Stores outputs `first` to `first` + W of `row`, those that there are. Uses the first bytes of scratch. */
export function storeOutputs(k: KernelBuilder, w: LinearValues, row: Int, first: Int, value: Floats): void {
  const finished = k.variable(value);
  k.when(w.bias, () => {
    finished.value = value.add(w.bias.add(first.mul(FLOAT_BYTES)).loadFloats());
  });
  const out = w.out.add(row.mul(w.outer).add(first).mul(FLOAT_BYTES));
  storeUpTo(k, out, finished.value, w.outer.sub(first));
}

/** Stores the first `count` lanes, or all where that is more. Uses the first bytes of scratch. */
export function storeUpTo(k: KernelBuilder, out: Int, value: Floats, count: Int): void {
  k.when(
    count.less(k.lanes),
    () => {
      k.scratch.store(value);
      k.range(0, count.mul(FLOAT_BYTES), FLOAT_BYTES, (at) => {
        out.add(at).store(k.scratch.add(at).loadFloat());
      });
    },
    () => out.store(value),
  );
}
