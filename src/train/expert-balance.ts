// What keeps a mixture's experts evenly busy while it learns. Either a loss beside the stage's own, small where rows are spread
// over experts (Shazeer et al. 2017; Fedus et al. 2021, "Switch Transformers", section 2.2), or the bias that DeepSeek V3
// selects by, which moves against what an expert had too much of (Wang et al. 2024, "Auxiliary-loss-free load balancing").
// N rows, E experts, k chosen ones, L layers of experts.
import { UsageError } from "../base/errors.ts";
import {
  type Tensor,
  add,
  assign,
  constant,
  divide,
  multiply,
  scale,
  scatterColumns,
  sign,
  state,
  subtract,
  sumAll,
  sumRows,
} from "../graph/index.ts";
import { type Model, type RowTrace, weightState } from "../models/index.ts";
import { expertChoicesTap, expertSharesTap } from "../nn/index.ts";

export interface BalanceOptions {
  /** What the loss counts beside the stage's; 0: there is none. */
  readonly balance: number;
  /** How far a step moves each expert's selection bias; 0: it stays. */
  readonly biasRate: number;
}

type Traced = Pick<RowTrace, "taps" | "trained">;

/** Of each layer of experts: how often each was chosen, (E). */
function loads({ taps }: Traced, { layers }: Pick<Model, "layers">) {
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) => {
    const [choices, shares] = [taps.get(expertChoicesTap(layer)), taps.get(expertSharesTap(layer))];
    if (choices === undefined || shares === undefined) return [];
    const load = sumRows(scatterColumns(choices, constant(1, choices.shape), shares.shape[1] as number));
    return [{ layer, load, shares }];
  });
}

function expertLoads(traced: Traced, model: Pick<Model, "family" | "layers">) {
  const found = loads(traced, model);
  if (found.length > 0) return found;
  throw new UsageError(`The model (${model.family}) has no experts to keep busy.`, {
    field: "experts",
    hint: "Leave experts out of the recipe.",
  });
}

/**
 * E Σ f_e P_e [1]: f_e is how many of k choices an expert has of a row, on average over the rows of all layers, P_e what share of a
 * row the router gives it. k where all are chosen alike. The same as transformers' `load_balancing_loss_func`.
 */
export function balanceLoss(traced: Traced, model: Pick<Model, "family" | "layers">): Tensor {
  const layers = expertLoads(traced, model);
  const total = (values: readonly Tensor[]): Tensor => values.reduce((a, b) => add(a, b));
  const [load, share] = [total(layers.map((one) => one.load)), total(layers.map((one) => sumRows(one.shares)))];
  const [{ shares }] = layers;
  const [rows, experts] = shares.shape;
  const count = scale(sumAll(constant(1, [rows, 1])), layers.length); // N L
  return divide(scale(sumAll(multiply(load, share)), experts as number), multiply(count, count));
}

/** A selection bias and what its experts were chosen in a step. */
export interface SelectionBias {
  readonly name: string;
  /** (E), of a micro-batch. */
  readonly load: Tensor;
}

/** Throws UsageError where no layer selects by a bias that training may change. */
export function selectionBiases(traced: Traced, model: Pick<Model, "family" | "layers">): SelectionBias[] {
  const found = expertLoads(traced, model).flatMap(({ layer, load }): SelectionBias[] => {
    const name = `layers.${layer}.experts.selectionBias`;
    return traced.trained.has(name) ? [{ name, load }] : [];
  });
  if (found.length > 0) return found;
  throw new UsageError(`The model (${model.family}) has no selection bias that could move.`, {
    field: "experts.biasRate",
    hint: "experts.balance keeps experts of other models busy.",
  });
}

/** Moves the bias up by `rate` where an expert was chosen less than on average, down where more. `load`: the step's (E). */
export function moveBias({ name }: SelectionBias, load: Tensor, rate: number): Tensor {
  const [experts] = load.shape as readonly number[];
  const bias = state(weightState(name), [experts], "f32");
  const mean = scale(sumAll(load), 1 / experts);
  return assign(bias, add(bias, scale(sign(subtract(mean, load)), rate)));
}
