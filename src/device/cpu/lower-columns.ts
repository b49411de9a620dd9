// Steps of columns taken out of rows, put among zeros, and put side by side. The parts of a row lie one behind another, as
// rows do: for the kernels they are rows.
import { type Tensor, attributesOf, columnsOp, joinColumnsOp, padColumnsOp } from "../../graph/index.ts";
import { columnsKernel, padColumnsKernel, placeColumnsKernel } from "./kernels/move.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit } from "./lower-common.ts";
import { countOf } from "./step.ts";

const partsOf = (node: Tensor, parts: number, columns: number) => {
  const rows = countOf([node.shape[0]], parts);
  return { rows, parts: { of: rows, least: Math.ceil(LEAST_ELEMENTS / columns) } };
};

const columns: Lower = (node, lowering) => {
  const { first, count, parts = 1 } = attributesOf(node, columnsOp);
  const [x] = node.inputs;
  const cut = partsOf(node, parts, count);
  const words = { x: lowering.place(x), rows: cut.rows, columns: columnsOf(x) / parts, first, count };
  emit(lowering, node, columnsKernel, words, cut.parts);
};

const padColumns: Lower = (node, lowering) => {
  const { first, columns, parts = 1 } = attributesOf(node, padColumnsOp);
  const [x] = node.inputs;
  const cut = partsOf(node, parts, columns);
  const words = { x: lowering.place(x), rows: cut.rows, columns, first, count: columnsOf(x) / parts };
  emit(lowering, node, padColumnsKernel, words, cut.parts);
};

const joinColumns: Lower = (node, lowering) => {
  const { parts } = attributesOf(node, joinColumnsOp);
  const columns = columnsOf(node) / parts;
  let first = 0;
  for (const x of node.inputs) {
    const count = columnsOf(x) / parts;
    const cut = partsOf(node, parts, count);
    const words = { x: lowering.place(x), rows: cut.rows, columns, first, count };
    emit(lowering, node, placeColumnsKernel, words, cut.parts);
    first += count;
  }
};

export const columnLowerings: readonly (readonly [string, Lower])[] = [
  [columnsOp.name, columns],
  [padColumnsOp.name, padColumns],
  [joinColumnsOp.name, joinColumns],
];
