// How activations lie for tile products: bf16 in tiles of 16 rows of 32 columns, two tiles (32 rows) side by side for each
// step of 32 columns. Blocks of 8 steps come one after another, and in a block all panels of 32 rows, so that what a
// product reads at once is one run of bytes. Rows past the last fill up its panel. In a tile's row column i stands beside
// column 16 + i: what one conversion of two registers gives; weights (tile-weights.ts) are paired the same way.
// Not here: who multiplies them (linear-tiles.ts).
import { type Floats, type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, ceilDiv } from "./loops.ts";
import { rmsFactor } from "./norm.ts";

/** Rows, or outputs, of a tile; also the columns beside which their partners stand. */
export const TILE_ROWS = 16;
export const TILE_ROW_BYTES = 64;
export const TILE_BYTES = TILE_ROWS * TILE_ROW_BYTES;
/** Columns of a step, and bytes of its two tiles. */
export const STEP_COLUMNS = 32;
export const STEP_BYTES = 2 * TILE_BYTES;
/** Rows of a panel. */
export const PANEL_ROWS = 2 * TILE_ROWS;
/** Steps whose products are summed without putting the sums away: 256 columns, what a block of the K formats has. */
export const BLOCK_STEPS = 8;
export const BLOCK_COLUMNS = BLOCK_STEPS * STEP_COLUMNS;

export const tileFormBytes = (rows: number, columns: number): number =>
  Math.ceil(rows / PANEL_ROWS) * (columns / STEP_COLUMNS) * STEP_BYTES;

/** Panels that `rows` rows take. */
export const rowPanelCount = (rows: Int): Int => ceilDiv(rows, PANEL_ROWS);

/** Steps of block `block` of `columns` columns: 8, or what is left. */
export const stepsOf = (columns: Int, block: Int): Int =>
  columns.div(STEP_COLUMNS).sub(block.mul(BLOCK_STEPS)).min(BLOCK_STEPS);

/** Address of the first step of panel `panel` in block `block`. */
export const panelAt = (x: Int, rowPanels: Int, columns: Int, block: Int, panel: Int): Int =>
  x.add(block.mul(rowPanels).mul(BLOCK_STEPS * STEP_BYTES)).add(panel.mul(stepsOf(columns, block)).mul(STEP_BYTES));

/** Byte offset of a row in each step of its panel. */
export const rowOffset = (row: Int): Int => row.and(PANEL_ROWS - 1).mul(TILE_ROW_BYTES);

/** Stores a row to a tile form, 32 columns at a time, given by their two registers. */
export function packRow(
  k: KernelBuilder,
  row: Int,
  x: Int,
  rowPanels: Int,
  columns: Int,
  pair: (column: Int) => Floats[],
): void {
  const panel = row.div(PANEL_ROWS);
  k.range(0, ceilDiv(columns, BLOCK_COLUMNS), 1, (block) => {
    const to = panelAt(x, rowPanels, columns, block, panel).add(rowOffset(row));
    k.range(0, stepsOf(columns, block), 1, (step) => {
      const [low, high] = pair(block.mul(BLOCK_COLUMNS).add(step.mul(STEP_COLUMNS)));
      to.add(step.mul(STEP_BYTES)).store(low.pairBf16(high));
    });
  });
}

/** 32 columns that lie side by side. */
export const twoAt = (from: Int): Floats[] => [from.loadFloats(), from.loadFloats(TILE_ROWS * FLOAT_BYTES)];

/** x: (rows, columns) f32, columns a multiple of 32; out: its tile form. A part is a share of the rows. */
export const packTilesKernel = defineKernel(
  "packTiles",
  ["x", "out", "rows", "columns"],
  (k, { x, out, rows, columns }) => {
    const rowPanels = rowPanelCount(rows);
    k.share(rowPanels.mul(PANEL_ROWS), (first, end) => {
      k.range(first, end, 1, (row) => {
        // what fills up the last panel is the last row once more: its products are not stored
        const from = x.add(row.min(rows.sub(1)).mul(columns).mul(FLOAT_BYTES));
        packRow(k, row, out, rowPanels, columns, (column) => twoAt(from.add(column.mul(FLOAT_BYTES))));
      });
    });
  },
);

/** The same of RMSNorm(x) over whole rows (norm.ts), which is stored nowhere else. */
export const packNormTilesKernel = defineKernel(
  "packTiles.rmsNorm",
  ["x", "gain", "out", "rows", "columns", "epsilon"],
  (k, { x, gain, out, rows, columns, epsilon }) => {
    const rowPanels = rowPanelCount(rows);
    k.share(rowPanels.mul(PANEL_ROWS), (first, end) => {
      k.range(first, end, 1, (row) => {
        const from = x.add(row.min(rows.sub(1)).mul(columns).mul(FLOAT_BYTES));
        const factor = rmsFactor(k, from, columns, epsilon);
        packRow(k, row, out, rowPanels, columns, (column) => {
          const at = column.mul(FLOAT_BYTES);
          const gains = twoAt(gain.add(at));
          return twoAt(from.add(at)).map((value, i) => value.mul(factor).mul(gains[i]));
        });
      });
    });
  },
);
