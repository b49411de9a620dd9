// out = f(a · b + bias) + residual with tile registers: operands rounded to bf16 in the form of gemm-pack-tiles.ts, sums in
// f32. A unit is up to 512 rows by 256 outputs: block by block of columns and panel by panel of outputs, which stays in
// the first cache level while all panels of rows meet it; sums wait in scratch between blocks. A part is a share of the
// units. Sums of one panel of rows are finished in pieces between the products of the next: tiles then wait for memory
// alone, which takes the outputs.
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
  finishRows,
  gemmWords,
} from "./gemm-outputs.ts";
import { paddedColumns } from "./gemm-pack-tiles.ts";
import { multiplyStep, sumInTiles } from "./linear-tiles.ts";
import { SUMS_BYTES, UNIT_ROW_PANELS, sumsOfRow } from "./tile-shapes.ts";
import { BLOCK_COLUMNS, PANEL_ROWS, STEP_BYTES, TILE_BYTES, TILE_ROW_BYTES, panelAt, stepsOf } from "./tiles.ts";

/** The most panels that a unit takes: its sums stay in the second cache level beside a block of both operands. */
export const TILE_UNIT_ROWS = UNIT_ROW_PANELS;
export const TILE_UNIT_OUTER = 8;

export const GEMM_TILE_SCRATCH_BYTES = GEMM_TAIL_BYTES + TILE_UNIT_ROWS * TILE_UNIT_OUTER * SUMS_BYTES;

/** Lines of the next panel of outputs that are brought nearer in each step: a block of it while 16 panels of rows pass. */
const PREFETCHED_LINES = STEP_BYTES / TILE_ROW_BYTES / TILE_UNIT_ROWS;

interface Operands {
  readonly rows: Int;
  readonly outputs: Int;
  readonly sums: Int;
  readonly steps: Int;
  /** 0 in the first block, whose sums begin at zero. */
  readonly block: Int;
}

/** Adds a block's products to the sums; after those of each step `between(step)`. */
function multiply(k: KernelBuilder, operands: Operands, between: (step: Int) => void): void {
  const { rows, outputs, sums, steps, block } = operands;
  sumInTiles(k, sums, block, () => {
    k.range(0, steps, 1, (step) => {
      const at = step.mul(STEP_BYTES);
      multiplyStep(k, rows.add(at), outputs.add(at));
      between(step);
    });
  });
}

function computeUnit(k: KernelBuilder, w: GemmValues, activation: Activation, unit: GemmUnit): void {
  const { firstRows, rowCount, firstOuter, outerCount } = unit;
  const columns = paddedColumns(w.columns);
  const [rowPanels, outerPanels] = [ceilDiv(w.rows, PANEL_ROWS), ceilDiv(w.outer, OUTER_PANEL)];
  const blocks = ceilDiv(columns, BLOCK_COLUMNS);
  const sumsAt = (n: Int, m: Int): Int =>
    k.scratch.add(n.mul(TILE_UNIT_ROWS).add(m).mul(SUMS_BYTES)).add(GEMM_TAIL_BYTES);
  /** Finishes rows `first` to below `end` of panel `m` of the unit's rows, for its outputs of panel `n`. */
  const finish = (n: Int, m: Int, first: Int, end: Int): void => {
    const firstRow = firstRows.add(m).mul(PANEL_ROWS);
    const sums = sumsAt(n, m);
    finishRows(k, w, activation, {
      first: firstRow.add(first),
      end: firstRow.add(end.min(PANEL_ROWS)).min(w.rows),
      outer: firstOuter.add(n).mul(OUTER_PANEL),
      sums(row) {
        const from = sumsOfRow(sums, row.and(PANEL_ROWS - 1));
        return [from.loadFloats(), from.loadFloats(TILE_BYTES)];
      },
    });
  };
  k.range(0, blocks, 1, (block) => {
    const steps = stepsOf(columns, block);
    const isLast = block.equals(blocks.sub(1));
    const rowsOfStep = ceilDiv(k.int(PANEL_ROWS), steps);
    const firstPanel = panelAt(w.a, rowPanels, columns, block, firstRows);
    k.range(0, outerCount, 1, (n) => {
      const outputs = panelAt(w.b, outerPanels, columns, block, firstOuter.add(n));
      k.range(0, rowCount, 1, (m) => {
        const panelBytes = steps.mul(STEP_BYTES);
        const rows = firstPanel.add(m.mul(panelBytes));
        const next = outputs.add(panelBytes).add(m.mul(steps).mul(PREFETCHED_LINES * TILE_ROW_BYTES));
        const finishesOther = isLast.and(k.int(0).less(m));
        multiply(k, { rows, outputs, sums: sumsAt(n, m), steps, block }, (step) => {
          const lines = next.add(step.mul(PREFETCHED_LINES * TILE_ROW_BYTES));
          for (let line = 0; line < PREFETCHED_LINES; line++) lines.prefetch(line * TILE_ROW_BYTES);
          k.when(finishesOther, () => {
            const row = step.mul(rowsOfStep);
            finish(n, m.sub(1), row, row.add(rowsOfStep));
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
