// The programs of training, all over the same states: `gradient` adds a micro-batch's gradients and loss to what is there,
// `norm` tells how large the gradient is, `update` changes the weights by it and empties it, `loss` only looks. So a step
// of many micro-batches is the step of one large batch, and a step that goes wrong can be left out.
import {
  type Graph,
  type Tensor,
  add,
  assign,
  crossEntropy,
  gradients,
  graph,
  input,
  multiply,
} from "../graph/index.ts";
import { constant, sqrt, state, sumAll } from "../graph/index.ts";
import { type Model, traceRows } from "../models/index.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";

export interface ProgramOptions {
  /** Most tokens of a micro-batch, and most of its rows that have a target. */
  readonly rows: number;
  readonly targets: number;
  /** Which optimizer a weight has; undefined: it is frozen. */
  readonly optimizerOf: (parameter: string, shape: Tensor["shape"]) => Optimizer | undefined;
  /** Values that the backward pass computes again instead of keeping them. */
  readonly recompute?: (value: Tensor) => boolean;
}

/** Inputs besides traceRows': `targets` (M) i32 and `weights` (M, 1) of the rows that reach the head. */
export interface TrainingGraphs {
  /** Adds to the states `gradient.<name>` and `loss.sum`. */
  readonly gradient: Graph;
  /** Outputs `losses` (M, 1), unweighted, in nats. */
  readonly loss: Graph;
  /** Output `norm` [1]: the length of all gradients together, as they have been added up. */
  readonly norm: Graph;
  /** Inputs `gradientScale` [1] and the scalars of each optimizer, `scalarInput(n, name)` [1]. */
  readonly update: Graph;
}

export interface TrainingPrograms {
  readonly graphs: TrainingGraphs;
  /** Those that weights have, each once. */
  readonly optimizers: readonly Optimizer[];
}

export const gradientState = (parameter: string): string => `gradient.${parameter}`;
export const LOSS_STATE = "loss.sum";
/** The input that has a scalar of the optimizer `n` of the list. */
export const scalarInput = (n: number, scalar: string): string => `optimizer.${n}.${scalar}`;

export function trainingPrograms(model: Model, options: ProgramOptions): TrainingPrograms {
  const shapeOf = (name: string): number[] => {
    const source = model.parameters.get(name);
    if (source === undefined) return [];
    return source.vector ? [source.columns] : [source.rows, source.columns];
  };
  const optimizers = new Map<string, Optimizer>();
  for (const name of model.parameters.keys()) {
    const optimizer = options.optimizerOf(name, shapeOf(name));
    if (optimizer !== undefined) optimizers.set(name, optimizer);
  }
  const traced = () => {
    const forward = traceRows(model, {
      rows: options.rows,
      outputRows: options.targets,
      trains: (name) => optimizers.has(name),
    });
    const [targets] = forward.logits.shape;
    return { ...forward, losses: crossEntropy(forward.logits, input("targets", [targets], "i32")), targets };
  };
  const list = [...new Set(optimizers.values())];
  return {
    graphs: {
      gradient: gradientGraph(traced(), options),
      loss: graph({ losses: traced().losses }),
      ...updateGraphs(optimizers, list, shapeOf),
    },
    optimizers: list,
  };
}

type Traced = ReturnType<typeof traceRows> & { readonly losses: Tensor; readonly targets: Tensor["shape"][number] };

function gradientGraph({ losses, targets, trained }: Traced, { recompute }: ProgramOptions): Graph {
  const loss = sumAll(multiply(losses, input("weights", [targets, 1], "f32")));
  const weights = [...trained.values()];
  const found = gradients(loss, weights, recompute === undefined ? {} : { recompute });
  const effects = [...trained.keys()].map((name, i) => {
    const sum = state(gradientState(name), weights[i].shape, "f32");
    return assign(sum, add(sum, found[i]));
  });
  const sum = state(LOSS_STATE, [1], "f32");
  return graph({}, [...effects, assign(sum, add(sum, loss))]);
}

function updateGraphs(
  optimizers: ReadonlyMap<string, Optimizer>,
  list: readonly Optimizer[],
  shapeOf: (name: string) => number[],
): Pick<TrainingGraphs, "norm" | "update"> {
  const squares = [...optimizers.keys()].map((name) => {
    const sum = state(gradientState(name), shapeOf(name), "f32");
    return sumAll(multiply(sum, sum));
  });
  const norm = graph({ norm: sqrt(squares.reduce((a, b) => add(a, b))) });

  const inputs = new Map<string, Tensor>();
  const scalar = (name: string): Tensor => {
    const known = inputs.get(name) ?? input(name, [1], "f32");
    inputs.set(name, known);
    return known;
  };
  const effects = [...optimizers].flatMap(([name, optimizer]) => {
    const shape = shapeOf(name);
    const sum = state(gradientState(name), shape, "f32");
    const moments = new Map<string, Tensor>();
    const changed = optimizer.update({
      name,
      weight: state(`weights.${name}`, shape, "f32"),
      gradient: multiply(sum, scalar("gradientScale")),
      moment: (part, its = shape) => {
        const known = moments.get(part) ?? state(`optimizer.${name}.${part}`, its, "f32");
        moments.set(part, known);
        return known;
      },
      scalar: (part) => scalar(scalarInput(list.indexOf(optimizer), part)),
    });
    return [...changed, assign(sum, constant(0, shape))];
  });
  const lossSum = state(LOSS_STATE, [1], "f32");
  return { norm, update: graph({}, [...effects, assign(lossSum, constant(0, [1]))]) };
}
