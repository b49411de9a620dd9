// Attention of a run's rows over each other, without a cache: training, and encoders. Documents lie end to end: row i
// sees rows starts[i] <= j <= i (causal), and with `ends` rows starts[i] <= j < ends[i] (both directions).
import { ShapeError, UnsupportedError } from "../../base/errors.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectDivisible, expectPositive, expectShape, expectType, matrix } from "./checks.ts";
import { columns } from "./columns.ts";
import { type ScoreTableFlags, type ScoreTables, expectTables, flagsOf, tablesOf, withTables } from "./score-tables.ts";

export interface RowAttentionAttributes extends ScoreTableFlags {
  /** Query heads H and key-value heads G; head h reads key-value head floor(h / (H / G)). */
  readonly heads: number;
  readonly kvHeads: number;
  /** Scores are q·k times this. */
  readonly scale: number;
  /** Sliding window in rows, the query's own included: i - window < j. Causal attention only. */
  readonly window?: number;
  /** Scores become cap * tanh(score / cap) before the mask (Gemma 2). */
  readonly softCap?: number;
}

/** [H*D, G*D]. */
function check(op: string, inputs: readonly Tensor[], attributes: RowAttentionAttributes): [number, number] {
  const { heads, kvHeads, scale, window, softCap } = attributes;
  const tables = tablesOf<Tensor | undefined>(inputs, attributes);
  const [q, k, v, starts, ends] = tables.others;
  const [rows, width] = matrix(op, "q", q as Tensor);
  expectDivisible(op, "q columns", width, heads);
  expectDivisible(op, "heads", heads, kvHeads);
  const kvWidth = (width / heads) * kvHeads;
  expectShape(op, "k", k as Tensor, [rows, kvWidth]);
  expectShape(op, "v", v as Tensor, [rows, kvWidth]);
  for (const [name, tensor] of Object.entries({ q, k, v })) expectType(op, name, tensor as Tensor, "f32");
  for (const [name, tensor] of Object.entries({ starts, ends })) {
    if (tensor === undefined) continue;
    expectType(op, name, tensor, "i32");
    expectShape(op, name, tensor, [rows]);
  }
  expectPositive(op, "scale", scale);
  if (window !== undefined) expectPositive(op, "window", window);
  if (window !== undefined && ends !== undefined) {
    throw new UnsupportedError(`${op}: a window of ${window} rows in both directions: expected a causal window.`);
  }
  if (softCap !== undefined) expectPositive(op, "softCap", softCap);
  const distances = expectTables(op, tables, attributes);
  if (distances !== undefined && ends !== undefined && distances % 2 === 0) {
    throw new ShapeError(`${op}: bias columns in both directions`, distances, "an odd number");
  }
  return [width, kvWidth];
}

/** Inputs: q (N, H*D), k (N, G*D), v (N, G*D), starts (N) i32, for both directions ends (N) i32; then bias and sinks. */
export const rowAttentionOp: Op<RowAttentionAttributes> = {
  name: "rowAttention",
  result: "fresh",
  infer(inputs, attributes) {
    check("rowAttention", inputs, attributes);
    return { shape: inputs[0].shape, type: "f32" };
  },
  gradient(y, dy, inputs, attributes) {
    const [q, k] = inputs.map((input) => input.shape[1] as number); // H*D, G*D
    const all = apply(rowAttentionGradientOp, [y, dy, ...inputs], attributes);
    const { others, bias, sinks } = tablesOf(inputs, attributes);
    return [
      columns(all, 0, q),
      columns(all, q, k),
      columns(all, q + k, k),
      ...others.slice(3).map(() => undefined),
      ...(bias === undefined ? [] : [apply(rowAttentionBiasGradientOp, [y, dy, ...inputs], attributes)]),
      ...(sinks === undefined ? [] : [apply(rowAttentionSinkGradientOp, [y, dy, ...inputs], attributes)]),
    ];
  },
};

function checkGradient(
  op: string,
  y: Tensor,
  dy: Tensor,
  inputs: readonly Tensor[],
  attributes: RowAttentionAttributes,
): [number, number] {
  for (const [name, tensor] of Object.entries({ y, dy })) {
    expectType(op, name, tensor, "f32");
    expectShape(op, name, tensor, inputs[0].shape);
  }
  return check(op, inputs, attributes);
}

/**
 * dq, dk and dv side by side, (N, (H + 2G) * D). With P the weights after the softmax, s the scores before the soft cap:
 * dv_j = Σ_i P_ij dy_i; dP_ij = dy_i · v_j; ds_ij = P_ij (dP_ij - dy_i · y_i) cap'(s_ij); dq_i = scale Σ_j ds_ij k_j;
 * dk_j = scale Σ_i ds_ij q_i; a key-value head adds up its query heads. Inputs: y and dy (N, H*D), then rowAttention's.
 */
export const rowAttentionGradientOp: Op<RowAttentionAttributes> = {
  name: "rowAttentionGradient",
  result: "fresh",
  infer([y, dy, ...inputs], attributes) {
    const [width, kvWidth] = checkGradient("rowAttentionGradient", y, dy, inputs, attributes);
    return { shape: [inputs[0].shape[0], width + 2 * kvWidth], type: "f32" };
  },
};

/** How the loss changes with the bias (H, B): the sum of ds_ij over the pairs of each distance. Inputs as the gradient's. */
export const rowAttentionBiasGradientOp: Op<RowAttentionAttributes> = {
  name: "rowAttentionBiasGradient",
  result: "fresh",
  infer([y, dy, ...inputs], attributes) {
    checkGradient("rowAttentionBiasGradient", y, dy, inputs, attributes);
    return { shape: (tablesOf(inputs, attributes).bias as Tensor).shape, type: "f32" };
  },
};

/** How the loss changes with the sinks (H): -Σ_i P_i dy_i · y_i with P_i the sink's share. Inputs as the gradient's. */
export const rowAttentionSinkGradientOp: Op<RowAttentionAttributes> = {
  name: "rowAttentionSinkGradient",
  result: "fresh",
  infer([y, dy, ...inputs], attributes) {
    checkGradient("rowAttentionSinkGradient", y, dy, inputs, attributes);
    return { shape: [attributes.heads], type: "f32" };
  },
};

export interface RowAttentionInputs extends ScoreTables {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  /** First row that each row sees. */
  readonly starts: Tensor;
  /** One past the last row that each row sees; without it a row sees none after itself. */
  readonly ends?: Tensor;
}

/** q (N, H*D), k and v (N, G*D), starts and ends (N) i32 -> (N, H*D). */
export function rowAttention(inputs: RowAttentionInputs, attributes: RowAttentionAttributes): Tensor {
  const { q, k, v, starts, ends } = inputs;
  const rows = ends === undefined ? [q, k, v, starts] : [q, k, v, starts, ends];
  return apply(rowAttentionOp, withTables(rows, inputs), { ...attributes, ...flagsOf(inputs) });
}
