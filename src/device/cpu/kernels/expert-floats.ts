// Products with chosen experts whose weights are f32 rows, what training has: W x, Wᵀ y and the sums of y xᵀ by expert. Each
// output is one chain of products and sums in an order that no other row changes. A part is a share of the units.
import {
  type Floats,
  type Int,
  type Kernel,
  type KernelBuilder,
  type Machine,
  defineKernel,
} from "../../../lanes/index.ts";
import { taskAt, taskCount } from "./group-rows.ts";
import { FLOAT_BYTES, ceilDiv, laneNumbers, mapFloats } from "./loops.ts";

/** Rows, and outputs of W x, that are computed together. */
const TOGETHER = 4;
/** Outputs of W x in a unit. */
export const UNIT_OUTPUTS = 16;
/** Registers of columns in a unit of the other two. */
const registersOf = ({ registers }: Machine): number => (registers === 32 ? 4 : 2);
export const unitColumns = (machine: Machine): number => registersOf(machine) * machine.lanes;

const at = (base: Int, i: Int): Int => base.add(i.mul(FLOAT_BYTES));

/** x: rows that `shared` choices read; weight (experts * outer, inner); out (choices, outer). */
export const expertLinearKernel = defineKernel(
  "expert.linear.floats",
  ["x", "weight", "out", "tasks", "order", "shared", "outer", "inner"],
  (k, { x, weight, out, tasks, order, shared, outer, inner }) => {
    const units = ceilDiv(outer, UNIT_OUTPUTS);
    const [whole, lanes] = [inner.and(-k.lanes), laneNumbers(k)];
    k.share(taskCount(tasks).mul(units), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const { expert, rows, choice } = taskAt({ tasks, order }, unit.div(units));
        const firstOutput = unit.rem(units).mul(UNIT_OUTPUTS);
        const endOutput = firstOutput.add(UNIT_OUTPUTS).min(outer);
        k.range(0, rows, TOGETHER, (row) => {
          // past the last row it is computed once more, and stored in the same place
          const choices = Array.from({ length: TOGETHER }, (_, r) => choice(row.add(r).min(rows.sub(1))));
          const sources = choices.map((number) => at(x, number.div(shared).mul(inner)));
          k.range(firstOutput, endOutput, 1, (output) => {
            const from = at(weight, expert.mul(outer).add(output).mul(inner));
            const sums = sources.map(() => k.variable(k.floats(0)));
            const add = (i: Int, mask: (values: Floats) => Floats): void => {
              const weights = mask(at(from, i).loadFloats());
              for (const [r, source] of sources.entries()) {
                sums[r].value = mask(at(source, i).loadFloats()).madd(weights, sums[r].value);
              }
            };
            k.range(0, whole, k.lanes, (i) => add(i, (values) => values));
            k.when(whole.less(inner), () => {
              const isThere = lanes.less(inner.sub(whole).toFloat().splat());
              add(whole, (values) => isThere.selectFloats(values, 0));
            });
            for (const [r, number] of choices.entries()) {
              at(out, number.mul(outer).add(output)).store(sums[r].value.sum());
            }
          });
        });
      });
    });
  },
);

/** Rows that are summed: where each one's factors are, and where it goes. */
interface Sums {
  readonly count: Int;
  /** Address of row `row`'s factor of term `i`. */
  readonly factor: (row: Int) => (i: Int) => Int;
  readonly out: (row: Int) => Int;
  readonly terms: { readonly first: Int; readonly end: Int; readonly row: (i: Int) => Int };
}

