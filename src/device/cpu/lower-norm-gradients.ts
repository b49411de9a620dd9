// Gradients of norms: what flows to x, to the gain and to a bias is found in one step, by whichever of them comes first;
// what else flows to x is added on the way.
import {
  type NormAttributes,
  type Op,
  type Tensor,
  attributesOf,
  layerNormGradientOp,
  normGainGradientOp,
  rmsNormGradientOp,
  sumRowsOp,
} from "../../graph/index.ts";
import { PARTS_MAX } from "./control.ts";
import { layerNormGradientKernel, rmsNormGradientKernel } from "./kernels/norm-gradient.ts";
import { SUM_ROWS, addBlocksKernel, sumStride } from "./kernels/sums.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { isBinary, isProduct } from "./patterns.ts";
import { type Place, countOf, floatWord, valueOf } from "./step.ts";
import { rowSums, rowSumsForm } from "./tile-operands.ts";

/** The step that adds blocks up to what `node` is. */
export function addRowSums(node: Tensor, x: Tensor, blocks: Place, lowering: Lowering): void {
  const size = node.shape[0] as number;
  const words = { x: blocks, rows: countOf([x.shape[0]]), size, stride: sumStride(size) };
  emit(lowering, node, addBlocksKernel, words, { of: countOf([size]), least: LEAST_ELEMENTS / SUM_ROWS });
}

const isNormGradient = (node: Tensor): boolean =>
  node.op === (rmsNormGradientOp as Op) || node.op === (layerNormGradientOp as Op);

/** What a norm's gradient is added to where it alone reads it: a value that is there before. */
function residualOf(node: Tensor, lowering: Lowering): { readonly sum: Tensor; readonly other: Tensor } | undefined {
  const sum = lowering.onlyReader(node);
  if (sum === undefined || !isBinary(sum, "add")) return undefined;
  const other = sum.inputs[sum.inputs[0] === node ? 1 : 0];
  const isMadeOnTheWay = isProduct(other) && lowering.onlyReader(other) === sum;
  return other.id < node.id && !isMadeOnTheWay ? { sum, other } : undefined;
}

/** Does nothing for a sum that a norm's gradient computes on its way. */
export function normGradientFusion(node: Tensor, lowering: Lowering): Lower | undefined {
  const isThere = node.inputs.some((input) => isNormGradient(input) && residualOf(input, lowering)?.sum === node);
  return isThere ? () => {} : undefined;
}

/** Finds all that the gradients by x, the gain and a bias ask of these x and dy; gives the gain's sums. */
function flowBack(
  x: Tensor,
  dy: Tensor,
  attributes: NormAttributes & { isCentred: boolean },
  size: number,
  lowering: Lowering,
): Place {
  const { epsilon, isCentred } = attributes;
  const { nodes } = lowering.graph;
  const op = isCentred ? layerNormGradientOp : rmsNormGradientOp;
  const result = nodes.find(
    (node) =>
      node.op === (op as Op) &&
      node.inputs[0] === x &&
      node.inputs[2] === dy &&
      attributesOf(node, op).epsilon === epsilon &&
      node.inputs[1].shape[0] === size,
  );
  return lowering.derived(dy, `norm gradient by ${x.id} ${isCentred} ${epsilon} ${size}`, () => {
    const gains = rowSums(x, size, lowering);
    const hasSum = nodes.some(
      (node) => node.op === (sumRowsOp as Op) && node.inputs[0] === dy && node.shape[0] === size,
    );
    let sums: Place | undefined;
    if (hasSum) lowering.derived(dy, rowSumsForm(size), () => (sums = rowSums(dy, size, lowering)));
    const added = result && residualOf(result, lowering);
    const rows = countOf([x.shape[0]]);
    lowering.step({
      kernel: isCentred ? layerNormGradientKernel : rmsNormGradientKernel,
      words: {
        x: lowering.place(x),
        gain: result === undefined ? 0 : lowering.place(result.inputs[1]),
        dy: lowering.place(dy),
        residual: added === undefined ? 0 : lowering.place(added.other),
        out: result === undefined ? 0 : lowering.place(added?.sum ?? result),
        gains,
        sums: sums ?? 0,
        rows,
        columns: columnsOf(x),
        size,
        stride: sumStride(size),
        epsilon: floatWord(epsilon),
      },
      parts: (extents) => Math.min(Math.ceil(valueOf(rows, extents) / SUM_ROWS), PARTS_MAX),
    });
    return gains;
  });
}

export const lowerNormGradient: Lower = (node, lowering) => {
  const [x, gain, dy] = node.inputs;
  const isCentred = node.op === (layerNormGradientOp as Op);
  const { epsilon } = attributesOf(node, node.op as typeof layerNormGradientOp);
  flowBack(x, dy, { epsilon, isCentred }, gain.shape[0] as number, lowering);
};

export const lowerNormGainGradient: Lower = (node, lowering) => {
  const [x, dy] = node.inputs;
  const { columns, ...attributes } = attributesOf(node, normGainGradientOp);
  addRowSums(node, x, flowBack(x, dy, attributes, columns, lowering), lowering);
};
