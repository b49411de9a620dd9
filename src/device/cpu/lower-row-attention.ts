// Attention of rows over each other and its gradient: keys and values turned over once for all that reads them, or what
// products in tile registers read, then one step; the gradient's three parts go straight to where they are taken from it.
import {
  type Op,
  type RowAttentionAttributes,
  type RowAttentionInputs,
  type Tensor,
  attributesOf,
  bound,
  columnsOp,
  rowAttentionGradientOp,
  rowAttentionOp,
  rowAttentionSinkGradientOp,
  tablesOf,
} from "../../graph/index.ts";
import { FLOAT_BYTES } from "./kernels/loops.ts";
import {
  BLOCK,
  HEAD_SIZE_MOST,
  type RowAttentionShape,
  headDotsKernel,
  turnKernel,
  turnedBytes,
} from "./kernels/row-attention.ts";
import { rowAttentionKernel } from "./kernels/row-attention-forward.ts";
import { SHARE_ROWS, rowAttentionGradientKernel } from "./kernels/row-attention-gradient.ts";
import { biasGradientKernel, sinkGradientKernel } from "./kernels/row-attention-table-gradients.ts";
import { rowAttentionTilesKernel } from "./kernels/row-attention-tiles-forward.ts";
import { rowAttentionTilesGradientKernel } from "./kernels/row-attention-tiles-gradient.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit, tableWordsOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { noKernel } from "./no-kernel.ts";
import { PARTS_MAX } from "./control.ts";
import { type Place, type Word, countOf, floatWord, partsOf, valueOf } from "./step.ts";
import { attendsInTiles, tileOperand } from "./tile-operands.ts";

/** Larger than any row's number. */
const NO_WINDOW = 2 ** 30;

function shapeOf(node: Tensor, q: Tensor, ends: Tensor | undefined): RowAttentionShape {
  const { heads, softCap, hasBias = false, hasSinks = false } = attributesOf(node, node.op as typeof rowAttentionOp);
  const headSize = columnsOf(q) / heads;
  if (headSize > HEAD_SIZE_MOST) {
    throw noKernel(`${node.op.name} with heads of ${headSize}`, `expected ${HEAD_SIZE_MOST} at most`);
  }
  return { headSize, capped: softCap !== undefined, bothWays: ends !== undefined, hasBias, hasSinks };
}

/** An attention's inputs, but for the tables of its scores. */
function rowInputs(inputs: readonly Tensor[], node: Tensor): RowAttentionInputs {
  const { others } = tablesOf<Tensor>(inputs, attributesOf(node, node.op as typeof rowAttentionOp));
  const [q, k, v, starts] = others;
  return { q, k, v, starts, ends: others.at(4) };
}

/** What all kernels' records have. */
function commonWords(node: Tensor, starts: Tensor, ends: Tensor | undefined, lowering: Lowering) {
  const {
    heads,
    kvHeads,
    scale,
    window = NO_WINDOW,
    softCap = 1,
  } = attributesOf(node, node.op as typeof rowAttentionOp);
  return {
    starts: lowering.place(starts),
    ends: ends === undefined ? 0 : lowering.place(ends),
    heads,
    repeat: heads / kvHeads,
    window,
    scale: floatWord(scale),
    cap: floatWord(softCap),
    ...tableWordsOf(tablesOf(node.inputs, attributesOf(node, node.op as typeof rowAttentionOp)), lowering),
  };
}

/** x (N, C) as (C, N). */
const turned = (x: Tensor, lowering: Lowering): Place =>
  lowering.derived(x, "turned", () => {
    const rows = bound(x.shape[0]);
    const out = lowering.temporary(turnedBytes(rows, columnsOf(x)));
    lowering.step({
      kernel: turnKernel,
      words: {
        x: lowering.place(x),
        out,
        rows: countOf([x.shape[0]]),
        columns: columnsOf(x),
      },
      parts: partsOf(countOf(x.shape), LEAST_ELEMENTS),
    });
    return out;
  });

/** Logarithms of the rows' sums of exponentials, (N, H): left by `rowAttention`'s step. */
function sumsOf(y: Tensor, lowering: Lowering): Place {
  if (y.op !== (rowAttentionOp as Op)) {
    throw noKernel(
      `rowAttentionGradient of a value of ${y.op.name}`,
      "expected one of rowAttention, which keeps its sums",
    );
  }
  return lowering.derived(y, "sums", () => {
    const { heads } = attributesOf(y, rowAttentionOp);
    return lowering.temporary(bound(y.shape[0]) * heads * FLOAT_BYTES);
  });
}

/** dy · y of a gradient's rows and heads, (N, H). */
function dotsOf({ inputs: [y, dy], attributes }: Tensor, lowering: Lowering): Place {
  const { heads } = attributes as RowAttentionAttributes;
  const headSize = columnsOf(y) / heads;
  return lowering.derived(dy, `dots ${y.id} ${heads}`, () => {
    const out = lowering.temporary(bound(y.shape[0]) * heads * FLOAT_BYTES);
    const units = countOf([y.shape[0]], heads);
    lowering.step({
      kernel: headDotsKernel,
      words: { a: lowering.place(dy), b: lowering.place(y), out, units, headSize },
      parts: partsOf(units, Math.ceil(LEAST_ELEMENTS / headSize)),
    });
    return out;
  });
}

