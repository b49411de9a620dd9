// The programs of training, all over the same states: `gradient` adds a micro-batch's gradients and loss to what is there,
// `norm` tells how large the gradient is, `update` changes the weights by it and empties it, `loss` only looks. So a step
// of many micro-batches is the step of one large batch, and a step that goes wrong can be left out.
import { type Graph, type Tensor, add, assign, broadcast, changing, constant } from "../graph/index.ts";
import { gradients, graph, input, multiply, scale, sqrt, state, sumAll } from "../graph/index.ts";
import { type BalanceOptions, type SelectionBias, balanceLoss, moveBias, selectionBiases } from "./expert-balance.ts";
import { type Model, type WeightOptions, weightState } from "../models/index.ts";
import { type LoraSettings, lora } from "../nn/index.ts";
import { nextToken } from "./objectives/next-token.ts";
import type { Objective } from "./objectives/objective.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { type RolloutBounds, rolloutGraphs, rolloutLayout } from "./rollouts.ts";
import { type ObjectiveBounds, traceInputs } from "./traced-objective.ts";

export interface ProgramOptions extends ObjectiveBounds {
  /** What is learnt; default: the next token. */
  readonly objective?: Objective;
  /** Trained beside weights that are frozen. */
  readonly adapter?: LoraSettings;
  /** Which optimizer a weight has, be it the model's, an adapter's or the objective's own; undefined: it is frozen. */
  readonly optimizerOf: (parameter: string, shape: readonly number[]) => Optimizer | undefined;
  /** Values that the backward pass computes again instead of keeping them. */
  readonly recompute?: (value: Tensor) => boolean;
  /** What keeps a mixture's experts evenly busy; absent: nothing. */
  readonly balance?: BalanceOptions;
  /** How many replies are drawn from the model at once, of what length; absent: none is. */
  readonly rollouts?: RolloutBounds;
}

/** Inputs besides traceRows' and the objective's: `weights` (E, 1), what each element of the loss counts. */
export interface TrainingGraphs {
  /** Adds to the states `gradient.<name>`, `loss.sum` and `measure.<name>`. */
  readonly gradient: Graph;
  /** Outputs `losses` and the objective's measures, (E, 1) each, unweighted, and what it says of rows, (M, 1). */
  readonly loss: Graph;
  /** Output `norm` [1]: the length of all gradients together, as they have been added up. */
  readonly norm: Graph;
  /** Inputs `gradientScale` [1] and the scalars of each optimizer, `scalarInput(n, name)` [1]. */
  readonly update: Graph;
  /** Where replies are drawn (rollouts.ts): prompts are read, and one token of each reply. */
  readonly rolloutPrompt?: Graph;
  readonly rolloutDecode?: Graph;
}

export interface TrainingPrograms {
  readonly objective: Objective;
  readonly graphs: TrainingGraphs;
  /** The weights that are trained, by name: those that have an optimizer and that the loss depends on. */
  readonly trained: ReadonlyMap<string, Tensor>;
  /** Those that weights have, each once. */
  readonly optimizers: readonly Optimizer[];
  /** Names of what is averaged besides the loss, and of what is said of rows. */
  readonly measures: readonly string[];
  readonly rows: readonly string[];
}

export const gradientState = (parameter: string): string => `gradient.${parameter}`;
export const measureState = (measure: string): string => `measure.${measure}`;
export const LOSS_STATE = "loss.sum";
/** The measure of how unevenly experts are chosen. */
const BALANCE = "balance";
/** Whether a state is empty between two steps. */
export const isSum = (name: string): boolean => name === LOSS_STATE || /^(gradient|measure)\./.test(name);
/** The input that has a scalar of the optimizer `n` of the list. */
export const scalarInput = (n: number, scalar: string): string => `optimizer.${n}.${scalar}`;

