// out = f(a · b + bias) + residual in f32: operands in the forms of gemm-pack-floats.ts. A unit is up to 12 panels of rows
// by 8 of outputs, whose sums wait in scratch between blocks of columns; in each block a panel of outputs stays in the
// first cache level while all panels of rows meet it. Every output is one chain of products and sums over the columns in
// order, so its bytes depend on nothing beside it. A part is a share of the units.
import { type Int, type Kernel, type KernelBuilder, type Machine, defineKernel } from "../../../lanes/index.ts";
import {
  type Activation,
  GEMM_TAIL_BYTES,
  type GemmUnit,
  type GemmValues,
  type GemmWord,
  OUTER_PANEL,
  activations,
  eachUnit,
  finishRows,
  gemmWords,
} from "./gemm-outputs.ts";
import { BLOCK, type Lie, OUTER_PANEL_BYTES, ROW_PANEL, ROW_PANEL_BYTES, rowStrides } from "./gemm-pack-floats.ts";
import { FLOAT_BYTES, ceilDiv } from "./loops.ts";

/** The most panels that a unit takes: its block of both operands and its sums stay in the second cache level. */
export const FLOAT_UNIT_ROWS = 12;
export const FLOAT_UNIT_OUTER = 8;

const SUM_ROW_BYTES = OUTER_PANEL * FLOAT_BYTES;
const SUMS_BYTES = ROW_PANEL * SUM_ROW_BYTES;
const OUTER_BYTES = OUTER_PANEL * FLOAT_BYTES;

export const GEMM_FLOAT_SCRATCH_BYTES = GEMM_TAIL_BYTES + FLOAT_UNIT_ROWS * FLOAT_UNIT_OUTER * SUMS_BYTES;

/** Registers of outputs that are multiplied at once. */
const REGISTERS = 2;
/** Rows whose sums, with a column of weights and one number of the row, fill the registers that there are. */
const rowsAtOnce = ({ registers }: Machine): number => (registers === 32 ? 12 : 6);
/** Columns that one turn of the inner loop takes. */
const TURN = 4;

interface Operands {
  readonly a: Int;
  readonly b: Int;
  readonly sums: Int;
  readonly columns: Int;
  /** 0 in the first block, whose sums begin at zero. */
  readonly block: Int;
}

/** Adds a block's products to the sums of some rows and registers. */
function multiply(k: KernelBuilder, lie: Lie, { a, b, sums, columns, block }: Operands): void {
  const stride = rowStrides[lie];
  const registerBytes = k.lanes * FLOAT_BYTES;
  const values = Array.from({ length: rowsAtOnce(k.machine) }, () => k.variables(REGISTERS, k.floats(0)));
  const eachSum = (use: (sum: (typeof values)[number][number], at: number) => void): void =>
    values.forEach((row, r) => row.forEach((sum, n) => use(sum, r * SUM_ROW_BYTES + n * registerBytes)));
  k.when(block, () => eachSum((sum, at) => (sum.value = sums.loadFloats(at))));
  const turn = (column: Int, count: number): void => {
    const [from, outer] = [a.add(column.mul(stride.column)), b.add(column.mul(OUTER_BYTES))];
    for (let c = 0; c < count; c++) {
      const outputs = Array.from({ length: REGISTERS }, (_, n) =>
        outer.loadFloats(c * OUTER_BYTES + n * registerBytes),
      );
      for (const [r, row] of values.entries()) {
        const value = from.splatFloats(r * stride.row + c * stride.column);
        for (const [n, sum] of row.entries()) sum.value = value.madd(outputs[n], sum.value);
      }
    }
  };
  const whole = columns.and(-TURN);
  k.range(0, whole, TURN, (column) => turn(column, TURN));
  k.range(whole, columns, 1, (column) => turn(column, 1));
  eachSum((sum, at) => sums.store(sum.value, at));
}

/** Multiplies a panel of rows and one of outputs: some rows and registers at a time, all where there are 32 registers. */
function multiplyPanels(k: KernelBuilder, lie: Lie, operands: Operands): void {
  const rows = rowsAtOnce(k.machine);
  const width = REGISTERS * k.lanes * FLOAT_BYTES;
  k.range(0, ROW_PANEL, rows, (row) => {
    k.range(0, OUTER_BYTES, width, (side) => {
      multiply(k, lie, {
        ...operands,
        a: operands.a.add(row.mul(rowStrides[lie].row)),
        b: operands.b.add(side),
        sums: operands.sums.add(row.mul(SUM_ROW_BYTES)).add(side),
      });
    });
  });
}

function computeUnit(k: KernelBuilder, w: GemmValues, lie: Lie, activation: Activation, unit: GemmUnit): void {
  const { firstRows, rowCount, firstOuter, outerCount } = unit;
  const [rowPanels, outerPanels] = [ceilDiv(w.rows, ROW_PANEL), ceilDiv(w.outer, OUTER_PANEL)];
  const blocks = ceilDiv(w.columns, BLOCK);
  k.range(0, blocks, 1, (block) => {
    const columns = w.columns.sub(block.mul(BLOCK)).min(BLOCK);
    const isLast = block.equals(blocks.sub(1));
    k.range(0, outerCount, 1, (n) => {
      const panel = firstOuter.add(n);
      const b = w.b.add(block.mul(outerPanels).add(panel).mul(OUTER_PANEL_BYTES));
      k.range(0, rowCount, 1, (m) => {
        const rowPanel = firstRows.add(m);
        const a = w.a.add(block.mul(rowPanels).add(rowPanel).mul(ROW_PANEL_BYTES));
        const sums = k.scratch.add(n.mul(FLOAT_UNIT_ROWS).add(m).mul(SUMS_BYTES)).add(GEMM_TAIL_BYTES);
        multiplyPanels(k, lie, { a, b, sums, columns, block });
        k.when(isLast, () => finish(k, w, activation, sums, rowPanel.mul(ROW_PANEL), panel.mul(OUTER_PANEL)));
      });
    });
  });
}

function finish(k: KernelBuilder, w: GemmValues, activation: Activation, sums: Int, firstRow: Int, outer: Int): void {
  const end = firstRow.add(ROW_PANEL).min(w.rows);
  finishRows(k, w, activation, {
    first: firstRow,
    end,
    outer,
    sums(row) {
      const from = sums.add(row.sub(firstRow).mul(SUM_ROW_BYTES));
      return Array.from({ length: OUTER_PANEL / k.lanes }, (_, n) => from.loadFloats(n * k.lanes * FLOAT_BYTES));
    },
  });
}

const kernelOf = (lie: Lie, activation: Activation): Kernel<GemmWord> =>
  defineKernel(`gemm.f32.${lie}.${activation}`, gemmWords, (k, w) => {
    eachUnit(k, w, ROW_PANEL, (unit) => computeUnit(k, w, lie, activation, unit));
  });

const each = (lie: Lie) =>
  Object.fromEntries(activations.map((name) => [name, kernelOf(lie, name)])) as Record<Activation, Kernel<GemmWord>>;

/** By how the first operand lies in its panels, and the activation. */
export const gemmFloatKernels = { along: each("along"), across: each("across") } as const satisfies Record<
  Lie,
  unknown
>;