export const lowerRowAttention: Lower = (node, lowering) => {
  const { q, k, v, starts, ends } = rowInputs(node.inputs, node);
  const shape = shapeOf(node, q, ends);
  const { heads } = attributesOf(node, rowAttentionOp);
  const rows = countOf([q.shape[0]]);
  const isTiled = attendsInTiles(node, lowering);
  const operands: Record<string, Place> = isTiled
    ? {
        queries: tileOperand(q, "rows.along", lowering),
        keys: tileOperand(k, "outer.along", lowering),
        values: tileOperand(v, "outer.across", lowering),
      }
    : { q: lowering.place(q), turnedKeys: turned(k, lowering), v: lowering.place(v) };
  lowering.step({
    kernel: isTiled ? rowAttentionTilesKernel(shape) : rowAttentionKernel(shape),
    words: {
      ...commonWords(node, starts, ends, lowering),
      ...operands,
      rows,
      out: lowering.place(node),
      sums: sumsOf(node, lowering),
    },
    parts: (extents) => Math.min(Math.ceil(valueOf(rows, extents) / BLOCK) * heads, PARTS_MAX),
  });
};

/** dq, dk and dv as the values that take them out of the gradient, if nobody reads it otherwise. */
function takersOf(node: Tensor, lowering: Lowering): readonly Tensor[] | undefined {
  const [, , q, k] = node.inputs.map((input) => input.shape[1] as number);
  const readers = lowering.readers(node) ?? [];
  const ranges = [
    [0, q],
    [q, k],
    [q + k, k],
  ];
  const takers = ranges.map(([first, count]) =>
    readers.find((reader) => {
      if (reader.op !== (columnsOp as Op)) return false;
      const attributes = attributesOf(reader, columnsOp);
      return attributes.first === first && attributes.count === count;
    }),
  );
  return readers.length === takers.length && takers.every((taker) => taker !== undefined) ? takers : undefined;
}

function resultWords(node: Tensor, lowering: Lowering): Record<string, Word> {
  const takers = takersOf(node, lowering);
  const [, , q, k] = node.inputs.map((input) => input.shape[1] as number);
  const firsts = { dq: 0, dk: q, dv: q + k };
  const words = Object.entries(firsts).map(([name, first], i) => {
    const taker = takers?.[i] ?? node;
    return {
      [name]: lowering.place(taker),
      [`${name}Stride`]: columnsOf(taker) * FLOAT_BYTES,
      [`${name}First`]: takers === undefined ? first * FLOAT_BYTES : 0,
    };
  });
  return Object.assign({}, ...words) as Record<string, Word>;
}

/** Whether columns are written by what they are taken from. */
export const isGradientPart = (node: Tensor, lowering: Lowering): boolean =>
  node.op === (columnsOp as Op) &&
  node.inputs[0].op === (rowAttentionGradientOp as Op) &&
  takersOf(node.inputs[0], lowering) !== undefined;

export const lowerRowAttentionGradient: Lower = (node, lowering) => {
  const [y, dy, ...inputs] = node.inputs;
  const { q, k, v, starts, ends } = rowInputs(inputs, node);
  const shape = shapeOf(node, q, ends);
  const { kvHeads } = attributesOf(node, rowAttentionGradientOp);
  const isTiled = attendsInTiles(node, lowering);
  const rows = countOf([q.shape[0]]);
  const dots = dotsOf(node, lowering);
  const operands: Record<string, Place> = isTiled
    ? {
        queries: tileOperand(q, "rows.along", lowering),
        queriesAcross: tileOperand(q, "rows.across", lowering),
        upstream: tileOperand(dy, "rows.along", lowering),
        upstreamAcross: tileOperand(dy, "rows.across", lowering),
        keys: tileOperand(k, "outer.along", lowering),
        keysAcross: tileOperand(k, "outer.across", lowering),
        values: tileOperand(v, "outer.along", lowering),
      }
    : {
        q: lowering.place(q),
        k: lowering.place(k),
        dy: lowering.place(dy),
        turnedKeys: turned(k, lowering),
        turnedValues: turned(v, lowering),
      };
  lowering.step({
    kernel: isTiled ? rowAttentionTilesGradientKernel(shape) : rowAttentionGradientKernel(shape),
    words: {
      ...commonWords(node, starts, ends, lowering),
      ...operands,
      rows,
      sums: sumsOf(y, lowering),
      dots,
      ...resultWords(node, lowering),
    },
    parts(extents) {
      const count = valueOf(rows, extents);
      if (count === 0) return 0;
      return Math.min((shape.bothWays ? 1 : Math.ceil(count / SHARE_ROWS)) * kvHeads, PARTS_MAX);
    },
  });
};

export const lowerRowAttentionBiasGradient: Lower = (node, lowering) => {
  const [y, dy, ...inputs] = node.inputs;
  const { q, k, v, starts, ends } = rowInputs(inputs, node);
  const shape = shapeOf(node, q, ends);
  const words = {
    ...commonWords(node, starts, ends, lowering),
    q: lowering.place(q),
    dy: lowering.place(dy),
    turnedKeys: turned(k, lowering),
    turnedValues: turned(v, lowering),
    rows: countOf([q.shape[0]]),
    sums: sumsOf(y, lowering),
    dots: dotsOf(node, lowering),
  };
  const heads = countOf([words.heads]);
  emit(lowering, node, biasGradientKernel(shape), words, { of: heads, least: 1 });
};

export const lowerRowAttentionSinkGradient: Lower = (node, lowering) => {
  const { sinks } = tablesOf(node.inputs, attributesOf(node, rowAttentionSinkGradientOp));
  const [y] = node.inputs;
  const words = {
    sums: sumsOf(y, lowering),
    dots: dotsOf(node, lowering),
    sinks: lowering.place(sinks as Tensor),
    rows: countOf([y.shape[0]]),
    heads: node.shape[0] as number,
  };
  emit(lowering, node, sinkGradientKernel, words, { of: countOf([1]), least: 1 });
};
