// The rows of the table around attention. What prepares it is one step: rotating queries and keys, writing keys and values
// to the cache. Then a prompt takes one step, decoding one, or two where keys are cut into ranges.
import {
  type ExtentValues,
  type Op,
  type Tensor,
  attentionOp,
  attributesOf,
  bound,
  isParameter,
  leafName,
  rmsNormOp,
  ropeOp,
  writeRowsOp,
} from "../../graph/index.ts";
import { formsOf } from "./decode-fusion.ts";
import { combineAttention, partialsBytes } from "./kernels/attention-combine.ts";
import { decodeAttention } from "./kernels/attention-decode.ts";
import { promptAttention, promptUnitRows } from "./kernels/attention-prompt.ts";
import { unitRows } from "./kernels/attention-queries.ts";
import { decodeScratchBytes } from "./kernels/attention-range.ts";
import { rangesMost } from "./kernels/attention-ranges.ts";
import type { AttentionShape } from "./kernels/attention-shape.ts";
import { cacheRowsKernel } from "./kernels/cache-rows.ts";
import { planeBytes } from "./kernels/key-blocks.ts";
import { ACTIVATION_COLUMNS } from "./kernels/quantize.ts";
import { ropeHalvesKernel, ropeInterleavedKernel } from "./kernels/rope.ts";
import { writeRowsKernels } from "./kernels/rows.ts";
import { SCRATCH_BYTES } from "./layout.ts";
import { roundedPlace } from "./lower-activations.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit } from "./lower-common.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";
import { noKernel, noScratch } from "./no-kernel.ts";
import { type Word, countOf, floatWord, partsOf, valueOf } from "./step.ts";

/** Parts of a step of attention at most. */
const PARTS_MOST = 256;
/** With so many ranges the rows of one stay together, which read the same keys where they are of one sequence. */
const PARTS_ENOUGH = 16;

const isOp = (tensor: Tensor, op: Op): boolean => tensor.op === op;
const slotsOf = (state: Tensor): number => state.shape[0] as number;
const rowBytes = (tensor: Tensor): number => columnsOf(tensor) * 4;

/** What is done in one step before an attention. */
interface Preparation {
  readonly keys: Tensor;
  readonly values: Tensor;
  /** Rotations that the step does on its way, of the same angles. */
  readonly keyRope: Tensor | undefined;
  readonly queryRope: Tensor | undefined;
  /** Norms of heads before these rotations. */
  readonly keyNorm: Tensor | undefined;
  readonly queryNorm: Tensor | undefined;
}

/** Throws UnsupportedError for a cache that is not written just before it is read. */
function preparationOf(node: Tensor, lowering: Lowering): Preparation {
  const [q, keys, values] = node.inputs;
  for (const state of [keys, values]) {
    if (!isOp(state, writeRowsOp) || lowering.onlyReader(state) !== node) {
      throw noKernel(`attention over ${leafName(state)}`, "expected rows written for it alone");
    }
  }
  const isFolded = (x: Tensor, reader: Tensor): boolean =>
    isOp(x, ropeOp) && attributesOf(x, ropeOp).layout === "halves" && lowering.onlyReader(x) === reader;
  const keyRope = isFolded(keys.inputs[2], keys) ? keys.inputs[2] : undefined;
  const isSame = keyRope !== undefined && [1, 2].every((i) => q.inputs[i] === keyRope.inputs[i]);
  const queryRope = isSame && isFolded(q, node) ? q : undefined;
  const keyNorm = keyRope && headNorm(keyRope, lowering);
  // prompts may rotate queries elsewhere
  const queryNorm = bound(node.shape[0]) <= DECODE_ROWS && queryRope ? headNorm(queryRope, lowering) : undefined;
  return { keys, values, keyRope, queryRope, keyNorm, queryNorm };
}

/** The norm over heads that only this rotation reads. */
function headNorm(rope: Tensor, lowering: Lowering): Tensor | undefined {
  const [norm] = rope.inputs;
  if (!isOp(norm, rmsNormOp) || lowering.onlyReader(norm) !== rope || !isParameter(norm.inputs[1])) return undefined;
  return norm.inputs[1].shape[0] === attributesOf(rope, ropeOp).headSize ? norm : undefined;
}

/** Whether a norm is one that the step before an attention does on its way. */
export function isHeadNorm(node: Tensor, lowering: Lowering): boolean {
  const rope = lowering.onlyReader(node);
  if (rope === undefined || !isOp(rope, ropeOp)) return false;
  const reader = foldedInto(rope, lowering);
  if (reader === undefined) return false;
  const { keyNorm, queryNorm } = preparationOf(reader, lowering);
  return node === keyNorm || node === queryNorm;
}

