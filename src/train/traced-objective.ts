// A model's forward pass and an objective over it, traced together: every input that either asks for, each once.
import { type Extent, type Size, type Tensor, crossEntropy, input, scale } from "../graph/index.ts";
import { type Model, type RowTrace, type RowTraceOptions, traceRows } from "../models/index.ts";
import type { Objective, ObjectiveInputs } from "./objectives/objective.ts";

export interface ObjectiveBounds {
  /** Most tokens of a micro-batch, and most of its rows that reach the head. */
  readonly rows: number;
  readonly targets: number;
  /** Most elements of the loss; default: as many as rows reach the head. */
  readonly elements?: number;
}

export interface ObjectiveTrace extends RowTrace {
  readonly x: ObjectiveInputs;
}

export function traceInputs(
  model: Model,
  { elements, bothDirections = false }: Pick<Objective, "elements" | "bothDirections">,
  bounds: ObjectiveBounds,
  weights: Pick<RowTraceOptions, "trains" | "adapter">,
): ObjectiveTrace {
  const traced = traceRows(model, {
    rows: bounds.rows,
    outputRows: bounds.targets,
    trains: weights.trains,
    bothDirections: bothDirections === "either" ? undefined : bothDirections,
    ...(weights.adapter !== undefined && { adapter: weights.adapter }),
  });
  const [rows] = traced.hidden.shape;
  const ofElements: Extent = { name: "elements", bound: bounds.elements ?? bounds.targets };
  const count: Size = elements ?? ofElements;
  const known = new Map<string, Tensor>();
  const once = (name: string, make: () => Tensor): Tensor => {
    const tensor = known.get(name) ?? make();
    known.set(name, tensor);
    return tensor;
  };
  const floats = (name: string, ...shape: Size[]): Tensor => once(name, () => input(name, shape, "f32"));
  const ids = (name: string): Tensor => once(name, () => input(name, [rows], "i32"));
  const x: ObjectiveInputs = {
    get logits() {
      return traced.head("logits");
    },
    hidden: traced.hidden,
    get logProbabilities() {
      return once("log-probabilities", () => scale(crossEntropy(traced.head("logits"), ids("targets")), -1));
    },
    elements: count,
    ids,
    rows: (name, columns = 1) => floats(name, rows, columns),
    each: (name) => floats(name, count, 1),
    one: (name) => floats(name, 1),
    weight: traced.weight,
  };
  return { ...traced, x };
}
