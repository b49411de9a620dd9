// Embeddings from pairs that belong together (InfoNCE, van den Oord et al. 2018): of all passages of a batch a query is
// nearest to its own.
import {
  type Tensor,
  add,
  divide,
  logSigmoid,
  logSumExp,
  matmul,
  maximum,
  multiply,
  scale,
  sqrt,
  subtract,
  sumColumns,
} from "../../graph/index.ts";
import { type Objective, type ObjectiveInputs, type Pair, pairMeans, sumsOf } from "./objective.ts";

export interface ContrastiveOptions {
  /** Pairs of every micro-batch: each passage is wrong for all queries but one. */
  readonly pairs: number;
  readonly temperature?: number;
  /** Passages look for their queries too, and count half. */
  readonly symmetric?: boolean;
  /** Every query brings a passage that is wrong for all. */
  readonly negatives?: boolean;
}

/** Shortest length that is divided by. */
const LENGTH_LEAST = 1e-12;

/** Rows of length 1. */
const unit = (x: Tensor): Tensor => divide(x, maximum(sqrt(sumColumns(multiply(x, x))), LENGTH_LEAST));

/**
 * log Σ_j exp(q_i · d_j / T) - q_i · d_i / T: queries and passages (E, C) -> (E, 1). The sum is also over `others`, passages
 * (E, C) that belong to no query.
 */
export function infoNce({ first, second }: Pair, temperature: number, others?: Tensor): Tensor {
  const sumOver = (passages: Tensor): Tensor =>
    logSumExp(scale(matmul(first, passages, { transposeB: true }), 1 / temperature)); // of (E, E)
  const own = scale(sumColumns(multiply(first, second)), 1 / temperature);
  const all = sumOver(second);
  if (others === undefined) return subtract(all, own);
  // log(exp a + exp b) = a - log σ(a - b)
  return subtract(subtract(all, logSigmoid(subtract(all, sumOver(others)))), own);
}

/**
 * An embedding is the mean of its rows' hidden values, at length 1. Elements are pairs: `elements`, `first` (queries), and
 * with negatives `third`, 1 in rows of passages that belong to no query.
 */
export const contrastive = (options: ContrastiveOptions): Objective => {
  const { pairs, temperature = 0.05, symmetric = false, negatives = false } = options;
  return {
    name: "contrastive",
    elements: pairs,
    bothDirections: "either",
    trace(x) {
      const means = negatives ? tripleMeans(x) : pairMeans(x, x.hidden);
      const [first, second] = [unit(means.first), unit(means.second)];
      const others = "third" in means ? unit(means.third as Tensor) : undefined;
      const losses = infoNce({ first, second }, temperature, others);
      const similarity = sumColumns(multiply(first, second));
      if (!symmetric) return { losses, measures: { similarity } };
      const back = infoNce({ first: second, second: first }, temperature);
      return { losses: scale(add(losses, back), 0.5), measures: { similarity } };
    },
  };
};

/** Means over the rows of query, passage and negative; (E, C) each. */
function tripleMeans(x: ObjectiveInputs): Pair & { readonly third: Tensor } {
  const [isFirst, isThird] = [x.rows("first"), x.rows("third")];
  const mean = (isMine: Tensor): Tensor => divide(sumsOf(x, multiply(x.hidden, isMine)), sumsOf(x, isMine));
  return { first: mean(isFirst), second: mean(subtract(subtract(1, isFirst), isThird)), third: mean(isThird) };
}