export function trainingPrograms(model: Model, options: ProgramOptions): TrainingPrograms {
  const { objective = nextToken(), adapter, optimizerOf, recompute, rollouts, balance } = options;
  const isBalanced = (balance?.balance ?? 0) > 0;
  const leaves: WeightOptions = {
    trains: (name, shape) => optimizerOf(name, shape) !== undefined,
    ...(adapter !== undefined && { adapter: (weight) => lora(adapter, weight) }),
  };
  const trace = () => {
    const { x, trained, taps } = traceInputs(model, objective, options, leaves);
    const { losses, measures = {}, rows = {} } = objective.trace(x);
    const balanceOf = (): Tensor => broadcast(balanceLoss({ taps, trained }, model), losses.shape);
    return { losses, measures: { ...measures, ...(isBalanced && { [BALANCE]: balanceOf() }) }, rows, trained, taps };
  };
  const forward = trace();
  const weights = input("weights", forward.losses.shape, "f32");
  const sums = new Map([[LOSS_STATE, forward.losses]]);
  for (const [name, values] of Object.entries(forward.measures)) sums.set(measureState(name), values);
  const totals = new Map([...sums].map(([name, values]) => [name, sumAll(multiply(values, weights))]));
  const [told, unevenness] = [LOSS_STATE, measureState(BALANCE)].map((name) => totals.get(name));
  const loss = isBalanced ? add(told!, scale(unevenness!, balance!.balance)) : told!;
  const biases = (balance?.biasRate ?? 0) > 0 ? selectionBiases(forward, model) : [];
  const changed = new Set(changing(loss, [...forward.trained.values()]));
  const trained = new Map([...forward.trained].filter(([, weight]) => changed.has(weight)));
  const optimizers = new Map([...trained].map(([name, { shape }]) => [name, optimizerOf(name, shape as number[])!]));
  const list = [...new Set(optimizers.values())];
  const looked = trace();
  return {
    objective,
    graphs: {
      gradient: gradientGraph(loss, totals, trained, biases, recompute),
      loss: graph({ losses: looked.losses, ...looked.measures, ...looked.rows }),
      norm: normGraph(trained),
      update: updateGraph({ trained, optimizers, list, sums: [...sums.keys()], biases, biasRate: balance?.biasRate }),
      ...(rollouts !== undefined && rolloutGraphs(model, rolloutLayout(model, rollouts), leaves)),
    },
    trained,
    optimizers: list,
    measures: Object.keys(forward.measures),
    rows: Object.keys(forward.rows),
  };
}

function gradientGraph(
  loss: Tensor,
  totals: ReadonlyMap<string, Tensor>,
  trained: ReadonlyMap<string, Tensor>,
  biases: readonly SelectionBias[],
  recompute: ProgramOptions["recompute"],
): Graph {
  const weights = [...trained.values()];
  const found = gradients(loss, weights, recompute === undefined ? {} : { recompute });
  const added = (name: string, value: Tensor): Tensor => {
    const sum = state(name, value.shape, "f32");
    return assign(sum, add(sum, value));
  };
  const ofWeights = [...trained.keys()].map((name, i) => added(gradientState(name), found[i]));
  const ofValues = [...totals].map(([name, value]) => added(name, value));
  const loads = biases.map(({ name, load }) => added(gradientState(name), load));
  return graph({}, [...ofWeights, ...ofValues, ...loads]);
}

function normGraph(trained: ReadonlyMap<string, Tensor>): Graph {
  const squares = [...trained].map(([name, { shape }]) => {
    const sum = state(gradientState(name), shape, "f32");
    return sumAll(multiply(sum, sum));
  });
  return graph({ norm: sqrt(squares.reduce((a, b) => add(a, b))) });
}

interface Update {
  readonly trained: ReadonlyMap<string, Tensor>;
  readonly optimizers: ReadonlyMap<string, Optimizer>;
  /** Each of them once. */
  readonly list: readonly Optimizer[];
  /** States that are emptied. */
  readonly sums: readonly string[];
  readonly biases: readonly SelectionBias[];
  readonly biasRate: number | undefined;
}

function updateGraph({ trained, optimizers, list, sums, biases, biasRate = 0 }: Update): Graph {
  const inputs = new Map<string, Tensor>();
  const scalar = (name: string): Tensor => {
    const known = inputs.get(name) ?? input(name, [1], "f32");
    inputs.set(name, known);
    return known;
  };
  const effects = [...optimizers].flatMap(([name, optimizer]) => {
    const { shape } = trained.get(name) as Tensor & { readonly shape: readonly number[] };
    const sum = state(gradientState(name), shape, "f32");
    const moments = new Map<string, Tensor>();
    const changed = optimizer.update({
      name,
      weight: state(weightState(name), shape, "f32"),
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
  const emptied = sums.map((name) => assign(state(name, [1], "f32"), constant(0, [1])));
  const moved = biases.flatMap((bias) => {
    const load = state(gradientState(bias.name), bias.load.shape, "f32");
    return [moveBias(bias, load, biasRate), assign(load, constant(0, load.shape))];
  });
  return graph({}, [...effects, ...emptied, ...moved]);
}
