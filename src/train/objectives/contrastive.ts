// Embeddings from pairs that belong together (InfoNCE, van den Oord et al. 2018): of all passages of a batch a query is
// nearest to its own.
import {
  type Tensor,
  add,
  divide,
  logSumExp,
  matmul,
  maximum,
  multiply,
  scale,
  sqrt,
  subtract,
  sumColumns,
} from "../../graph/index.ts";
import { type Objective, type Pair, pairMeans } from "./objective.ts";

export interface ContrastiveOptions {
  /** Pairs of every micro-batch: each passage is wrong for all queries but one. */
  readonly pairs: number;
  readonly temperature?: number;
  /** Passages look for their queries too, and count half. */
  readonly symmetric?: boolean;
}

/** Shortest length that is divided by. */
const LENGTH_LEAST = 1e-12;

/** Rows of length 1. */
const unit = (x: Tensor): Tensor => divide(x, maximum(sqrt(sumColumns(multiply(x, x))), LENGTH_LEAST));

/** log Σ_j exp(q_i · d_j / T) - q_i · d_i / T: queries and passages (E, C) -> (E, 1). */
export function infoNce({ first, second }: Pair, temperature: number): Tensor {
  const scores = scale(matmul(first, second, { transposeB: true }), 1 / temperature); // (E, E)
  return subtract(logSumExp(scores), scale(sumColumns(multiply(first, second)), 1 / temperature));
}

/** An embedding is the mean of its rows' hidden values, at length 1. Elements are pairs: `elements`, `first` (queries). */
export const contrastive = ({ pairs, temperature = 0.05, symmetric = false }: ContrastiveOptions): Objective => ({
  name: "contrastive",
  elements: pairs,
  trace(x) {
    const means = pairMeans(x, x.hidden);
    const [first, second] = [unit(means.first), unit(means.second)];
    const losses = infoNce({ first, second }, temperature);
    const similarity = sumColumns(multiply(first, second));
    if (!symmetric) return { losses, measures: { similarity } };
    const back = infoNce({ first: second, second: first }, temperature);
    return { losses: scale(add(losses, back), 0.5), measures: { similarity } };
  },
});
