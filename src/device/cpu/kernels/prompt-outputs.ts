// What every product of the prompt class shares: the words of its record, and how its sums are finished: bias,
// activation, residual, stored, and cut where the last group of 16 rows of weights has fewer.
import type { Floats, Int, KernelBuilder } from "../../../lanes/index.ts";
import { GROUP_ROWS } from "../packed-layouts.ts";
import { unary } from "./elementwise.ts";
import type { Activation } from "./gemm-outputs.ts";
import { FLOAT_BYTES, ceilDiv } from "./loops.ts";
import { registersThatAre } from "./outputs.ts";

/**
 * x: rows of activations in the kernel's form; weight: packed groups, `second` those of a gated product's other factor;
 * bias: f32 (outer) or address 0; residual: f32 (rows, outer), added to the products, or 0; out: f32 (rows, outer), or
 * the form in which the next product reads it. `columns` is K, `outer` M.
 */
export const promptWords = ["x", "weight", "second", "bias", "residual", "out", "rows", "columns", "outer"] as const;
export type PromptWord = (typeof promptWords)[number];
export type PromptValues = Readonly<Record<PromptWord, Int>>;

/** Groups of 16 outputs, the last one filled up with zeros. */
export const outputGroups = (w: Pick<PromptValues, "outer">): Int => ceilDiv(w.outer, GROUP_ROWS);

/**
 * Stores sums of `row` for the outputs from `first` on, a register's after the other, those that there are, after the
 * activation. `out` may be the residual's place. Uses the first bytes of scratch.
 */
export function storeSums(
  k: KernelBuilder,
  w: PromptValues,
  row: Int,
  first: Int,
  sums: readonly Floats[],
  activation: Activation = "none",
): void {
  const at = row.mul(w.outer).add(first).mul(FLOAT_BYTES);
  const registerBytes = k.lanes * FLOAT_BYTES;
  const finished = sums.map((sum) => k.variable(sum));
  const read = registersThatAre(k, w.outer.sub(first), sums.length);
  k.when(w.bias, () => {
    const bias = w.bias.add(first.mul(FLOAT_BYTES));
    finished.forEach((sum, n) => (sum.value = sum.value.add(bias.add(read[n]).loadFloats())));
  });
  if (activation !== "none") for (const sum of finished) sum.value = unary[activation](sum.value, k);
  k.when(w.residual, () => {
    const residual = w.residual.add(at);
    finished.forEach((sum, n) => (sum.value = sum.value.add(residual.add(read[n]).loadFloats())));
  });
  const out = w.out.add(at);
  k.when(
    w.outer.less(first.add(sums.length * k.lanes)),
    () => {
      finished.forEach((sum, n) => k.scratch.store(sum.value, n * registerBytes));
      k.range(0, w.outer.sub(first).mul(FLOAT_BYTES), FLOAT_BYTES, (i) => {
        out.add(i).store(k.scratch.add(i).loadFloat());
      });
    },
    () => finished.forEach((sum, n) => out.store(sum.value, n * registerBytes)),
  );
}

/** Bytes of scratch that `storeSums` uses for `outputs` outputs. */
export const tailBytes = (outputs: number): number => outputs * FLOAT_BYTES;
