// Cross-entropy of each row's logits to a target id, in nats. Rows are weighted, added up and averaged by ops after it.
import { ShapeError } from "../../base/errors.ts";
import { type Op, type Tensor, apply } from "../tensor.ts";
import { expectShape, expectType, matrix } from "./checks.ts";

export interface CrossEntropyAttributes {
  /** ε: the target distribution is (1 - ε) onehot + ε / V (Szegedy et al. 2016). Default 0. */
  readonly labelSmoothing?: number;
  /** z: adds z (log Σ exp)² to a row's loss (Chowdhery et al. 2022, PaLM). Default 0. */
  readonly zLoss?: number;
}

function check(op: string, logits: Tensor, targets: Tensor, { labelSmoothing = 0, zLoss = 0 }: CrossEntropyAttributes) {
  const [rows] = matrix(op, "logits", logits);
  expectType(op, "logits", logits, "f32");
  expectType(op, "targets", targets, "i32");
  expectShape(op, "targets", targets, [rows]);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new ShapeError(`${op}: labelSmoothing`, labelSmoothing, "a number from 0 to below 1");
  }
  if (!(zLoss >= 0 && Number.isFinite(zLoss))) throw new ShapeError(`${op}: zLoss`, zLoss, "a number from 0 on");
  return rows;
}

/**
 * L - (1 - ε) x[t] - ε mean(x) + z L², L = log Σ_j exp(x[j]), of each row x with its target t; 0 where t < 0.
 * Inputs: logits (N, V), targets (N) i32.
 */
export const crossEntropyOp: Op<CrossEntropyAttributes> = {
  name: "crossEntropy",
  result: "fresh",
  infer([logits, targets], attributes) {
    return { shape: [check("crossEntropy", logits, targets, attributes), 1], type: "f32" };
  },
  gradient: (_, dy, [logits, targets], attributes) => [
    apply(crossEntropyGradientOp, [logits, targets, dy], attributes),
    undefined,
  ],
};

/**
 * dy ((1 + 2 z L) softmax(x) - (1 - ε) onehot(t) - ε / V), 0 where t < 0.
 * Inputs: logits (N, V), targets (N) i32, dy (N, 1).
 */
export const crossEntropyGradientOp: Op<CrossEntropyAttributes> = {
  name: "crossEntropyGradient",
  result: "fresh",
  infer([logits, targets, dy], attributes) {
    const rows = check("crossEntropyGradient", logits, targets, attributes);
    expectType("crossEntropyGradient", "dy", dy, "f32");
    expectShape("crossEntropyGradient", "dy", dy, [rows, 1]);
    return { shape: logits.shape, type: "f32" };
  },
};

/** logits (N, V), targets (N) i32 -> each row's loss (N, 1); rows whose target is negative have none. */
export const crossEntropy = (logits: Tensor, targets: Tensor, attributes: CrossEntropyAttributes = {}): Tensor =>
  apply(crossEntropyOp, [logits, targets], attributes);