/** The attention that does this value on its way. */
function foldedInto(node: Tensor, lowering: Lowering): Tensor | undefined {
  const reader = lowering.onlyReader(node);
  if (reader === undefined) return undefined;
  if (isOp(reader, writeRowsOp)) return foldedInto(reader, lowering);
  return isOp(reader, attentionOp) ? reader : undefined;
}

export const lowerRope: Lower = (node, lowering) => {
  const reader = foldedInto(node, lowering);
  if (reader !== undefined) {
    const { keyRope, queryRope } = preparationOf(reader, lowering);
    if (node === keyRope || node === queryRope) return;
  }
  const { headSize, layout } = attributesOf(node, ropeOp);
  const [x, cos, sin] = node.inputs.map((input) => lowering.place(input));
  const [rows, heads] = [countOf([node.shape[0]]), columnsOf(node) / headSize];
  const words = { x, cos, sin, rows, heads, headSize, half: columnsOf(node.inputs[1]) };
  const kernel = layout === "halves" ? ropeHalvesKernel : ropeInterleavedKernel;
  const parts = { of: countOf([node.shape[0]], heads), least: Math.ceil(LEAST_ELEMENTS / headSize) };
  emit(lowering, node, kernel, words, parts);
};

export const lowerWriteRows: Lower = (node, lowering) => {
  if (foldedInto(node, lowering) !== undefined) return;
  const [state, slots, x] = node.inputs;
  if (state.type === "i32") throw noKernel("writeRows into an i32 state", "expected f32 or f16");
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
  const shape = shapeOf(node);
  const prepared = preparationOf(node, lowering);
  prepare(node, shape, prepared, lowering);
  if (bound(node.shape[0]) <= DECODE_ROWS) lowerDecode(node, shape, lowering);
  else lowerPrompt(node, shape, prepared, lowering);
};

function shapeOf(node: Tensor): AttentionShape {
  const { heads, kvHeads, pageSize, window, softCap } = attributesOf(node, attentionOp);
  const [q, keys] = node.inputs;
  if (keys.type === "i32") throw noKernel("attention over keys of i32", "expected f32 or f16");
  return {
    type: keys.type,
    kvHeads,
    headSize: columnsOf(q) / heads,
    pageSize,
    headsPerGroup: heads / kvHeads,
    capped: softCap !== undefined,
    windowed: window !== undefined,
  };
}

/** Whether the kernel of a prompt rotates the queries that it reads anyway: where registers of any machine take them whole. */
const isRotatedLater = (node: Tensor, { queryRope }: Preparation): boolean =>
  queryRope !== undefined && bound(node.shape[0]) > DECODE_ROWS && columnsOf(queryRope.inputs[1]) % 16 === 0;

/** Rotates queries and keys and writes keys and values: one step. */
function prepare(node: Tensor, shape: AttentionShape, prepared: Preparation, lowering: Lowering): void {
  const { keys, values, keyRope, keyNorm, queryNorm } = prepared;
  const queryRope = isRotatedLater(node, prepared) ? undefined : prepared.queryRope;
  const { type, kvHeads, headSize, headsPerGroup, pageSize } = shape;
  const slots = keys.inputs[1];
  if (values.inputs[1] !== slots) {
    throw noKernel("attention whose keys and values are written at slots of two inputs", "expected those of one");
  }
  const rows = countOf([node.shape[0]]);
  const heads = queryRope === undefined ? 0 : kvHeads * headsPerGroup;
  const half = keyRope === undefined ? 0 : columnsOf(keyRope.inputs[1]);
  const q = (queryNorm ?? queryRope)?.inputs[0];
  const k = (keyNorm ?? keyRope)?.inputs[0] ?? keys.inputs[2];
  const v = values.inputs[2];
  const units = heads + 2 * kvHeads;
  lowering.step({
    kernel: cacheRowsKernel({
      type,
      kvHeads,
      headSize,
      pageSize,
      heads,
      half,
      queryNorm: queryNorm !== undefined,
      keyNorm: keyNorm !== undefined,
    }),
    words: {
      q: q === undefined ? 0 : lowering.place(q),
      qStride: q === undefined ? 0 : rowBytes(q),
      k: lowering.place(k),
      kStride: rowBytes(k),
      v: lowering.place(v),
      vStride: rowBytes(v),
      ...normWords("q", queryNorm, lowering),
      ...normWords("k", keyNorm, lowering),
      cos: keyRope === undefined ? 0 : lowering.place(keyRope.inputs[1]),
      sin: keyRope === undefined ? 0 : lowering.place(keyRope.inputs[2]),
      qOut: queryRope === undefined ? 0 : lowering.place(queryRope),
      keys: lowering.place(keys),
      values: lowering.place(values),
      plane: planeBytes(shape, slotsOf(keys)),
      slots: lowering.place(slots),
      rows,
    },
    parts: partsOf(countOf([node.shape[0]], units), Math.ceil(LEAST_ELEMENTS / headSize)),
  });
}

