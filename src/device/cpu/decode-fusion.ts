// Which values of a graph's decode class are computed together: products over the same activations in one step, with what
// is done to their sums (a gate, an activation, a residual), and norms with the residual before them. Here: the patterns.
// What steps they become: lower-decode.ts.
import { type Op, type Tensor, bound, isParameter, linearOp, rmsNormOp } from "../../graph/index.ts";
import type { Core } from "./kernels/core.ts";
import type { Epilogue } from "./kernels/linear-decode.ts";
import { decodedCores } from "./kernels/core-decoded.ts";
import { floatCores } from "./kernels/core-float.ts";
import { int8Cores } from "./kernels/core-int8.ts";
import { normRowsScratch } from "./kernels/norm-rows.ts";
import { isFloatFormat } from "./kernels/packed-blocks.ts";
import { SCRATCH_BYTES } from "./layout.ts";
import { columnsOf, weightOf } from "./lower-common.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";
import { type Gate, gateOf, isBinary, isExpertProduct, isGateActivation, isUnary, unaryKind } from "./patterns.ts";

/** Products over one x, and what becomes of their sums. */
export interface ProductUnit {
  readonly kind: "product";
  readonly linears: readonly Tensor[];
  readonly epilogue: Epilogue;
  /** One for each product; of a gate, one. */
  readonly results: readonly Tensor[];
  /** What is added to the sums. */
  readonly residual?: Tensor;
}

/** sum = other + norm(x), then a norm of the sum; each of the three may be missing, not all. */
export interface RowUnit {
  readonly kind: "rows";
  readonly before?: Tensor;
  readonly sum?: Tensor;
  readonly after?: Tensor;
}

export type Unit = ProductUnit | RowUnit;

/** By value: the unit that computes it, and whether the unit's step is emitted in its place. */
export type Units = ReadonlyMap<Tensor, { readonly unit: Unit; readonly isPlace: boolean }>;

export const isDecode = (node: Tensor): boolean => node.shape.length === 2 && bound(node.shape[0]) <= DECODE_ROWS;
const isDecodeLinear = (node: Tensor): boolean => node.op === linearOp && isDecode(node) && isParameter(node.inputs[1]);
/** A norm over whole rows. */
const isRowNorm = (node: Tensor): boolean =>
  node.op === (rmsNormOp as Op) &&
  isDecode(node) &&
  isParameter(node.inputs[1]) &&
  node.inputs[1].shape[0] === columnsOf(node) &&
  normRowsScratch(columnsOf(node)) <= SCRATCH_BYTES;

/** What multiplies by a weight: by its format and the precision asked for. */
export function coreOf(linear: Tensor, lowering: Lowering): Core {
  const { packed } = weightOf(linear.inputs[1], lowering);
  if (isFloatFormat(packed)) return floatCores[packed];
  return (lowering.options.precision === "fast" ? int8Cores : decodedCores)[packed];
}

/** How a product of the decode class reads its activations. */
export const readsRounded = (linear: Tensor, lowering: Lowering): boolean =>
  coreOf(linear, lowering) === int8Cores[coreOf(linear, lowering).format as keyof typeof int8Cores];

/** In which forms a value is read: as f32, as int8 blocks. */
export function formsOf(value: Tensor, lowering: Lowering): { readonly floats: boolean; readonly rounded: boolean } {
  const readers = lowering.readers(value);
  if (readers === undefined) return { floats: true, rounded: false };
  const rounded = readers.map(
    (reader) =>
      (isDecodeLinear(reader) || isExpertProduct(reader)) &&
      reader.inputs.indexOf(value) === 0 &&
      readsRounded(reader, lowering),
  );
  return { floats: rounded.includes(false), rounded: rounded.includes(true) };
}

export function decodeUnits(lowering: Lowering): Units {
  const units = new Map<Tensor, { unit: Unit; isPlace: boolean }>();
  const { nodes } = lowering.graph;
  const add = (unit: Unit, place: Tensor, members: readonly Tensor[]): void => {
    for (const member of members) units.set(member, { unit, isPlace: member === place });
  };
  const isFree = (node: Tensor): boolean => !units.has(node);
  for (const node of nodes) {
    const found = gateOfProducts(node, lowering);
    if (found === undefined) continue;
    const { x, activation, other } = found;
    const epilogue = { kind: "gate", by: unaryKind(activation) } as const;
    const unit = { kind: "product", linears: [x, other], epilogue, results: [node] } as const;
    add(unit, node, [x, activation, other, node]);
  }
  for (const node of nodes) {
    const products = node.inputs.filter((x) => isDecodeLinear(x) && isFree(x) && lowering.onlyReader(x) === node);
    const linear = products.at(-1);
    if (linear === undefined) continue;
    const unit = { kind: "product", linears: [linear], results: [node] } as const;
    if (isBinary(node, "add")) {
      const residual = node.inputs[0] === linear ? node.inputs[1] : node.inputs[0];
      add({ ...unit, epilogue: { kind: "add" }, residual }, node, [linear, node]);
    } else if (isUnary(node) && !isGateActivation(node, lowering)) {
      add({ ...unit, epilogue: { kind: "map", by: unaryKind(node) } }, node, [linear, node]);
    }
  }
  const groups = new Map<string, Tensor[]>();
  for (const node of nodes.filter((linear) => isDecodeLinear(linear) && isFree(linear))) {
    const [x, , bias] = node.inputs;
    // a step stands in the first one's place, where a bias that is computed may not be there yet
    const isAlone = bias !== undefined && !isParameter(bias);
    const key = `${x.id} ${readsRounded(node, lowering)} ${isAlone ? node.id : ""}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  for (const linears of groups.values()) {
    add({ kind: "product", linears, epilogue: { kind: "none" }, results: linears }, linears[0], linears);
  }
  for (const sum of nodes.filter((node) => isBinary(node, "add") && isDecode(node) && isFree(node))) {
    const before = sum.inputs.find((x) => isRowNorm(x) && isFree(x) && lowering.onlyReader(x) === sum);
    const after = (lowering.readers(sum) ?? []).find((reader) => isRowNorm(reader) && isFree(reader));
    const others = [before, after].filter((node) => node !== undefined);
    if (others.length === 0) continue;
    const unit: RowUnit = { kind: "rows", sum, ...(before && { before }), ...(after && { after }) };
    add(unit, sum, [sum, ...others]);
  }
  for (const after of nodes.filter((node) => isRowNorm(node) && isFree(node))) {
    if (formsOf(after, lowering).rounded) add({ kind: "rows", after }, after, [after]);
  }
  return units;
}

/** f(W x) * (V x), where both products read x in one form and nobody else reads them. */
function gateOfProducts(node: Tensor, lowering: Lowering): Gate | undefined {
  const gate = gateOf(node, lowering);
  if (gate === undefined) return undefined;
  const { x, activation, other } = gate;
  if (!isDecodeLinear(x) || !isDecodeLinear(other) || x.inputs[0] !== other.inputs[0]) return undefined;
  if (lowering.onlyReader(x) !== activation || lowering.onlyReader(other) !== node) return undefined;
  return readsRounded(x, lowering) === readsRounded(other, lowering) ? gate : undefined;
}
