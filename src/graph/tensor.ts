// Traced tensors: a forward pass builds values that remember which op made them from what. `graph()` collects what the
// named outputs need. Ends at ops: knows no kernel, no buffer, no number format of a stored weight.
import { ShapeError } from "../base/errors.ts";
import { type Extent, type Shape, showShape } from "./shape.ts";

/**
 * What a state's elements may be. Of quantized ones a row is blocks of 32 columns, each with a scale, as `numeric` has them:
 * what is written is rounded to that.
 */
export const stateTypes = ["f32", "f16", "q8_0", "q4_0"] as const;
export type StateType = (typeof stateTypes)[number];
export type QuantizedType = Extract<StateType, `q${string}`>;
/** Columns of a quantized state's block. */
export const STATE_BLOCK_COLUMNS = 32;
export const isQuantized = (type: StateType): type is QuantizedType => type.startsWith("q");

/** What a value's elements are. How a parameter is stored (f16, q4_k, ...) is the parameter store's business. */
export type ElementType = StateType | "i32";

export interface TensorType {
  readonly shape: Shape;
  readonly type: ElementType;
}

/** One kind of computation. `A` holds its attributes: plain data, part of the program's identity. */
export interface Op<A extends object = object> {
  readonly name: string;
  /** Where the result lives; an `alias` op returns a new version of its first input, in the same place. */
  readonly result: "leaf" | "fresh" | "alias";
  /** The result's type; throws ShapeError when the inputs do not fit. */
  infer(inputs: readonly Tensor[], attributes: A): TensorType;
  /**
   * How a loss changes with each input, given `dy`, how it changes with the result `y`: the chain rule, written in ops.
   * `undefined` for an input that no gradient reaches, such as ids. An op without it cannot be differentiated.
   */
  gradient?(y: Tensor, dy: Tensor, inputs: readonly Tensor[], attributes: A): readonly (Tensor | undefined)[];
}

/** A traced value. Immutable; compare by identity. */
export class Tensor implements TensorType {
  static #created = 0;
  /** Creation order, which is a topological order. */
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attributes: object;
  readonly shape: Shape;
  readonly type: ElementType;

  constructor(op: Op, inputs: readonly Tensor[], attributes: object, { shape, type }: TensorType) {
    this.id = Tensor.#created++;
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.shape = shape;
    this.type = type;
  }
}

/** Applies an op to traced inputs: the one way a Tensor is made. */
export function apply<A extends object>(op: Op<A>, inputs: readonly Tensor[], attributes: A): Tensor {
  return new Tensor(op, inputs, attributes, op.infer(inputs, attributes));
}

/** Attributes of `tensor`, typed by the op that made it; throws when another op did. */
export function attributesOf<A extends object>(tensor: Tensor, op: Op<A>): A {
  if (tensor.op !== (op as Op)) throw new ShapeError("attributesOf", tensor.op.name, op.name);
  return tensor.attributes as A;
}

/** A traced computation: what runs, in order, and what it is called from outside. */
export interface Graph {
  /** Every tensor the outputs need, in topological order. */
  readonly nodes: readonly Tensor[];
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Leaves by name. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly states: ReadonlyMap<string, Tensor>;
  readonly tables: ReadonlyMap<string, Tensor>;
  /** Extents that occur, by name. */
  readonly extents: ReadonlyMap<string, Extent>;
}

interface LeafAttributes {
  readonly name: string;
}

const leaf = (name: string): Op<LeafAttributes & TensorType> => ({
  name,
  result: "leaf",
  infer: (_, { shape, type }) => ({ shape, type }),
});

const parameterOp = leaf("parameter");
const inputOp = leaf("input");
const stateOp = leaf("state");
const tableOp = leaf("table") as Op<LeafAttributes & TensorType & { readonly values: TableValues }>;

/** Numbers of a table, row by row. */
export type TableValues = Float32Array | Int32Array;

/** A named weight, read-only; its bytes come from a parameter store. */
export const parameter = (name: string, shape: Shape): Tensor => apply(parameterOp, [], { name, shape, type: "f32" });
/** A named array that every run sets. */
export const input = (name: string, shape: Shape, type: ElementType): Tensor =>
  apply(inputOp, [], { name, shape, type });
/** A named array that lasts from run to run; written only by alias ops (`writeRows`, `assign`). */
export const state = (name: string, shape: Shape, type: ElementType): Tensor =>
  apply(stateOp, [], { name, shape, type });

/** A named array whose numbers are known when it is traced: slopes, buckets of distances, sines of positions. */
export function table(name: string, shape: readonly number[], values: TableValues): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (values.length !== count) throw new ShapeError(`table ${name}`, values.length, `${count} numbers`);
  return apply(tableOp, [], { name, shape, type: values instanceof Int32Array ? "i32" : "f32", values });
}

/** The numbers of a table. */
export const tableValues = (tensor: Tensor): TableValues => attributesOf(tensor, tableOp).values;

/** The name of a leaf. */
export const leafName = (tensor: Tensor): string => (tensor.attributes as LeafAttributes).name;
export const isParameter = (tensor: Tensor): boolean => tensor.op === (parameterOp as Op);
export const isInput = (tensor: Tensor): boolean => tensor.op === (inputOp as Op);
export const isTable = (tensor: Tensor): boolean => tensor.op === (tableOp as Op);
export const isState = (tensor: Tensor): boolean => tensor.op === (stateOp as Op);

/**
 * Collects what `outputs` and `effects` need: effects are states' new versions, written though no output reads them.
 * Throws ShapeError when one name stands for two leaves or two bounds, or when a value is
 * read after an alias op has replaced it: only the new version is still there.
 */
export function graph(outputs: Readonly<Record<string, Tensor>>, effects: readonly Tensor[] = []): Graph {
  const reached = new Set<Tensor>();
  for (const { op } of effects)
    if (op.result !== "alias") throw new ShapeError("graph: effect", op.name, "an alias op");
  const pending = [...Object.values(outputs), ...effects];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (reached.has(tensor)) continue;
    reached.add(tensor);
    pending.push(...tensor.inputs);
  }
  const nodes = [...reached].sort((a, b) => a.id - b.id);
  const replacedBy = new Map<Tensor, Tensor>();
  for (const node of nodes) {
    const stale = node.inputs.find((input) => replacedBy.has(input));
    if (stale !== undefined) {
      throw new ShapeError(`${node.op.name} reads a ${stale.op.name}`, "one already overwritten", "its newest version");
    }
    if (node.op.result === "alias") replacedBy.set(node.inputs[0], node);
  }
  const extents = new Map<string, Extent>();
  for (const size of nodes.flatMap((node) => node.shape)) {
    if (typeof size === "number") continue;
    const known = extents.get(size.name);
    if (known !== undefined && known.bound !== size.bound) {
      throw new ShapeError(`extent ${size.name}`, size.bound, known.bound);
    }
    extents.set(size.name, size);
  }
  const leaves = (is: (tensor: Tensor) => boolean): Map<string, Tensor> => {
    const byName = new Map<string, Tensor>();
    for (const node of nodes.filter(is)) {
      const name = leafName(node);
      if (byName.has(name)) throw new ShapeError(`leaf ${name}`, showShape(node.shape), "one tensor of that name");
      byName.set(name, node);
    }
    return byName;
  };
  return {
    nodes,
    outputs,
    parameters: leaves(isParameter),
    inputs: leaves(isInput),
    states: leaves(isState),
    tables: leaves(isTable),
    extents,
  };
}
