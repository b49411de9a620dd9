// Steps of attention. What prepares it is one step: rotating queries and keys, writing keys and values to the cache
// (attention-fusion.ts has found what it takes in). Then a prompt takes one step, decoding one, or two where keys are cut
// into ranges.
import { type Tensor, attentionOp, attributesOf, bound, rmsNormOp, stateTypes, tablesOf } from "../../graph/index.ts";
import { type Preparation, attendsByRow, foldedValues, preparationsOf } from "./attention-fusion.ts";
import { PARTS_MAX } from "./control.ts";
import { formsOf } from "./decode-fusion.ts";
import { hasByteScores } from "./kernels/attention-byte-scores.ts";
import { combineAttention, partialsBytes } from "./kernels/attention-combine.ts";
import { decodeAttention } from "./kernels/attention-decode.ts";
import { promptAttention, promptUnitRows } from "./kernels/attention-prompt.ts";
import { decodeScratchBytes } from "./kernels/attention-range.ts";
import { rangesMost } from "./kernels/attention-ranges.ts";
import { type AttentionShape, cutToFit } from "./kernels/attention-shape.ts";
import { cacheRowsKernel } from "./kernels/cache-rows.ts";
import { planeBytes } from "./kernels/key-blocks.ts";
import { ACTIVATION_COLUMNS } from "./kernels/quantize.ts";
import { SCRATCH_BYTES } from "./layout.ts";
import { roundedPlace } from "./lower-activations.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, tableWordsOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { noKernel, noScratch } from "./no-kernel.ts";
import { type Word, countOf, floatWord, partsOf, valueOf } from "./step.ts";

/**
 * With so many ranges, two for each of 8 threads, the rows of one stay together, which read the same keys where they are of
 * one sequence.
 */
const PARTS_ENOUGH = 16;

const slotsOf = (state: Tensor): number => state.shape[0] as number;
const rowBytes = (tensor: Tensor): number => columnsOf(tensor) * 4;

/** How an attention is computed, and what is before it; does nothing for what that step does on its way. */
export function attentionFusion(lowering: Lowering): (node: Tensor) => Lower | undefined {
  const preparations = preparationsOf(lowering);
  const folded = new Set([...preparations.values()].flatMap((prepared) => (prepared ? foldedValues(prepared) : [])));
  return (node) => {
    if (folded.has(node)) return () => {};
    return preparations.has(node) ? () => lowerAttention(node, preparations.get(node), lowering) : undefined;
  };
}

function lowerAttention(node: Tensor, prepared: Preparation | undefined, lowering: Lowering): void {
  const shape = shapeOf(node);
  if (prepared !== undefined) prepare(shape, prepared, lowering);
  if (attendsByRow(node)) lowerDecode(node, shape, lowering);
  else lowerPrompt(node, shape, prepared, lowering);
}

function shapeOf(node: Tensor): AttentionShape {
  const {
    heads,
    kvHeads,
    pageSize,
    window,
    softCap,
    hasBias = false,
    hasSinks = false,
  } = attributesOf(node, attentionOp);
  const [q, keys, values] = node.inputs;
  if (keys.type === "i32") throw noKernel("attention over keys of i32", `expected ${stateTypes.join(", ")}`);
  return {
    type: keys.type,
    kvHeads,
    headSize: columnsOf(q) / heads,
    pageSize,
    valuesAreKeys: keys === values,
    groups: kvHeads,
    headsPerGroup: heads / kvHeads,
    capped: softCap !== undefined,
    windowed: window !== undefined,
    hasBias,
    hasSinks,
  };
}

