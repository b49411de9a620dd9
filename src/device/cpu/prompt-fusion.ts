// Which values of a prompt program are computed on the way of others: f(gate x) * up x in one step, f(up x) and a residual
// by the product that they are computed of or added to, a norm by the packing of what products read. Here: the patterns. What steps they
// become: lower-prompt.ts.
import { type Op, type Tensor, linearOp, rmsNormOp } from "../../graph/index.ts";
import { GROUP_ROWS } from "./packed-layouts.ts";
import { columnsOf, weightOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { type Gate, gateOf, isBinary, isUnary } from "./patterns.ts";
import { type PromptProductNode, isPartOfAdapted, productAt } from "./prompt-adapters.ts";
import { isPromptLinear, promptProduct } from "./prompt-class.ts";

/** product + residual. */
export interface ResidualProduct {
  /** With an adapter or without. */
  readonly product: Tensor;
  readonly residual: Tensor;
}

/**
 * f(W x) * (V x), of two weights of one format, where nobody else reads the products and only products in the form in
 * which it is given read `node`.
 */
export function gatedProduct(node: Tensor, lowering: Lowering): Gate | undefined {
  const gate = gateOf(node, lowering);
  return gate !== undefined && isProductGate(gate, node, lowering) ? gate : undefined;
}

function isProductGate({ x, activation, other }: Gate, node: Tensor, lowering: Lowering): boolean {
  const [left, right] = [x, other].map((value) => productAt(value, lowering));
  if (left === undefined || right === undefined || left.linear.inputs[0] !== right.linear.inputs[0]) return false;
  if (left.adapter?.choice !== right.adapter?.choice || rankOf(left) !== rankOf(right)) return false;
  if (left.linear.inputs.length > 2 || right.linear.inputs.length > 2) return false; // biases
  if (lowering.onlyReader(x) !== activation || lowering.onlyReader(other) !== node) return false;
  const [first, second] = [left, right].map(({ linear }) => weightOf(linear.inputs[1], lowering));
  if (first.packed !== second.packed || first.outer % (2 * GROUP_ROWS) !== 0) return false;
  const { form } = promptProduct(left.linear.inputs[1], lowering);
  return form === "f32" || isReadAs(node, form, lowering);
}

const rankOf = ({ adapter }: PromptProductNode): number => (adapter === undefined ? 0 : columnsOf(adapter.low));

/** The product that `node` is a function of, where nobody else reads it. */
export function activatedProduct(node: Tensor, lowering: Lowering): Tensor | undefined {
  if (!isUnary(node)) return undefined;
  const [product] = node.inputs;
  const isProduct = productAt(product, lowering) !== undefined;
  return isProduct && lowering.onlyReader(product) === node ? product : undefined;
}

/** Whether all who read a value are products that read it in this form, and what is computed with these. */
export function isReadAs(value: Tensor, form: "int8" | "tiles", lowering: Lowering): boolean {
  const readers = lowering.readers(value);
  return (
    readers !== undefined &&
    readers.every((reader) => {
      if (reader.inputs[0] !== value) return false;
      if (!isPromptLinear(reader)) return form === "tiles" && isPartOfAdapted(reader, lowering);
      return promptProduct(reader.inputs[1], lowering).form === form;
    })
  );
}

/** What `node` is, where it adds something to a product that nobody else reads: to the later one, if both are. */
export function residualProduct(node: Tensor, lowering: Lowering): ResidualProduct | undefined {
  if (!isBinary(node, "add")) return undefined;
  const products = node.inputs.filter(
    (input) => lowering.onlyReader(input) === node && productAt(input, lowering) !== undefined,
  );
  const product = products.reduce<Tensor | undefined>((a, b) => (a === undefined || b.id > a.id ? b : a), undefined);
  if (product === undefined) return undefined;
  return { product, residual: node.inputs[0] === product ? node.inputs[1] : node.inputs[0] };
}

/** Whether a norm is made by what brings activations to a form, because only products that read that form read it. */
export const isPackedNorm = (node: Tensor, lowering: Lowering): boolean =>
  node.op === (rmsNormOp as Op) &&
  node.inputs[1].shape[0] === columnsOf(node) &&
  (isReadAs(node, "tiles", lowering) || isReadAs(node, "int8", lowering));

/** Whether a product's step, or an adapter's beside it, is emitted where another value is computed. */
export function isFusedProduct(node: Tensor, lowering: Lowering): boolean {
  if (isPartOfAdapted(node, lowering)) return true;
  if (node.op !== linearOp && productAt(node, lowering) === undefined) return false;
  const reader = lowering.onlyReader(node);
  if (reader === undefined) return false;
  const multiplied = isUnary(reader) ? lowering.onlyReader(reader) : reader;
  const gated = multiplied === undefined ? undefined : gatedProduct(multiplied, lowering);
  if (gated !== undefined) return gated.x === node || gated.other === node;
  return activatedProduct(reader, lowering) === node || residualProduct(reader, lowering)?.product === node;
}
