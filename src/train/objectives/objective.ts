// What a stage learns: a loss, written in ops over what a forward pass gives and what its data brings along. Predicting the
// next token is the simplest; no other differs but in what it reads. Shape letters: M rows that reach the head, E elements
// of the loss (tokens, answers or pairs: what its mean is over), V vocabulary, C width.
// Not here: the programs that are made of it (programs.ts), where its inputs come from (the stage's data).
import { type Size, type Tensor, divide, multiply, scatterAddRows, subtract } from "../../graph/index.ts";

export interface Objective {
  readonly name: string;
  /** Elements of every micro-batch, where the loss compares each with all others; absent: any number. */
  readonly elements?: number;
  /** Rows see all of their document; "either": or what is before them, as the model was made. Left out: what is before them. */
  readonly bothDirections?: boolean | "either";
  trace(x: ObjectiveInputs): Losses;
}

/** What an objective is written in. A batch has an array for each input that is asked for, by its name. */
export interface ObjectiveInputs {
  /** (M, V); throws UnsupportedError where the model has no head for them. */
  readonly logits: Tensor;
  /** (M, C): after the final norm, what the head reads. */
  readonly hidden: Tensor;
  /** Natural logarithm of the probability of each row's id in the input `targets`, (M, 1). */
  readonly logProbabilities: Tensor;
  /** E where each row is not an element of its own. */
  readonly elements: Size;
  /** Input: ids or numbers of elements, one for each row; (M) i32. */
  ids(name: string): Tensor;
  /** Input: numbers of each row; (M, columns), default (M, 1). */
  rows(name: string, columns?: number): Tensor;
  /** Input: a number of each element; (E, 1). */
  each(name: string): Tensor;
  /** Input: one number; [1]. */
  one(name: string): Tensor;
  /** A weight of the objective's own, trained or not like any other. */
  weight(name: string, shape: readonly number[]): Tensor;
}

export interface Losses {
  /** (E, 1): what the step makes smaller, averaged by the batch's weights. */
  readonly losses: Tensor;
  /** (E, 1) each: averaged the same way, to be looked at. */
  readonly measures?: Readonly<Record<string, Tensor>>;
  /** What the model says of each row without the objective's own inputs: log-probabilities, values. */
  readonly rows?: Readonly<Record<string, Tensor>>;
}

/** The sum over each element's rows, which input `elements` tells: (M, K) -> (E, K). */
export const sumsOf = (x: ObjectiveInputs, values: Tensor): Tensor =>
  scatterAddRows(x.ids("elements"), values, x.elements);

/** (E, K) each. */
export interface Pair {
  /** The chosen answer; the query. */
  readonly first: Tensor;
  /** The rejected answer; the passage. */
  readonly second: Tensor;
}

/** Where elements are pairs: sums over the rows of each member, `first` being 1 in the rows of the first, else 0. */
export function pairSums(x: ObjectiveInputs, values: Tensor): Pair {
  const isFirst = x.rows("first");
  const first = sumsOf(x, multiply(values, isFirst));
  return { first, second: sumsOf(x, multiply(values, subtract(1, isFirst))) };
}

/** The same, each sum divided by the member's rows. */
export function pairMeans(x: ObjectiveInputs, values: Tensor): Pair {
  const isFirst = x.rows("first");
  const [sums, rows] = [pairSums(x, values), sumsOf(x, isFirst)];
  const others = sumsOf(x, subtract(1, isFirst));
  return { first: divide(sums.first, rows), second: divide(sums.second, others) };
}
