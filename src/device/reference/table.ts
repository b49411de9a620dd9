// Op name → evaluation: one row for each op that the reference knows, which is every op there is.
import { attention } from "./attention.ts";
import { blockMax } from "./block-max.ts";
import { columns, joinColumns, padColumns } from "./columns.ts";
import { gatherColumns, scatterColumns, topColumns } from "./choices.ts";
import { crossEntropy, crossEntropyGradient } from "./cross-entropy.ts";
import { binary, constant, scale, unary } from "./elementwise.ts";
import type { Evaluation } from "./evaluation.ts";
import { expertLinear, expertProducts, expertTransposed } from "./experts.ts";
import { gatherMatmul } from "./gather-matmul.ts";
import { linear } from "./linear.ts";
import { matmul } from "./matmul.ts";
import { layerNorm, layerNormGradient, normGainGradient, rmsNorm, rmsNormGradient } from "./norm.ts";
import { dotParts, mixParts, spreadParts } from "./parts.ts";
import { rope } from "./rope.ts";
import {
  rowAttention,
  rowAttentionBiasGradient,
  rowAttentionGradient,
  rowAttentionSinkGradient,
} from "./row-attention.ts";
import { assign, gather, scatterAddRows, writeRows } from "./rows-ops.ts";
import { logSumExp, softmax } from "./softmax.ts";
import { broadcast, sumAll, sumColumns, sumRows } from "./sums.ts";
import { transpose } from "./transpose.ts";

const rows = [
  assign,
  attention,
  binary,
  blockMax,
  broadcast,
  columns,
  joinColumns,
  constant,
  crossEntropy,
  crossEntropyGradient,
  dotParts,
  expertLinear,
  expertProducts,
  expertTransposed,
  gather,
  gatherColumns,
  gatherMatmul,
  layerNorm,
  linear,
  logSumExp,
  matmul,
  mixParts,
  padColumns,
  rmsNorm,
  rmsNormGradient,
  layerNormGradient,
  normGainGradient,
  rope,
  rowAttention,
  rowAttentionBiasGradient,
  rowAttentionGradient,
  rowAttentionSinkGradient,
  scale,
  scatterAddRows,
  scatterColumns,
  spreadParts,
  softmax,
  sumAll,
  sumColumns,
  sumRows,
  topColumns,
  transpose,
  unary,
  writeRows,
];

export const evaluations: ReadonlyMap<string, Evaluation> = new Map(rows.map((row) => [row.op.name, row]));
