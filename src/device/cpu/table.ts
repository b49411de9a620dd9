// Which kernels compute which op that models run with: one row each. Not here: what is computed together with other values
// (lower-decode.ts, lower-prompt.ts, lower-attention.ts), what goes element by element (lower-elementwise.ts), what only
// training needs (lower-training.ts).
import {
  attributesOf,
  blockMaxOp,
  gatherMatmulOp,
  gatherOp,
  isParameter,
  layerNormOp,
  linearOp,
  rmsNormOp,
  ropeOp,
  writeRowsOp,
} from "../../graph/index.ts";
import { blockMaxKernel } from "./kernels/block-max.ts";
import { gatherKernels } from "./kernels/gather.ts";
import { layerNormKernel, rmsNormKernel } from "./kernels/norm.ts";
import { ropeHalvesKernel, ropeInterleavedKernel } from "./kernels/rope.ts";
import { gatherRowsKernel, writeRowsKernels } from "./kernels/rows.ts";
import { columnLowerings } from "./lower-columns.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit } from "./lower-common.ts";
import { lowerGatherMatmul } from "./lower-gather-matmul.ts";
import { lowerPromptLinear } from "./lower-prompt.ts";
import { noKernel } from "./no-kernel.ts";
import { packedFormat } from "./packed-layouts.ts";
import { countOf, floatWord, partsOf } from "./step.ts";

const rmsNorm: Lower = (node, lowering) => {
  const [x, gain] = node.inputs;
  const size = gain.shape[0] as number;
  const groups = countOf([x.shape[0]], columnsOf(x) / size);
  const epsilon = floatWord(attributesOf(node, rmsNormOp).epsilon);
  const words = { x: lowering.place(x), gain: lowering.place(gain), groups, size, epsilon };
  emit(lowering, node, rmsNormKernel, words, { of: groups, least: Math.ceil(LEAST_ELEMENTS / size) });
};

const layerNorm: Lower = (node, lowering) => {
  const [x, gain, bias] = node.inputs.map((input) => lowering.place(input));
  const size = columnsOf(node);
  const groups = countOf([node.shape[0]]);
  const words = { x, gain, bias, groups, size, epsilon: floatWord(attributesOf(node, layerNormOp).epsilon) };
  emit(lowering, node, layerNormKernel, words, { of: groups, least: Math.ceil(LEAST_ELEMENTS / size) });
};

const gather: Lower = (node, lowering) => {
  const [table, ids] = node.inputs;
  const rows = countOf(ids.shape);
  const columns = columnsOf(table);
  const parts = { of: rows, least: 1 };
  const words = { ids: lowering.place(ids), rows, columns };
  if (!isParameter(table)) {
    return emit(lowering, node, gatherRowsKernel, { ...words, table: lowering.place(table) }, parts);
  }
  const kernel = gatherKernels[packedFormat(lowering.stored(table).format)];
  emit(lowering, node, kernel, { ...words, table: lowering.packedWeight(table, "by row") }, parts);
};

const rope: Lower = (node, lowering) => {
  const { headSize, layout } = attributesOf(node, ropeOp);
  const [x, cos, sin] = node.inputs.map((input) => lowering.place(input));
  const [rows, heads] = [countOf([node.shape[0]]), columnsOf(node) / headSize];
  const words = { x, cos, sin, rows, heads, headSize, half: columnsOf(node.inputs[1]) };
  const kernel = layout === "halves" ? ropeHalvesKernel : ropeInterleavedKernel;
  const parts = { of: countOf([node.shape[0]], heads), least: Math.ceil(LEAST_ELEMENTS / headSize) };
  emit(lowering, node, kernel, words, parts);
};

const writeRows: Lower = (node, lowering) => {
  const [state, slots, x] = node.inputs;
  if (state.type !== "f32" && state.type !== "f16") {
    throw noKernel(`writeRows into a ${state.type} state that no attention reads`, "expected f32 or f16");
  }
  const rows = countOf([x.shape[0]]);
  lowering.step({
    kernel: writeRowsKernels[state.type],
    words: {
      state: lowering.place(node),
      slots: lowering.place(slots),
      x: lowering.place(x),
      rows,
      columns: columnsOf(x),
    },
    parts: partsOf(rows, Math.ceil(LEAST_ELEMENTS / columnsOf(x))),
  });
};

const blockMax: Lower = (node, lowering) => {
  const [x] = node.inputs;
  const { size } = attributesOf(node, blockMaxOp);
  const words = { x: lowering.place(x), rows: countOf([x.shape[0]]), columns: columnsOf(x), size };
  emit(lowering, node, blockMaxKernel, words, { of: countOf(node.shape), least: Math.ceil(LEAST_ELEMENTS / size) });
};

export const lowerings: ReadonlyMap<string, Lower> = new Map<string, Lower>([
  ...columnLowerings,
  [blockMaxOp.name, blockMax],
  [rmsNormOp.name, rmsNorm],
  [layerNormOp.name, layerNorm],
  [ropeOp.name, rope],
  [gatherOp.name, gather],
  [gatherMatmulOp.name, lowerGatherMatmul],
  [linearOp.name, lowerPromptLinear],
  [writeRowsOp.name, writeRows],
]);
