// Products with the matrices that rows choose: one matrix after the other, each row of it decoded once and met by all who
// chose it; sums are f64.
import { ShapeError } from "../../base/errors.ts";
import { expertLinearOp, expertProductsOp, expertTransposedOp } from "../../graph/index.ts";
import { type Pacer, evaluation } from "./evaluation.ts";
import { Matrix, type Rows } from "./rows.ts";

/** A choice: row n's, its j-th. */
interface Choice {
  readonly n: number;
  readonly j: number;
}

/** Calls `use` for each matrix that somebody chose, with the choices in order. */
async function eachExpert(
  choices: Rows,
  experts: number,
  pacer: Pacer,
  use: (expert: number, chosen: readonly Choice[]) => Promise<void>,
): Promise<void> {
  const chosen = Array.from({ length: experts }, (): Choice[] => []);
  for (let n = 0; n < choices.rows; n++) {
    for (let j = 0; j < choices.columns; j++) {
      const expert = choices.row(n)[j];
      if (expert < 0 || expert >= experts) throw new ShapeError("choice of an expert", expert, `0 to ${experts - 1}`);
      chosen[expert].push({ n, j });
    }
  }
  for (const [expert, list] of chosen.entries()) {
    if (pacer.due()) await pacer.giveWay();
    if (list.length > 0) await use(expert, list);
  }
}

/** What a choice has of its row: all of it, or a part of `columns` columns. */
function partOf(x: Rows, { n, j }: Choice, columns: number): Float64Array {
  const first = x.columns === columns ? 0 : j * columns;
  return Float64Array.from({ length: columns }, (_, i) => x.row(n)[first + i]);
}

export const expertLinear = evaluation(expertLinearOp, async ([x, weight, choices], { experts }, pacer, size) => {
  const out = Matrix.zeros(size.rows, size.columns);
  const outer = weight.rows / experts;
  await eachExpert(choices, experts, pacer, async (expert, chosen) => {
    const parts = chosen.map((choice) => partOf(x, choice, weight.columns));
    for (let m = 0; m < outer; m++) {
      if (pacer.due()) await pacer.giveWay();
      const reached = weight.reach?.(expert * outer + m, (expert + 1) * outer);
      if (reached !== undefined) await reached;
      const row = weight.row(expert * outer + m);
      for (const [i, { n, j }] of chosen.entries()) {
        let sum = 0;
        for (let k = 0; k < row.length; k++) sum += row[k] * parts[i][k];
        out.row(n)[j * outer + m] = sum;
      }
    }
  });
  return out;
});

export const expertTransposed = evaluation(
  expertTransposedOp,
  async ([y, weight, choices], { experts }, pacer, size) => {
    const out = Matrix.zeros(size.rows, size.columns);
    const outer = weight.rows / experts;
    await eachExpert(choices, experts, pacer, async (expert, chosen) => {
      for (let m = 0; m < outer; m++) {
        if (pacer.due()) await pacer.giveWay();
        const row = weight.row(expert * outer + m);
        for (const { n, j } of chosen) {
          const [value, first] = [y.row(n)[j * outer + m], j * row.length];
          for (let k = 0; k < row.length; k++) out.row(n)[first + k] += value * row[k];
        }
      }
    });
    return out;
  },
);

export const expertProducts = evaluation(expertProductsOp, async ([y, x, choices], { experts, inner }, pacer, size) => {
  const out = Matrix.zeros(size.rows, size.columns);
  const outer = size.rows / experts;
  await eachExpert(choices, experts, pacer, async (expert, chosen) => {
    for (const choice of chosen) {
      if (pacer.due()) await pacer.giveWay();
      const [left, right] = [partOf(y, choice, outer), partOf(x, choice, inner)];
      for (let m = 0; m < outer; m++) {
        const sums = out.row(expert * outer + m);
        for (let k = 0; k < inner; k++) sums[k] += left[m] * right[k];
      }
    }
  });
  return out;
});