/** out[row] = Σ factor(row, i) · row(i), of the columns of one block; rows four at a time. */
function sumRows(k: KernelBuilder, { count, factor, out, terms }: Sums, block: Int, columns: Int): void {
  const width = unitColumns(k.machine);
  const sums = (row: Int, column: Int, registers: number) => {
    const numbers = Array.from({ length: TOGETHER }, (_, r) => row.add(r).min(count.sub(1)));
    const factors = numbers.map(factor);
    const chains = numbers.map(() => k.variables(registers, k.floats(0)));
    k.range(terms.first, terms.end, 1, (i) => {
      const from = at(terms.row(i), column);
      const values = factors.map((of) => of(i).splatFloats());
      for (let n = 0; n < registers; n++) {
        const term = from.loadFloats(n * k.lanes * FLOAT_BYTES);
        for (const [r, value] of values.entries()) chains[r][n].value = value.madd(term, chains[r][n].value);
      }
    });
    return numbers.map((number, r) => ({ to: at(out(number), column), values: chains[r].map(({ value }) => value) }));
  };
  const first = block.mul(width);
  k.range(0, count, TOGETHER, (row) => {
    k.when(
      columns.less(first.add(width)),
      () => {
        k.range(first, columns, k.lanes, (column) => {
          for (const { to, values } of sums(row, column, 1)) {
            mapFloats(k, k.int(0), columns.sub(column).min(k.lanes), to, () => values[0]);
          }
        });
      },
      () => {
        for (const { to, values } of sums(row, first, registersOf(k.machine))) {
          for (const [n, value] of values.entries()) to.store(value, n * k.lanes * FLOAT_BYTES);
        }
      },
    );
  });
}

/** y (choices, outer), weight (experts * outer, inner); out (choices, inner). */
export const expertTransposedKernel = defineKernel(
  "expert.transposed.floats",
  ["y", "weight", "out", "tasks", "order", "outer", "inner"],
  (k, { y, weight, out, tasks, order, outer, inner }) => {
    const blocks = ceilDiv(inner, unitColumns(k.machine));
    k.share(taskCount(tasks).mul(blocks), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const { expert, rows, choice } = taskAt({ tasks, order }, unit.div(blocks));
        const matrix = at(weight, expert.mul(outer).mul(inner));
        const sums: Sums = {
          count: rows,
          factor: (row) => {
            const from = at(y, choice(row).mul(outer));
            return (i) => at(from, i);
          },
          out: (row) => at(out, choice(row).mul(inner)),
          terms: { first: k.int(0), end: outer, row: (i) => at(matrix, i.mul(inner)) },
        };
        sumRows(k, sums, unit.rem(blocks), inner);
      });
    });
  },
);

/** Rows of a matrix that a unit of `expertProductsKernel` computes. */
export const UNIT_ROWS = 16;

/**
 * y (choices, outer), x: rows that `shared` choices read; out (experts * outer, inner), zero where nobody chose an expert.
 * starts: where each expert's choices begin in `order`.
 */
export const expertProductsKernel: Kernel = defineKernel(
  "expert.products.floats",
  ["y", "x", "out", "starts", "order", "shared", "experts", "outer", "inner"],
  (k, { y, x, out, starts, order, shared, experts, outer, inner }) => {
    const blocks = ceilDiv(inner, unitColumns(k.machine));
    const groups = ceilDiv(outer, UNIT_ROWS);
    const choice = (i: Int): Int => at(order, i).loadInt();
    k.share(experts.mul(groups).mul(blocks), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const group = unit.div(blocks);
        const [expert, firstRow] = [group.div(groups), group.rem(groups).mul(UNIT_ROWS)];
        const [from, to] = [at(starts, expert).loadInt(), at(starts, expert).loadInt(FLOAT_BYTES)];
        const sums: Sums = {
          count: outer.sub(firstRow).min(UNIT_ROWS),
          factor: (row) => (i) => at(y, choice(i).mul(outer).add(firstRow).add(row)),
          out: (row) => at(out, expert.mul(outer).add(firstRow).add(row).mul(inner)),
          terms: { first: from, end: to, row: (i) => at(x, choice(i).div(shared).mul(inner)) },
        };
        sumRows(k, sums, unit.rem(blocks), inner);
      });
    });
  },
);
