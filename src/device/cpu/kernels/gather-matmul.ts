// out[n] = addend[n] + x[n] T_c: f32 rows times the table that each row chooses (0: none); `choiceBytes` from one row's choice to
// the next, 0 where all rows have one. A unit is up to four rows by some
// registers of columns; rows that choose alike read a table's row together. Every output is one chain of products and sums
// over the inner size in order, whatever rows are beside it. A part is a share of the units.
import {
  type Floats,
  type Int,
  type Kernel,
  type KernelBuilder,
  type Machine,
  defineKernel,
} from "../../../lanes/index.ts";
import { FLOAT_BYTES, ceilDiv, mapFloats } from "./loops.ts";

/** Rows that are computed together. */
export const ROWS_TOGETHER = 4;
/** Registers of columns in a unit: sums of all rows, a table's row and a factor stay in registers. */
const registersOf = ({ registers }: Machine): number => (registers === 32 ? 4 : 2);

/** Columns of a unit. */
export const unitColumns = (machine: Machine): number => registersOf(machine) * machine.lanes;

const words = ["x", "tables", "choices", "choiceBytes", "addend", "out", "rows", "inner", "columns"] as const;
type Words = Readonly<Record<(typeof words)[number], Int>>;

const body =
  (hasAddend: boolean) =>
  (k: KernelBuilder, { x, tables, choices, choiceBytes, addend, out, rows, inner, columns }: Words): void => {
    const width = unitColumns(k.machine);
    const blocks = ceilDiv(columns, width);
    const rowBytes = columns.mul(FLOAT_BYTES);
    const choiceOf = (row: Int): Int => choices.add(row.mul(choiceBytes)).loadInt();

    /** `count` rows from `row` on, which all choose as the first does, by the columns of a block. */
    const compute = (row: Int, count: number, block: Int): void => {
      const choice = choiceOf(row);
      const table = tables.add(choice.max(1).sub(1).mul(inner).mul(rowBytes));
      const length = choice.equals(0).select(0, inner);
      const from = Array.from({ length: count }, (_, n) => x.add(row.add(n).mul(inner).mul(FLOAT_BYTES)));
      const at = (base: Int, n: number, column: Int): Int =>
        base.add(row.add(n).mul(rowBytes)).add(column.mul(FLOAT_BYTES));
      /** The sums of `registers` registers from `column` on, row after row. */
      const sums = (column: Int, registers: number): Floats[] => {
        const chains = from.flatMap((_, n) =>
          Array.from({ length: registers }, (_, r) =>
            k.variable(hasAddend ? at(addend, n, column).loadFloats(r * k.lanes * FLOAT_BYTES) : k.floats(0)),
          ),
        );
        const start = table.add(column.mul(FLOAT_BYTES));
        k.range(0, length, 1, (i) => {
          const tableRow = start.add(i.mul(rowBytes));
          const factors = from.map((values) => values.add(i.mul(FLOAT_BYTES)).splatFloats());
          for (let r = 0; r < registers; r++) {
            const values = tableRow.loadFloats(r * k.lanes * FLOAT_BYTES);
            for (const [n, factor] of factors.entries()) {
              const chain = chains[n * registers + r];
              chain.value = factor.madd(values, chain.value);
            }
          }
        });
        return chains.map(({ value }) => value);
      };
      const first = block.mul(width);
      const end = first.add(width);
      k.when(
        columns.less(end),
        () => {
          // the last block: register by register
          k.range(first, columns, k.lanes, (column) => {
            const found = sums(column, 1);
            for (const [n, sum] of found.entries()) {
              mapFloats(k, k.int(0), columns.sub(column).min(k.lanes), at(out, n, column), () => sum);
            }
          });
        },
        () => {
          const registers = registersOf(k.machine);
          for (const [i, sum] of sums(first, registers).entries()) {
            at(out, Math.floor(i / registers), first).store(sum, (i % registers) * k.lanes * FLOAT_BYTES);
          }
        },
      );
    };

    k.share(ceilDiv(rows, ROWS_TOGETHER).mul(blocks), (firstUnit, endUnit) => {
      k.range(firstUnit, endUnit, 1, (unit) => {
        const row = unit.div(blocks).mul(ROWS_TOGETHER);
        const block = unit.rem(blocks);
        const end = row.add(ROWS_TOGETHER).min(rows);
        const choice = choiceOf(row);
        // 1 where there are four rows and all choose alike
        const together = k.variable(end.sub(row).equals(ROWS_TOGETHER));
        k.range(row, end, 1, (other) => (together.value = together.value.and(choiceOf(other).equals(choice))));
        k.when(
          together.value,
          () => compute(row, ROWS_TOGETHER, block),
          () => k.range(row, end, 1, (one) => compute(one, 1, block)),
        );
      });
    });
  };

export const gatherMatmulKernels: Readonly<Record<"plain" | "addend", Kernel<(typeof words)[number]>>> = {
  plain: defineKernel("gatherMatmul", words, body(false)),
  addend: defineKernel("gatherMatmul.addend", words, body(true)),
};
