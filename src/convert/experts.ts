// Experts on their way between files: one tensor of all in GGUF, a tensor of each in folders; and what configs say of them.
import { UnsupportedError } from "../base/errors.ts";
import type { Files } from "../engine/file-store.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { expertName, expertShape, isEach } from "../models/expert-rows.ts";
import type { Model, ParameterSource, WeightRow } from "../models/index.ts";
import { formats } from "../numeric/registry.ts";
import { count } from "./entries.ts";
import type { Settings } from "./forms.ts";
import type { TensorPlan } from "./tensor-plan.ts";

/** Whether a row's tensors hold experts, or hold parameters by turns, which are taken apart. */
export const isOfExperts = ({ experts, hfTurns }: WeightRow): boolean => experts !== undefined || hfTurns !== undefined;

/** The tensors that a row of experts is written as. */
export function planExperts(
  { parameters, weightRows }: Model,
  { tensors }: Pick<Files, "tensors">,
  row: WeightRow,
  name: string,
  to: "hf" | "gguf",
): TensorPlan[] {
  const source = parameters.get(row.parameter);
  if (source === undefined) return [];
  const { experts } = row;
  if (to === "hf" && !isEach(name)) {
    const turns = weightRows.filter((other) => other.hf === name);
    const sorted = turns.sort((a, b) => (a.hfTurns?.first ?? 0) - (b.hfTurns?.first ?? 0));
    const parts = sorted.map(({ parameter }) => parameters.get(parameter)!);
    // floats that the file has as blocks, too, lie as a folder's floats do
    const { format } = tensors.get(source.pieces[0].tensor)!;
    const isTransposed = row.hfTransposed === true && formats[format].blockSize === 1;
    return [planStack(row, name, parts, isTransposed)];
  }
  if (experts === undefined) return [{ name, shape: row.shape, source, alwaysF32: true }];
  const [rows, columns] = expertShape(row);
  if (!isEach(name)) return [{ name, shape: [experts, rows, columns], source, alwaysF32: false }];
  return Array.from({ length: experts }, (_, expert) => ({
    name: expertName(name, expert),
    shape: [rows, columns],
    source: rowsOf(source, expert * rows, rows),
    alwaysF32: false,
  }));
}

/** A folder's tensor of all experts, which has the rows of `parts` (of biases: the columns) by turns. */
function planStack(row: WeightRow, name: string, parts: readonly ParameterSource[], isTransposed: boolean): TensorPlan {
  const of = parts.length;
  if (row.experts === undefined) {
    const [rows, columns] = row.shape;
    const joinedTurns = parts.map(asElements);
    const source = { vector: false, rows: of * rows * columns, columns: 1, pieces: parts[0].pieces, joinedTurns };
    return { name, shape: [rows, of * columns], source, alwaysF32: true };
  }
  const [rows, columns] = [of * expertShape(row)[0], expertShape(row)[1]];
  const shape = isTransposed ? [row.experts, columns, rows] : [row.experts, rows, columns];
  const source = {
    vector: false,
    rows: shape[0] * shape[1],
    columns: shape[2],
    pieces: parts[0].pieces,
    joinedTurns: parts,
    ...(isTransposed && { turnedMatrices: rows }),
  };
  return { name, shape, source, alwaysF32: false };
}

/** A bias of every expert, (E, F) as it lies, as E F rows of one number. */
const asElements = ({ rows, columns, pieces: [{ tensor }] }: ParameterSource): ParameterSource => ({
  vector: false,
  rows: rows * columns,
  columns: 1,
  pieces: [{ tensor, first: 0, count: rows * columns }],
  byElement: true,
});

/** Some rows of a parameter whose pieces lie as they are. */
function rowsOf({ pieces, columns }: ParameterSource, first: number, rows: number): ParameterSource {
  const own: ParameterSource["pieces"][number][] = [];
  let start = 0;
  for (const piece of pieces) {
    const [from, end] = [Math.max(first, start), Math.min(first + rows, start + piece.count)];
    if (from < end) own.push({ ...piece, first: piece.first + from - start, count: end - from });
    start += piece.count;
  }
  return { vector: false, rows, columns, pieces: own };
}

interface Counts {
  readonly experts: number;
  readonly chosen: number;
  readonly width: number;
  readonly sharedWidth: number | undefined;
  /** Layers that have none. */
  readonly plain: readonly number[];
}

/** Throws UnsupportedError where layers differ in what GGUF has one number for. */
export function countsOf({ parameters, layers, family }: Model): Counts {
  const numbers = Array.from({ length: layers }, (_, layer) => layer);
  const gateOf = (layer: number): string => `layers.${layer}.experts.gate.weight`;
  const plain = numbers.filter((layer) => !parameters.has(gateOf(layer)));
  const first = numbers.find((layer) => !plain.includes(layer));
  const gate = first === undefined ? undefined : parameters.get(gateOf(first));
  if (gate?.matrices === undefined || gate.chosen === undefined) {
    throw new UnsupportedError(`The family ${family} has experts, but no layer of this model has.`);
  }
  const { chosen } = gate;
  const other = numbers.find((layer) => (parameters.get(gateOf(layer))?.chosen ?? chosen) !== chosen);
  if (other !== undefined) {
    const found = parameters.get(gateOf(other))!.chosen;
    throw new UnsupportedError(
      `Tokens choose ${chosen} experts in layer ${first} and ${found} in layer ${other}; GGUF has one number for all.`,
    );
  }
  const shared = parameters.get(`layers.${first}.shared.gate.weight`)?.rows;
  return { experts: gate.matrices, chosen, width: gate.rows / gate.matrices, sharedWidth: shared, plain };
}

/** GGUF metadata of a mixture. */
export function expertsToGguf({ model }: Settings): [string, GgufEntry][] {
  const { experts, chosen, width, sharedWidth } = countsOf(model);
  return [
    ["expert_count", count(experts)],
    ["expert_used_count", count(chosen)],
    ["expert_feed_forward_length", count(width)],
    ...(sharedWidth === undefined
      ? []
      : [["expert_shared_feed_forward_length", count(sharedWidth)] as [string, GgufEntry]]),
  ];
}

export function mixtralToHf({ model }: Settings): Record<string, unknown> {
  const { experts, chosen } = countsOf(model);
  return { num_local_experts: experts, num_experts_per_tok: chosen };
}

export function qwenExpertsToHf({ model }: Settings): Record<string, unknown> {
  const { experts, chosen, width, sharedWidth, plain } = countsOf(model);
  return {
    num_experts: experts,
    num_experts_per_tok: chosen,
    moe_intermediate_size: width,
    ...(sharedWidth !== undefined && { shared_expert_intermediate_size: sharedWidth }),
    decoder_sparse_step: 1,
    mlp_only_layers: plain,
  };
}
