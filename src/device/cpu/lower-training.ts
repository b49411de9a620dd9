// The rows of the table that only training needs, loaded when a graph of it is lowered: sums, softmax and its losses,
// gradients of norms, sums by id; products and attention of rows by files of their own.
import {
  type Tensor,
  attributesOf,
  crossEntropyGradientOp,
  crossEntropyOp,
  elementsBound,
  layerNormGradientOp,
  logSumExpOp,
  normGainGradientOp,
  rmsNormGradientOp,
  rowAttentionBiasGradientOp,
  rowAttentionGradientOp,
  rowAttentionOp,
  rowAttentionSinkGradientOp,
  scatterAddRowsOp,
  softmaxOp,
  sumAllOp,
  sumColumnsOp,
  sumRowsOp,
  transposeOp,
} from "../../graph/index.ts";
import { FLOAT_BYTES } from "./kernels/loops.ts";
import { scatterAddKernel, transposeKernel } from "./kernels/move.ts";
import { crossEntropyGradientKernel, crossEntropyGradientSource, crossEntropyKernel } from "./kernels/softmax.ts";
import {
  SUM_ELEMENTS,
  SUM_ROWS,
  addAllKernel,
  blockRowSumsKernel,
  blockSumsKernel,
  sumStride,
} from "./kernels/sums.ts";
import { PARTS_MAX } from "./control.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit } from "./lower-common.ts";
import { addRowSums, lowerNormGainGradient, lowerNormGradient, normGradientFusion } from "./lower-norm-gradients.ts";
import { productFusion } from "./lower-products.ts";
import {
  isGradientPart,
  lowerRowAttention,
  lowerRowAttentionBiasGradient,
  lowerRowAttentionGradient,
  lowerRowAttentionSinkGradient,
} from "./lower-row-attention.ts";
import { lowerings as expertLowerings } from "./lower-expert-training.ts";
import { leastRows, logSumExp, logarithms, rowsOf, softmax, sumColumns } from "./lower-rows.ts";
import type { Lowering } from "./lowering.ts";
import { countOf, floatWord, partsOf, valueOf } from "./step.ts";
import { formedStep } from "./tile-forms.ts";
import { askedOf, placesOf, rowSums, rowSumsForm } from "./tile-operands.ts";

/** Parts of a step that looks through all ids in each. */
const SCATTER_PARTS = 16;

const sumRows: Lower = (node, lowering) => {
  const [x] = node.inputs;
  const size = node.shape[0] as number;
  const blocks = lowering.derived(x, rowSumsForm(size), () => {
    const [rows, out] = [rowsOf(x), rowSums(x, size, lowering)];
    lowering.step({
      kernel: blockRowSumsKernel,
      words: { x: lowering.place(x), out, rows, columns: columnsOf(x), size, stride: sumStride(size) },
      parts: (extents) => Math.min(Math.ceil(valueOf(rows, extents) / SUM_ROWS), PARTS_MAX),
    });
    return out;
  });
  addRowSums(node, x, blocks, lowering);
};

const sumAll: Lower = (node, lowering) => {
  const [x] = node.inputs;
  const count = countOf(x.shape);
  const blocks = lowering.temporary(Math.ceil(elementsBound(x.shape) / SUM_ELEMENTS) * FLOAT_BYTES);
  lowering.step({
    kernel: blockSumsKernel,
    words: { x: lowering.place(x), out: blocks, count },
    parts: (extents) => Math.min(Math.ceil(valueOf(count, extents) / SUM_ELEMENTS), PARTS_MAX),
  });
  emit(lowering, node, addAllKernel, { x: blocks, count }, { of: countOf([1]), least: 1 });
};

/** What both kernels of the loss read. */
function lossWords(node: Tensor, lowering: Lowering) {
  const { labelSmoothing = 0, zLoss = 0 } = attributesOf(node, node.op as typeof crossEntropyOp);
  const [logits, targets] = node.inputs;
  const columns = columnsOf(logits);
  return {
    whole: logarithms(logits, lowering),
    x: lowering.place(logits),
    targets: lowering.place(targets),
    rows: rowsOf(logits),
    columns,
    kept: floatWord(1 - labelSmoothing),
    spread: floatWord(labelSmoothing / columns),
    z: floatWord(zLoss),
  };
}

const crossEntropy: Lower = (node, lowering) => {
  const words = lossWords(node, lowering);
  emit(lowering, node, crossEntropyKernel, words, { of: words.rows, least: LEAST_ELEMENTS / SUM_ROWS });
};

const crossEntropyGradient: Lower = (node, lowering) => {
  const { rows, columns, ...common } = lossWords(node, lowering);
  const words = { ...common, dy: lowering.place(node.inputs[2]) };
  const asked = askedOf(node, lowering);
  if (asked.forms.size > 0 && asked.others?.length === 0) {
    const places = placesOf(node, asked, lowering);
    const size = { rows: node.shape[0], width: columns };
    return lowering.step(formedStep(crossEntropyGradientSource, [places], words, size));
  }
  emit(
    lowering,
    node,
    crossEntropyGradientKernel,
    { ...words, rows, columns },
    { of: rows, least: leastRows(columns) },
  );
};

const transpose: Lower = (node, lowering) => {
  const [x] = node.inputs;
  const words = { x: lowering.place(x), rows: rowsOf(x), columns: columnsOf(x) };
  emit(lowering, node, transposeKernel, words, { of: rowsOf(node), least: leastRows(columnsOf(node)) });
};

const scatterAddRows: Lower = (node, lowering) => {
  const [ids, x] = node.inputs;
  const columns = columnsOf(node);
  const words = { ids: lowering.place(ids), x: lowering.place(x), rows: countOf(ids.shape), columns };
  const count = rowsOf(node);
  lowering.step({
    kernel: scatterAddKernel,
    words: { ...words, count, out: lowering.place(node) },
    parts: partsOf(count, leastRows(columns), SCATTER_PARTS),
  });
};

export { lowerFormedGroup } from "./lower-formed.ts";

/** How a value is computed together with others; does nothing for those made elsewhere. */
export const trainingFusion = (node: Tensor, lowering: Lowering): Lower | undefined =>
  normGradientFusion(node, lowering) ??
  productFusion(node, lowering) ??
  (isGradientPart(node, lowering) ? () => {} : undefined);

export const lowerings: ReadonlyMap<string, Lower> = new Map<string, Lower>([
  ...expertLowerings,
  [sumRowsOp.name, sumRows],
  [sumColumnsOp.name, sumColumns],
  [sumAllOp.name, sumAll],
  [logSumExpOp.name, logSumExp],
  [softmaxOp.name, softmax],
  [crossEntropyOp.name, crossEntropy],
  [crossEntropyGradientOp.name, crossEntropyGradient],
  [rmsNormGradientOp.name, lowerNormGradient],
  [layerNormGradientOp.name, lowerNormGradient],
  [normGainGradientOp.name, lowerNormGainGradient],
  [transposeOp.name, transpose],
  [scatterAddRowsOp.name, scatterAddRows],
  [rowAttentionOp.name, lowerRowAttention],
  [rowAttentionGradientOp.name, lowerRowAttentionGradient],
  [rowAttentionBiasGradientOp.name, lowerRowAttentionBiasGradient],
  [rowAttentionSinkGradientOp.name, lowerRowAttentionSinkGradient],
]);
