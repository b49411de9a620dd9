// out = f(a · b + bias) + residual with tile registers: operands rounded to bf16 in the form of gemm-pack-tiles.ts, sums in
// f32. A unit is up to 256 rows by 512 outputs: block by block of columns and panel by panel of outputs, which stays in
// the first cache level while all panels of rows pass it by; sums wait in scratch between blocks. A part is a share of
// the units. A turn is a panel of rows meeting one of outputs; its sums are finished in pieces between the products of
// the next turn: tiles then wait for memory alone, which takes the outputs.
import { type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
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
import { tileBlocks } from "./gemm-pack-tiles.ts";
import { multiplyStep, sumInTiles } from "./tile-products.ts";
import { ceilDiv } from "./loops.ts";
import { SUMS_BYTES, sumsOfRow } from "./tile-shapes.ts";
import { PANEL_ROWS, STEP_BYTES, TILE_BYTES, TILE_ROW_BYTES } from "./tiles.ts";

/**
 * The most panels that a unit takes: its sums stay in the second cache level beside a block of the rows. Of 16 by 8, 12 by
 * 8, 8 by 8 and 8 by 16, bench/gemm.ts.
 */
export const TILE_UNIT_ROWS = 8;
export const TILE_UNIT_OUTER = 16;

export const GEMM_TILE_SCRATCH_BYTES = GEMM_TAIL_BYTES + TILE_UNIT_ROWS * TILE_UNIT_OUTER * SUMS_BYTES;

/** Lines of the next panel of outputs that are brought nearer in each step: a block of it while a unit's rows pass. */
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
  const { loadOnce } = k.tiles;
  const products = (): void =>
    k.range(0, steps, 1, (step) => {
      const at = step.mul(STEP_BYTES);
      multiplyStep(k, rows.add(at), outputs.add(at), loadOnce);
      between(step);
    });
  sumInTiles(k, sums, block, products, loadOnce);
}

function computeUnit(k: KernelBuilder, w: GemmValues, activation: Activation, unit: GemmUnit): void {
  const { firstRows, rowCount, firstOuter, outerCount } = unit;
  const blocks = tileBlocks(w.columns);
  const [rowPanels, outerPanels] = [ceilDiv(w.rows, PANEL_ROWS), ceilDiv(w.outer, OUTER_PANEL)];
  const turns = rowCount.mul(outerCount);
  const sumsOf = (turn: Int): Int => k.scratch.add(turn.mul(SUMS_BYTES)).add(GEMM_TAIL_BYTES);
  /** What finishes rows of a turn, from `first` on and below `end` of its panel. */
  const finisher = (turn: Int): ((first: Int, end: Int) => void) => {
    const firstRow = firstRows.add(turn.rem(rowCount)).mul(PANEL_ROWS);
    const outer = firstOuter.add(turn.div(rowCount)).mul(OUTER_PANEL);
    const sums = sumsOf(turn);
    return (first, end) =>
      finishRows(k, w, activation, {
        first: firstRow.add(first),
        end: firstRow.add(end.min(PANEL_ROWS)).min(w.rows),
        outer,
        sums(row) {
          const from = sumsOfRow(sums, row.and(PANEL_ROWS - 1));
          return [from.loadFloats(), from.loadFloats(TILE_BYTES)];
        },
      });
  };
  k.range(0, blocks.count, 1, (block) => {
    const steps = blocks.stepsOf(block);
    const panelBytes = steps.mul(STEP_BYTES);
    const isLast = block.equals(blocks.count.sub(1));
    const rowsOfStep = ceilDiv(k.int(PANEL_ROWS), steps);
    const firstPanel = blocks.panelAt(w.a, rowPanels, block, firstRows);
    const firstOutputs = blocks.panelAt(w.b, outerPanels, block, firstOuter);
    k.range(0, turns, 1, (turn) => {
      const m = turn.rem(rowCount);
      const rows = firstPanel.add(m.mul(panelBytes));
      const outputs = firstOutputs.add(turn.div(rowCount).mul(panelBytes));
      const next = outputs.add(panelBytes).add(m.mul(steps).mul(PREFETCHED_LINES * TILE_ROW_BYTES));
      const finish = finisher(turn.sub(1));
      const finishesOther = isLast.and(k.int(0).less(turn));
      multiply(k, { rows, outputs, sums: sumsOf(turn), steps, block }, (step) => {
        const lines = next.add(step.mul(PREFETCHED_LINES * TILE_ROW_BYTES));
        for (let line = 0; line < PREFETCHED_LINES; line++) lines.prefetch(line * TILE_ROW_BYTES);
        k.when(finishesOther, () => {
          const row = step.mul(rowsOfStep);
          finish(row, row.add(rowsOfStep));
        });
      });
    });
  });
  finisher(turns.sub(1))(k.int(0), k.int(PANEL_ROWS));
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
