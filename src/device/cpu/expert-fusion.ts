// Which products with chosen experts are computed together: the two of a gate, f(gate x) * up x, in one step, given as the
// next product reads it. Here: the patterns. What steps they become: lower-experts.ts.
import { type Tensor, bound } from "../../graph/index.ts";
import { isDecode, readsRounded } from "./decode-fusion.ts";
import { weightOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { GROUP_ROWS } from "./packed-layouts.ts";
import { type Gate, gateOf, isExpertProduct } from "./patterns.ts";
import { promptForm } from "./prompt-class.ts";

/** Outputs of each expert. */
export const outputsOf = (product: Tensor): number =>
  (product.shape[1] as number) / (product.inputs[2].shape[1] as number);

/** Whether all choices of a row read the same columns. */
export const sharesRows = (product: Tensor, lowering: Lowering): boolean =>
  product.inputs[0].shape[1] === weightOf(product.inputs[1], lowering).columns;

/** f(W x) * (V x) of products that choose alike, where nobody else reads them. */
export function expertGate(node: Tensor, lowering: Lowering): Gate | undefined {
  const gate = gateOf(node, lowering);
  if (gate === undefined) return undefined;
  const { x, activation, other } = gate;
  if (!isExpertProduct(x) || !isExpertProduct(other)) return undefined;
  if (x.inputs[0] !== other.inputs[0] || x.inputs[2] !== other.inputs[2]) return undefined;
  if (lowering.onlyReader(x) !== activation || lowering.onlyReader(other) !== node) return undefined;
  if (isDecode(node)) return readsRounded(x, lowering) === readsRounded(other, lowering) ? gate : undefined;
  const [first, second] = [x, other].map((product) => weightOf(product.inputs[1], lowering));
  if (first.packed !== second.packed || outputsOf(x) % (2 * GROUP_ROWS) !== 0) return undefined;
  const { form } = promptForm(x.inputs[1], lowering);
  return form === "f32" || isReadAs(node, x.inputs[2], form, lowering) ? gate : undefined;
}

/** Whether all who read a value are products that choose alike, each its own part, and read it in this form. */
function isReadAs(value: Tensor, choices: Tensor, form: string, lowering: Lowering): boolean {
  const readers = lowering.readers(value) ?? [];
  return (
    readers.length > 0 &&
    readers.every(
      (reader) =>
        isExpertProduct(reader) &&
        reader.inputs[0] === value &&
        reader.inputs[2] === choices &&
        !sharesRows(reader, lowering) &&
        promptForm(reader.inputs[1], lowering).form === form,
    )
  );
}

/** Whether a value is computed where the gate that it belongs to is. */
export function isOfExpertGate(node: Tensor, lowering: Lowering): boolean {
  let reader = lowering.onlyReader(node);
  for (let i = 0; i < 2 && reader !== undefined; i++, reader = lowering.onlyReader(reader)) {
    const gate = expertGate(reader, lowering);
    if (gate !== undefined) return [gate.x, gate.activation, gate.other].includes(node);
  }
  return false;
}

export const rowsBound = (product: Tensor): number => bound(product.shape[0]);