/** Gain and epsilon of a norm, where there is one. */
const normWords = (name: string, norm: Tensor | undefined, lowering: Lowering): Record<string, Word> => ({
  [`${name}Gain`]: norm === undefined ? 0 : lowering.place(norm.inputs[1]),
  [`${name}Epsilon`]: norm === undefined ? 0 : floatWord(attributesOf(norm, rmsNormOp).epsilon),
});

/** Words that both kinds of kernels have; `q` is where queries are read. */
function attentionWords(node: Tensor, q: Tensor, shape: AttentionShape, lowering: Lowering) {
  const { scale, window, softCap = 1 } = attributesOf(node, attentionOp);
  const [, keys, values, pages, positions, sequences] = node.inputs;
  return {
    q: lowering.place(q),
    keys: lowering.place(keys),
    values: lowering.place(values),
    plane: planeBytes(shape, slotsOf(keys)),
    pages: lowering.place(pages),
    positions: lowering.place(positions),
    sequences: lowering.place(sequences),
    out: lowering.place(node),
    rows: countOf([node.shape[0]]),
    qStride: rowBytes(q),
    pagesPerSequence: countOf([pages.shape[1]]),
    window: window ?? 0,
    factor: floatWord(shape.capped ? scale / softCap : scale * Math.LOG2E),
    cap: floatWord(softCap * Math.LOG2E),
  };
}

function lowerPrompt(node: Tensor, shape: AttentionShape, prepared: Preparation, lowering: Lowering): void {
  const rows = countOf([node.shape[0]]);
  const { machine, precision } = lowering.options;
  const isTiled = machine.tiles && precision === "fast" && shape.type === "f16";
  const units = (extents: ExtentValues) => Math.ceil(valueOf(rows, extents) / unitRows(shape)) * shape.kvHeads;
  const rope = isRotatedLater(node, prepared) ? prepared.queryRope : undefined;
  const half = rope === undefined ? 0 : columnsOf(rope.inputs[1]);
  const by = isTiled ? "tiles" : "f32";
  promptUnitRows(machine, shape, by); // refuses what does not fit, before kernels are made
  lowering.step({
    kernel: promptAttention({ ...shape, half }, by),
    words: {
      ...attentionWords(node, rope?.inputs[0] ?? node.inputs[0], shape, lowering),
      cos: rope === undefined ? 0 : lowering.place(rope.inputs[1]),
      sin: rope === undefined ? 0 : lowering.place(rope.inputs[2]),
    },
    parts: (extents) => Math.min(units(extents), PARTS_MOST),
  });
}

function lowerDecode(node: Tensor, shape: AttentionShape, lowering: Lowering): void {
  const { kvHeads, headsPerGroup, headSize } = shape;
  if (decodeScratchBytes(shape) > SCRATCH_BYTES) {
    throw noScratch(headsPerGroup, headSize, decodeScratchBytes(shape), SCRATCH_BYTES);
  }
  const { window } = attributesOf(node, attentionOp);
  const [rows, pages] = [node.shape[0], node.inputs[3].shape[1]];
  const rangesIn = (pages: number): number => rangesMost(shape, pages, window);
  const partials = partialsBytes(bound(rows), rangesIn(bound(pages)), kvHeads * headsPerGroup, headSize);
  const isRounded = headSize % ACTIVATION_COLUMNS === 0 && formsOf(node, lowering).rounded;
  const words = {
    ...attentionWords(node, node.inputs[0], shape, lowering),
    rounded: isRounded ? roundedPlace(node, lowering) : 0,
    partials: lowering.temporary(partials),
  };
  const [rowCount, pageCount] = [countOf([rows]), countOf([pages])];
  lowering.step({
    kernel: decodeAttention(shape, isRounded),
    words,
    parts: (extents) => {
      const [rows, ranges] = [valueOf(rowCount, extents), rangesIn(valueOf(pageCount, extents)) * kvHeads];
      if (rows === 0) return 0;
      return Math.min(ranges < PARTS_ENOUGH ? ranges * rows : ranges, PARTS_MOST);
    },
  });
  lowering.step({
    kernel: combineAttention(shape, isRounded),
    words: {
      partials: words.partials,
      positions: words.positions,
      out: words.out,
      rounded: words.rounded,
      rows: words.rows,
      pagesPerSequence: words.pagesPerSequence,
      window: words.window,
    },
    parts: (extents) => (rangesIn(valueOf(pageCount, extents)) > 1 ? valueOf(rowCount, extents) * kvHeads : 0),
  });
}
