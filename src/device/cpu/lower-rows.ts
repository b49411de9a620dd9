// What is computed row by row and is no elementwise op: softmax, the logarithm of its denominator, sums of columns. Training
// needs these, and mixtures of experts.
import { type Tensor, bound } from "../../graph/index.ts";
import { FLOAT_BYTES } from "./kernels/loops.ts";
import { logSumExpKernel, softmaxKernel } from "./kernels/softmax.ts";
import { sumColumnsKernel } from "./kernels/sums.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { type Count, type Place, countOf, partsOf } from "./step.ts";

export const rowsOf = (x: Tensor): Count => countOf([x.shape[0]]);
/** Rows that make a part worth claiming. */
export const leastRows = (columns: number): number => Math.ceil(LEAST_ELEMENTS / columns);

export const sumColumns: Lower = (node, lowering) => {
  const [x] = node.inputs;
  const words = { x: lowering.place(x), rows: rowsOf(x), columns: columnsOf(x) };
  emit(lowering, node, sumColumnsKernel, words, { of: rowsOf(x), least: leastRows(columnsOf(x)) });
};

/** log Σ exp of x's rows, (N). */
export const logarithms = (x: Tensor, lowering: Lowering): Place =>
  lowering.derived(x, "logSumExp", () => {
    const out = lowering.temporary(bound(x.shape[0]) * FLOAT_BYTES);
    const words = { x: lowering.place(x), out, rows: rowsOf(x), columns: columnsOf(x) };
    lowering.step({ kernel: logSumExpKernel, words, parts: partsOf(rowsOf(x), leastRows(columnsOf(x))) });
    return out;
  });

export const logSumExp: Lower = (node, lowering) => {
  const [x] = node.inputs;
  const words = { x: lowering.place(x), rows: rowsOf(x), columns: columnsOf(x) };
  emit(lowering, node, logSumExpKernel, words, { of: rowsOf(x), least: leastRows(columnsOf(x)) });
};

export const softmax: Lower = (node, lowering) => {
  const [x] = node.inputs;
  const whole = logarithms(x, lowering);
  const words = { x: lowering.place(x), whole, rows: rowsOf(x), columns: columnsOf(x) };
  emit(lowering, node, softmaxKernel, words, { of: rowsOf(x), least: leastRows(columnsOf(x)) });
};
