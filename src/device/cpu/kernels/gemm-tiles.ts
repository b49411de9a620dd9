// out = f(a · b + bias) + residual with tile registers: operands rounded to bf16 in the form of gemm-pack-tiles.ts, sums in
// f32. A unit is up to 512 rows by 256 outputs: block by block of columns and panel by panel of outputs, which stays in
// the first cache level while all panels of rows meet it; sums wait in scratch between blocks. A part is a share of the
// units. Sums of the panel before are finished in pieces between the products of the next, which then cost nothing.
import { type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import {
  type Activation,
  GEMM_TAIL_BYTES,
  type GemmUnit,
  type GemmValues,
  type GemmWord,
  OUTER_PANEL,
  activations,
  ceilDiv,
  eachUnit,
  finishRow,
  gemmWords,
} from "./gemm-outputs.ts";
import { paddedColumns } from "./gemm-pack-tiles.ts";
import { SLOT_STEPS, multiply } from "./linear-tiles.ts";
import { SUMS_BYTES, UNIT_ROW_PANELS, sumsOfRow } from "./tile-shapes.ts";
import { BLOCK_STEPS, PANEL_ROWS, STEP_BYTES, TILE_BYTES, panelAt, stepsOf } from "./tiles.ts";

/** The most panels that a unit takes: its sums stay in the second cache level beside a block of both operands. */
export const TILE_UNIT_ROWS = UNIT_ROW_PANELS;
export const TILE_UNIT_OUTER = 8;

export const GEMM_TILE_SCRATCH_BYTES = GEMM_TAIL_BYTES + TILE_UNIT_ROWS * TILE_UNIT_OUTER * SUMS_BYTES;

function computeUnit(k: KernelBuilder, w: GemmValues, activation: Activation, unit: GemmUnit): void {
  const { firstRows, rowCount, firstOuter, outerCount } = unit;
  const columns = paddedColumns(w.columns);
  const [rowPanels, outerPanels] = [ceilDiv(w.rows, PANEL_ROWS), ceilDiv(w.outer, OUTER_PANEL)];
  const blocks = ceilDiv(w.columns, BLOCK_STEPS * 32);
  const sumsAt = (n: Int, m: Int): Int =>
    k.scratch.add(n.mul(TILE_UNIT_ROWS).add(m).mul(SUMS_BYTES)).add(GEMM_TAIL_BYTES);
  const finish = (n: Int, m: Int, first: Int, end: Int): void => {
    const firstRow = firstRows.add(m).mul(PANEL_ROWS);
    const sums = sumsAt(n, m);
    k.range(first, end.min(w.rows.sub(firstRow)), 1, (row) => {
      const from = sumsOfRow(sums, row);
      const values = [from.loadFloats(), from.loadFloats(TILE_BYTES)];
      finishRow(k, w, activation, firstRow.add(row), firstOuter.add(n).mul(OUTER_PANEL), values);
    });
  };
  k.range(0, blocks, 1, (block) => {
    const steps = stepsOf(columns, block);
    const isLast = block.equals(blocks.sub(1));
    const rowsOfSlot = ceilDiv(k.int(PANEL_ROWS), ceilDiv(steps, SLOT_STEPS));
    const a = panelAt(w.a, rowPanels, columns, block, firstRows);
    k.range(0, outerCount, 1, (n) => {
      const weights = panelAt(w.b, outerPanels, columns, block, firstOuter.add(n));
      k.range(0, rowCount, 1, (m) => {
        const x = a.add(m.mul(steps).mul(STEP_BYTES));
        const finishesOther = isLast.and(k.int(0).less(m));
        multiply(k, { x, weights, sums: sumsAt(n, m), steps, isLater: block }, (slot) => {
          k.when(finishesOther, () => {
            const row = slot.mul(rowsOfSlot);
            finish(n, m.sub(1), row, row.add(rowsOfSlot).min(PANEL_ROWS));
          });
        });
      });
      k.when(isLast, () => finish(n, rowCount.sub(1), k.int(0), k.int(PANEL_ROWS)));
    });
  });
}

const kernelOf = (activation: Activation): Kernel<GemmWord> =>
  defineKernel(`gemm.tiles.${activation}`, gemmWords, (k, w) => {
    eachUnit(k, w, PANEL_ROWS, (unit) => computeUnit(k, w, activation, unit));
  });

/** By the activation. */
export const gemmTileKernels = Object.fromEntries(activations.map((name) => [name, kernelOf(name)])) as Record<
  Activation,
  Kernel<GemmWord>
>;
