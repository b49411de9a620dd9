// Adafactor (Shazeer and Stern 2018), as PyTorch has it: of a matrix it keeps means of squared gradients by row and by
// column alone, M + K numbers where AdamW keeps 2 M K, and no momentum.
import {
  type Tensor,
  add,
  assign,
  broadcast,
  divide,
  maximum,
  multiply,
  scale,
  sqrt,
  subtract,
  sumAll,
  sumColumns,
  sumRows,
} from "../../graph/index.ts";
import type { Optimizer, RateOptions } from "./optimizer.ts";

export interface AdafactorOptions extends RateOptions {
  /** The share by which a step's squares join the means falls as the step to this power. */
  readonly decay?: number;
  /** Length of an update, of each element on average, above which it is shortened to it. */
  readonly longest?: number;
  /** Square roots of squared gradients are no less. */
  readonly epsilon?: number;
  /** Of a weight's root mean square, which an update is in proportion to. */
  readonly least?: number;
}

const size = ({ shape }: Tensor): number => (shape as readonly number[]).reduce((a, b) => a * b, 1);
const rootMeanSquare = (x: Tensor): Tensor => sqrt(scale(sumAll(multiply(x, x)), 1 / size(x)));

/**
 * With q = t^decay: r += q (mean of g² by row - r), c += q (mean by column - c), v = r c / mean(r); of vectors v += q (g² - v).
 * u = g / max(sqrt(v), ε); w = (1 - η λ) w - min(η, 1 / sqrt(t)) max(least, rms(w)) u / max(1, rms(u) / longest).
 */
export function adafactor(options: AdafactorOptions = {}): Optimizer {
  const { decay = -0.8, longest = 1, epsilon = 2 ** -23, least = 1e-3, weightDecay = 0, rate = 1 } = options;
  return {
    name: "adafactor",
    scalars: (step, learningRate) => ({
      step: Math.min(rate * learningRate, 1 / Math.sqrt(step)),
      joins: step ** decay,
      kept: 1 - rate * learningRate * weightDecay,
    }),
    update({ weight, gradient, moment, scalar }) {
      const { shape } = weight;
      const [rows, columns] = shape as readonly number[];
      const squares = multiply(gradient, gradient);
      const moved = (part: string, value: Tensor): Tensor => {
        const known = moment(part, value.shape as readonly number[]);
        return assign(known, add(known, multiply(subtract(value, known), scalar("joins"))));
      };
      const kept: Tensor[] = [];
      let variance: Tensor;
      if (shape.length === 2) {
        const byRow = moved("rows", scale(sumColumns(squares), 1 / columns)); // (M, 1)
        const byColumn = moved("columns", scale(sumRows(squares), 1 / rows)); // (K)
        const mean = maximum(scale(sumAll(byRow), 1 / rows), epsilon);
        variance = multiply(broadcast(divide(byRow, mean), shape), byColumn);
        kept.push(byRow, byColumn);
      } else {
        variance = moved("squares", squares);
        kept.push(variance);
      }
      const update = divide(gradient, sqrt(maximum(variance, epsilon * epsilon)));
      const shortened = maximum(scale(rootMeanSquare(update), 1 / longest), 1);
      const length = divide(multiply(maximum(rootMeanSquare(weight), least), scalar("step")), shortened);
      return [...kept, assign(weight, subtract(multiply(weight, scalar("kept")), multiply(update, length)))];
    },
  };
}
