// Patterns of ops that each class of programs looks for: decode-fusion.ts, prompt-fusion.ts, and the table for what these
// leave. All ask here, so that nobody leaves out a value that another reads.
import {
  type ActivationName,
  type BinaryName,
  type Op,
  type Tensor,
  activationFunctions,
  attributesOf,
  binaryOp,
  dotPartsOp,
  expertLinearOp,
  gatherColumnsOp,
  isParameter,
  linearOp,
  matmulOp,
  mixPartsOp,
  scatterColumnsOp,
  spreadPartsOp,
  topColumnsOp,
  unaryOp,
} from "../../graph/index.ts";
import type { Lowering } from "./lowering.ts";
import { noKernel } from "./no-kernel.ts";

export const isBinary = (node: Tensor, kind: BinaryName): boolean =>
  node.op === (binaryOp as Op) && attributesOf(node, binaryOp).kind === kind;
/** Whether this is a product whose second operand is computed or a state. */
export const isProduct = (node: Tensor): boolean =>
  node.op === (matmulOp as Op) || (node.op === linearOp && !isParameter(node.inputs[1]));
/** Whether this product's second operand is a file's weight as it is packed. */
export const isByWeight = (product: Tensor): boolean =>
  isParameter(product.inputs[1]) && transpositionOf(product) !== "b";
const choosing: ReadonlySet<Op<never>> = new Set<Op<never>>([
  topColumnsOp,
  gatherColumnsOp,
  scatterColumnsOp,
  mixPartsOp,
  spreadPartsOp,
  dotPartsOp,
]);
/** Whether a value is one that mixtures of experts have and other models have not. */
export const isOfExperts = (node: Tensor): boolean => isExpertProduct(node) || choosing.has(node.op);
/** Whether this is a product by weights of a file of which each row chooses some. */
export const isExpertProduct = (node: Tensor): boolean =>
  node.op === (expertLinearOp as Op) && isParameter(node.inputs[1]);
/** The operand of a product that lies transposed. */
export function transpositionOf(product: Tensor): "a" | "b" | undefined {
  if (product.op === linearOp) return "b";
  const { transposeA = false, transposeB = false } = attributesOf(product, matmulOp);
  return transposeA ? "a" : transposeB ? "b" : undefined;
}
/** Whether this is a function that a product or a gate can compute on its way. */
export const isUnary = (node: Tensor): boolean =>
  node.op === (unaryOp as Op) && attributesOf(node, unaryOp).kind in activationFunctions;
/** Throws UnsupportedError for a function that has no kernel. */
export function unaryKind(node: Tensor): ActivationName {
  const { kind } = attributesOf(node, unaryOp);
  if (isUnary(node)) return kind as ActivationName;
  throw noKernel(`the function ${kind}`);
}

/** f(x) * other, whose multiplication computes f on its way. */
export interface Gate {
  readonly x: Tensor;
  /** f(x). */
  readonly activation: Tensor;
  readonly other: Tensor;
}

/** What `node` is, where it multiplies an activation that nobody else reads: of two the first. */
export function gateOf(node: Tensor, lowering: Lowering): Gate | undefined {
  if (!isBinary(node, "multiply")) return undefined;
  const activation = node.inputs.find((input) => isUnary(input) && lowering.onlyReader(input) === node);
  if (activation === undefined) return undefined;
  const other = node.inputs[node.inputs[0] === activation ? 1 : 0];
  return { x: activation.inputs[0], activation, other };
}

/** Whether a multiplication computes this value on its way. */
export function isGateActivation(node: Tensor, lowering: Lowering): boolean {
  const reader = lowering.onlyReader(node);
  return reader !== undefined && gateOf(reader, lowering)?.activation === node;
}
