// Which kernels compute which op: one row each.
import { UnsupportedError } from "../../base/errors.ts";
import {
  type Op,
  type Tensor,
  attentionOp,
  attributesOf,
  binaryOp,
  bound,
  gatherOp,
  isParameter,
  layerNormOp,
  linearOp,
  rmsNormOp,
  ropeOp,
  scaleOp,
  unaryOp,
  writeRowsOp,
} from "../../graph/index.ts";
import type { Kernel } from "../../lanes/index.ts";
import { attentionKernels, cutAttention } from "./kernels/attention.ts";
import { binaryKernels, gateKernels, scaleKernel, unaryKernels } from "./kernels/elementwise.ts";
import { gatherKernels } from "./kernels/gather.ts";
import { layerNormKernel, rmsNormKernel } from "./kernels/norm.ts";
import { ropeHalvesKernel, ropeInterleavedKernel } from "./kernels/rope.ts";
import { gatherRowsKernel, writeRowsKernels } from "./kernels/rows.ts";
import { PARTS_MAX } from "./control.ts";
import { SCRATCH_BYTES } from "./layout.ts";
import { lowerLinear } from "./lower-linear.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";
import { packedFormat } from "./packed-layouts.ts";
import { type Count, type Word, countOf, floatWord, partsOf, valueOf } from "./step.ts";

/** Elements that make a part worth claiming, of cheap work. */
const LEAST_ELEMENTS = 4096;
/** Rows of a prompt whose queries read keys together, and in how many slices a decoded row's heads are cut. */
const PROMPT_ROWS = 8;
const DECODE_SLICES = 2;

type Lower = (node: Tensor, lowering: Lowering) => void;

/** One step whose words are `words` and the node's own place as `out`. */
function emit(
  lowering: Lowering,
  node: Tensor,
  kernel: Kernel,
  words: Readonly<Record<string, Word>>,
  parts: { of: Count; least: number },
): void {
  lowering.step({
    kernel,
    words: { ...words, out: lowering.place(node) },
    parts: partsOf(parts.of, parts.least),
  });
}

const columnsOf = (tensor: Tensor): number => tensor.shape[1] as number;
const chunks = (node: Tensor) => ({ of: countOf(node.shape), least: LEAST_ELEMENTS });

const unary: Lower = (node, lowering) => {
  if (gateOf(node, lowering) !== undefined) return; // the multiplication that reads it does both
  const [x] = node.inputs;
  const a = lowering.place(x);
  const count = countOf(node.shape);
  emit(lowering, node, unaryKernels[attributesOf(node, unaryOp).kind], { a, b: a, count }, chunks(node));
};

const binary: Lower = (node, lowering) => {
  const { kind } = attributesOf(node, binaryOp);
  const count = countOf(node.shape);
  const gate = node.inputs.find((input) => gateOf(input, lowering) === node);
  if (gate !== undefined) {
    const other = node.inputs[0] === gate ? node.inputs[1] : node.inputs[0];
    const words = { a: lowering.place(gate.inputs[0]), b: lowering.place(other), count };
    return emit(lowering, node, gateKernels[attributesOf(gate, unaryOp).kind], words, chunks(node));
  }
  const [a, b] = node.inputs.map((input) => lowering.place(input));
  emit(lowering, node, binaryKernels[kind], { a, b, count }, chunks(node));
};

/** The multiplication that computes this unary value on its way, if it is the value's only reader. */
function gateOf(tensor: Tensor, lowering: Lowering): Tensor | undefined {
  if (tensor.op !== (unaryOp as Op)) return undefined;
  const reader = lowering.onlyReader(tensor);
  if (reader === undefined || reader.op !== (binaryOp as Op)) return undefined;
  if (attributesOf(reader, binaryOp).kind !== "multiply") return undefined;
  // of two unary factors the first is taken
  const first = reader.inputs.find((input) => input.op === (unaryOp as Op) && lowering.onlyReader(input) === reader);
  return first === tensor ? reader : undefined;
}

const rmsNorm: Lower = (node, lowering) => {
  const [x, gain] = node.inputs;
  const size = gain.shape[0] as number;
  const groups = countOf(x.shape, 1 / size);
  const epsilon = floatWord(attributesOf(node, rmsNormOp).epsilon);
  const words = { x: lowering.place(x), gain: lowering.place(gain), groups, size, epsilon };
  emit(lowering, node, rmsNormKernel, words, { of: groups, least: Math.ceil(LEAST_ELEMENTS / size) });
};