/** Rotates queries and keys and writes keys and values: one step. */
function prepare(shape: AttentionShape, prepared: Preparation, lowering: Lowering): void {
  const { keys, values, keyRope, keyNorm, queryNorm } = prepared;
  const queryRope = prepared.isRotatedLater ? undefined : prepared.queryRope;
  const { type, kvHeads, headSize, headsPerGroup, pageSize, valuesAreKeys } = shape;
  const slots = keys.inputs[1];
  if (values.inputs[1] !== slots) {
    throw noKernel("attention whose keys and values are written at slots of two inputs", "expected those of one");
  }
  const rows = countOf([slots.shape[0]]);
  const heads = queryRope === undefined ? 0 : kvHeads * headsPerGroup;
  const half = keyRope === undefined ? 0 : columnsOf(keyRope.inputs[1]);
  const q = (queryNorm ?? queryRope)?.inputs[0];
  const k = (keyNorm ?? keyRope)?.inputs[0] ?? keys.inputs[2];
  const v = values.inputs[2];
  const units = heads + (valuesAreKeys ? 1 : 2) * kvHeads;
  lowering.step({
    kernel: cacheRowsKernel({
      type,
      kvHeads,
      headSize,
      pageSize,
      valuesAreKeys,
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
      v: valuesAreKeys ? 0 : lowering.place(v),
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
    parts: partsOf(countOf([slots.shape[0]], units), Math.ceil(LEAST_ELEMENTS / headSize)),
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
    ...tableWordsOf(tablesOf(node.inputs, attributesOf(node, attentionOp)), lowering),
  };
}

function lowerPrompt(node: Tensor, whole: AttentionShape, prepared: Preparation | undefined, lowering: Lowering): void {
  const rows = countOf([node.shape[0]]);
  const { machine, precision } = lowering.options;
  const isTiled = machine.tiles && precision === "fast" && whole.type !== "f32";
  const rope = prepared?.isRotatedLater === true ? prepared.queryRope : undefined;
  const half = rope === undefined ? 0 : columnsOf(rope.inputs[1]);
  const by = isTiled ? "tiles" : "f32";
  const shape = cutToFit(whole, (shape) => promptUnitRows(machine, shape, by) > 0);
  const unitRows = promptUnitRows(machine, shape, by);
  if (unitRows === 0) throw noScratch(shape);
  lowering.step({
    kernel: promptAttention({ ...shape, half }, by),
    words: {
      ...attentionWords(node, rope?.inputs[0] ?? node.inputs[0], shape, lowering),
      cos: rope === undefined ? 0 : lowering.place(rope.inputs[1]),
      sin: rope === undefined ? 0 : lowering.place(rope.inputs[2]),
    },
    parts: (extents) => Math.min(Math.ceil(valueOf(rows, extents) / unitRows) * shape.groups, PARTS_MAX),
  });
}

function lowerDecode(node: Tensor, whole: AttentionShape, lowering: Lowering): void {
  const shape = cutToFit(whole, (shape) => decodeScratchBytes(shape) <= SCRATCH_BYTES);
  const { groups, headsPerGroup, headSize } = shape;
  const byteScores = lowering.options.precision === "fast" && hasByteScores(shape);
  if (decodeScratchBytes(shape) > SCRATCH_BYTES) throw noScratch(shape);
  const { window } = attributesOf(node, attentionOp);
  const [rows, pages] = [node.shape[0], node.inputs[3].shape[1]];
  const rangesIn = (pages: number): number => rangesMost(shape, pages, window);
  const partials = partialsBytes(bound(rows), rangesIn(bound(pages)), groups * headsPerGroup, headSize);
  const isRounded = headSize % ACTIVATION_COLUMNS === 0 && formsOf(node, lowering).rounded;
  const words = {
    ...attentionWords(node, node.inputs[0], shape, lowering),
    rounded: isRounded ? roundedPlace(node, lowering) : 0,
    partials: lowering.temporary(partials),
  };
  const [rowCount, pageCount] = [countOf([rows]), countOf([pages])];
  lowering.step({
    kernel: decodeAttention({ ...shape, byteScores }, isRounded),
    words,
    parts: (extents) => {
      const [rows, ranges] = [valueOf(rowCount, extents), rangesIn(valueOf(pageCount, extents)) * groups];
      if (rows === 0) return 0;
      return Math.min(ranges < PARTS_ENOUGH ? ranges * rows : ranges, PARTS_MAX);
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
    parts: (extents) => (rangesIn(valueOf(pageCount, extents)) > 1 ? valueOf(rowCount, extents) * groups : 0),
  });
}
