// Fills the rope inputs of a program that was traced from a model, by the names that trace.ts gives them.
import { anglesAt, ropeRows } from "../nn/index.ts";
import type { Model } from "./model.ts";

/** A program's inputs, of which it may have fewer than its model: those that nothing reads are not there. */
type Inputs = Readonly<Record<string, { readonly [index: number]: number } | undefined>>;

/**
 * The rows from `first` on get cos and sin of `positions` (N) of one sequence, which are those of `stage`
 * (nn/rope-scaling.ts: the sequence's whole length decides it). `prefix`: "source." for the inputs of an encoder.
 */
export function fillRopes(
  { ropes }: Pick<Model, "ropes">,
  inputs: Inputs,
  positions: Int32Array,
  stage: number,
  first = 0,
  prefix = "",
): void {
  for (const table of ropes) {
    const [cos, sin] = ["cos", "sin"].map((part) => inputs[`${prefix}rope.${table.name}.${part}`]);
    if (!(cos instanceof Float32Array && sin instanceof Float32Array)) continue;
    const from = first * table.frequencies.length;
    ropeRows(anglesAt(table, stage), positions, cos.subarray(from), sin.subarray(from));
  }
}