const layerNorm: Lower = (node, lowering) => {
  const [x, gain, bias] = node.inputs.map((input) => lowering.place(input));
  const size = columnsOf(node);
  const groups = countOf(node.shape, 1 / size);
  const words = { x, gain, bias, groups, size, epsilon: floatWord(attributesOf(node, layerNormOp).epsilon) };
  emit(lowering, node, layerNormKernel, words, { of: groups, least: Math.ceil(LEAST_ELEMENTS / size) });
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

const gather: Lower = (node, lowering) => {
  const [table, ids] = node.inputs;
  const rows = countOf([node.shape[0]]);
  const columns = columnsOf(node);
  const parts = { of: rows, least: 1 };
  const words = { ids: lowering.place(ids), rows, columns };
  if (!isParameter(table)) {
    return emit(lowering, node, gatherRowsKernel, { ...words, table: lowering.place(table) }, parts);
  }
  const kernel = gatherKernels[packedFormat(lowering.stored(table).format)];
  emit(lowering, node, kernel, { ...words, table: lowering.packedWeight(table, "by row") }, parts);
};

const writeRows: Lower = (node, lowering) => {
  const [state, slots, x] = node.inputs;
  if (state.type === "i32") throw new UnsupportedError("writeRows into an i32 state has no kernel.");
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

const attention: Lower = (node, lowering) => {
  const attributes = attributesOf(node, attentionOp);
  const { heads, kvHeads, scale, pageSize, window, softCap } = attributes;
  const [q, keys, values, pages, positions, sequences] = node.inputs;
  const headSize = columnsOf(q) / heads;
  const headsPerGroup = heads / kvHeads;
  const isDecode = bound(q.shape[0]) <= DECODE_ROWS;
  // one row is too little for a thread: its heads are cut, which costs reading keys again
  const headsPerUnit = isDecode ? Math.ceil(headsPerGroup / DECODE_SLICES) : headsPerGroup;
  const cut = cutAttention(headSize, pageSize, headsPerUnit, isDecode ? 1 : PROMPT_ROWS, SCRATCH_BYTES);
  if (cut === undefined) {
    throw new UnsupportedError(`Attention of ${headsPerUnit} heads of ${headSize} does not fit the scratch memory.`);
  }
  if (keys.type === "i32") throw new UnsupportedError("Keys of type i32 have no kernel.");
  const rows = countOf([node.shape[0]]);
  const unitsPerRow = kvHeads * Math.ceil(headsPerGroup / headsPerUnit);
  const words = {
    q: lowering.place(q),
    keys: lowering.place(keys),
    values: lowering.place(values),
    pages: lowering.place(pages),
    positions: lowering.place(positions),
    sequences: lowering.place(sequences),
    rows,
    heads,
    headsPerGroup,
    headSize,
    columns: columnsOf(keys),
    pageSize,
    pagesPerSequence: countOf([pages.shape[1]]),
    window: window ?? 2 ** 30,
    scale: floatWord(scale),
    softCap: floatWord(softCap ?? 0),
    ...cut,
    headsPerUnit,
    unitsPerRow,
  };
  const kernel = attentionKernels[keys.type][softCap === undefined ? "plain" : "capped"];
  lowering.step({
    kernel,
    words: { ...words, out: lowering.place(node) },
    parts: (extents) => Math.min(Math.ceil(valueOf(rows, extents) / cut.rowsPerUnit) * unitsPerRow, PARTS_MAX),
  });
};

const scale: Lower = (node, lowering) => {
  const factor = floatWord(attributesOf(node, scaleOp).factor);
  const words = { a: lowering.place(node.inputs[0]), factor, count: countOf(node.shape) };
  emit(lowering, node, scaleKernel, words, chunks(node));
};

export const lowerings: ReadonlyMap<string, Lower> = new Map<string, Lower>([
  [unaryOp.name, unary],
  [binaryOp.name, binary],
  [scaleOp.name, scale],
  [rmsNormOp.name, rmsNorm],
  [layerNormOp.name, layerNorm],
  [ropeOp.name, rope],
  [gatherOp.name, gather],
  [linearOp.name, lowerLinear],
  [writeRowsOp.name, writeRows],
  [attentionOp.name, attention],
]);
