// What a set of graphs is called with, found and checked once for every executor: the weights and states they name, the
// extents of a run, and how many weight bytes a run reads. Not here: where anything lies (each executor's business).
import { NotFoundError, ShapeError } from "../base/errors.ts";
import {
  type ExtentValues,
  type Graph,
  type Op,
  type Shape,
  type Tensor,
  attributesOf,
  expertLinearOp,
  gatherOp,
  isParameter,
  leafName,
  sameShape,
  showShape,
} from "../graph/index.ts";
import { bytesForRow } from "../numeric/registry.ts";
import type { ParameterStore, StoredParameter } from "./executor.ts";

export interface Leaves {
  /** The weights that the graphs name, as stored. */
  readonly parameters: ReadonlyMap<string, StoredParameter>;
  readonly states: ReadonlyMap<string, Tensor>;
}

/** [rows, columns] of a parameter's or a state's shape; a vector is one row. */
export function matrixShape(shape: Shape): [number, number] {
  const sizes = shape.map((size) => (typeof size === "number" ? size : undefined));
  const [rows, columns] = sizes.length === 1 ? [1, sizes[0]] : sizes;
  if (sizes.length > 2 || rows === undefined || columns === undefined) {
    throw new ShapeError("parameter or state", showShape(shape), "one or two fixed sizes");
  }
  return [rows, columns];
}

/** Bytes of a state: rows as `numeric` has them. */
export function stateBytes({ shape, type }: Tensor): number {
  const [rows, columns] = matrixShape(shape);
  return rows * bytesForRow(type === "i32" ? "f32" : type, columns);
}

/**
 * Joins the leaves of all graphs: one name is one weight or one state. Throws NotFoundError for a weight that the store
 * lacks, ShapeError where a stored weight or another graph's state has another shape.
 */
export function collectLeaves(store: Pick<ParameterStore, "parameters">, graphs: readonly Graph[]): Leaves {
  const parameters = new Map<string, StoredParameter>();
  const states = new Map<string, Tensor>();
  for (const graph of graphs) {
    for (const [name, { shape }] of graph.parameters) {
      const stored = store.parameters.get(name);
      if (stored === undefined) throw new NotFoundError(`The parameter store has no weight ${name}.`);
      const [rows, columns] = matrixShape(shape);
      if (stored.rows !== rows || stored.columns !== columns) {
        throw new ShapeError(`weight ${name}`, [stored.rows, stored.columns], [rows, columns]);
      }
      parameters.set(name, stored);
    }
    for (const [name, tensor] of graph.states) {
      const known = states.get(name) ?? tensor;
      if (known.type !== tensor.type || !sameShape(known.shape, tensor.shape)) {
        throw new ShapeError(`state ${name}`, showShape(tensor.shape), showShape(known.shape));
      }
      states.set(name, known);
    }
  }
  return { parameters, states };
}

/** Throws ShapeError unless every extent of the graph has a whole value from 0 to its bound. */
export function checkExtents(graph: Graph, values: ExtentValues): void {
  for (const [name, { bound }] of graph.extents) {
    const value = values[name];
    if (!Number.isInteger(value) || value < 0 || value > bound) {
      throw new ShapeError(`extent ${name}`, value, `a whole number from 0 to ${bound}`);
    }
  }
}

/** How many numbers, of rows or of experts, a row has. */
const choicesOf = (choices: Tensor): number => (choices.shape.length === 1 ? 1 : (choices.shape[1] as number));

/** The share of its experts' weights that a product reads for one row. */
export const expertShare = (node: Tensor): number =>
  choicesOf(node.inputs[2]) / attributesOf(node, expertLinearOp).experts;

/**
 * Weight bytes that a run over one row reads: gathered tables by one row, of experts those that a row chooses, the others
 * whole, each as often as read.
 */
export function weightBytesPerToken(graph: Graph, parameters: Leaves["parameters"]): number {
  let bytes = 0;
  for (const node of graph.nodes) {
    for (const [at, input] of node.inputs.entries()) {
      const stored = isParameter(input) ? parameters.get(leafName(input)) : undefined;
      if (stored === undefined) continue;
      const byRow = node.op === gatherOp && at === 0;
      if (byRow) bytes += bytesForRow(stored.format, stored.columns) * choicesOf(node.inputs[1]);
      else bytes += stored.byteLength * (node.op === (expertLinearOp as Op) ? expertShare(node) : 1);
    }
  }
  return bytes;
}
