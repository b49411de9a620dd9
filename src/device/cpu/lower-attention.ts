// The rows of the table around attention: rotating queries and keys, writing keys and values to the cache, attending.
import { UnsupportedError } from "../../base/errors.ts";
import { attentionOp, attributesOf, bound, ropeOp } from "../../graph/index.ts";
import { attentionKernels, cutAttention } from "./kernels/attention.ts";
import { ropeHalvesKernel, ropeInterleavedKernel } from "./kernels/rope.ts";
import { writeRowsKernels } from "./kernels/rows.ts";
import { PARTS_MAX } from "./control.ts";
import { SCRATCH_BYTES } from "./layout.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit } from "./lower-common.ts";
import { DECODE_ROWS } from "./lowering.ts";
import { countOf, floatWord, partsOf, valueOf } from "./step.ts";

/** Rows of a prompt whose queries read keys together, and in how many slices a decoded row's heads are cut. */
const PROMPT_ROWS = 8;
const DECODE_SLICES = 2;

export const lowerRope: Lower = (node, lowering) => {
  const { headSize, layout } = attributesOf(node, ropeOp);
  const [x, cos, sin] = node.inputs.map((input) => lowering.place(input));
  const [rows, heads] = [countOf([node.shape[0]]), columnsOf(node) / headSize];
  const words = { x, cos, sin, rows, heads, headSize, half: columnsOf(node.inputs[1]) };
  const kernel = layout === "halves" ? ropeHalvesKernel : ropeInterleavedKernel;
  const parts = { of: countOf([node.shape[0]], heads), least: Math.ceil(LEAST_ELEMENTS / headSize) };
  emit(lowering, node, kernel, words, parts);
};

export const lowerWriteRows: Lower = (node, lowering) => {
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

export const lowerAttention: Lower = (node, lowering) => {
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
