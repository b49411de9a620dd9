// y = x Wᵀ with tile registers, prompt class: x in tile form (tiles.ts), weights of any format but f32 rounded to bf16
// when they are brought to tiles, sums in f32. A unit is a run of column panels (32 outputs) and up to 512 rows: for each
// 256 columns of x and each panel the weights go to scratch once and meet all rows, whose sums wait in scratch. A part
// is a share of the units. What is done with the sums: plain (bias, residual), or gated: a panel has 16 outputs of two
// weights, whose f(first) * second goes out in tile form, as the next product reads it.
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import type { UnaryName } from "../../../graph/index.ts";
import { GROUP_ROWS, layouts } from "../packed-layouts.ts";
import { unary } from "./elementwise.ts";
import { storeSums, tailBytes } from "./prompt-outputs.ts";
import { type TileFormat, tileBlockBytes, tileFormats, unpackTiles } from "./tile-weights.ts";
import {
  BLOCK_COLUMNS,
  BLOCK_STEPS,
  PANEL_ROWS,
  STEP_BYTES,
  STEP_COLUMNS,
  TILE_BYTES,
  TILE_ROWS,
  TILE_ROW_BYTES,
  panelAt,
  rowOffset,
  rowPanelCount,
} from "./tiles.ts";

/** Panels of rows that a unit takes: 512 rows. Of bench/kernels.ts: 256 rows are 3 % slower, 128 a third. */
export const UNIT_ROW_PANELS = 16;
/** The most column panels that a unit takes: their sums stay in the second cache level beside a block of x. */
export const UNIT_PANELS_MOST = 8;
/** Sums of a panel of rows and one of columns: four tiles, those of the first 16 rows first. */
const SUMS_BYTES = 4 * TILE_BYTES;

/** Scratch: the outputs' tail, a panel's weights, the sums. */
const WEIGHTS = tailBytes(2 * GROUP_ROWS);
const SUMS = WEIGHTS + BLOCK_STEPS * STEP_BYTES;
export const TILE_SCRATCH_BYTES = SUMS + UNIT_PANELS_MOST * UNIT_ROW_PANELS * SUMS_BYTES;

/**
 * x: tile form of (rows, columns); weight, second: packed groups of `outer` outputs; bias: f32 (outer) or address 0;
 * residual: f32 (rows, outer), added, or 0; out: f32 (rows, outer), or its tile form where gated.
 */
export const tileWords = [
  "x",
  "weight",
  "second",
  "bias",
  "residual",
  "out",
  "rows",
  "columns",
  "outer",
  "unitPanels",
] as const;
type Words = Readonly<Record<(typeof tileWords)[number], Int>>;
export type TileKernel = Kernel<(typeof tileWords)[number]>;

/** Tile registers: sums of rows 0..15 and 16..31 by the left and the right 16 outputs; both operands. */
const [ROWS_LOW, ROWS_HIGH, LEFT, RIGHT] = [4, 5, 6, 7];

/** Adds `steps` steps of products to the four sums at `sums`, which are zero before the first block. */
function multiply(k: KernelBuilder, x: Int, weights: Int, sums: Int, steps: Int, isLater: Int): void {
  const { tiles } = k;
  const four = [0, 1, 2, 3];
  k.when(
    isLater,
    () => four.forEach((tile) => tiles.load(tile, sums.add(tile * TILE_BYTES), TILE_ROW_BYTES)),
    () => four.forEach((tile) => tiles.zero(tile)),
  );
  k.range(0, steps.mul(STEP_BYTES), STEP_BYTES, (at) => {
    const [rows, columns] = [x.add(at), weights.add(at)];
    tiles.load(LEFT, columns, TILE_ROW_BYTES);
    tiles.load(ROWS_LOW, rows, TILE_ROW_BYTES);
    tiles.dotBf16(0, ROWS_LOW, LEFT);
    tiles.load(RIGHT, columns.add(TILE_BYTES), TILE_ROW_BYTES);
    tiles.dotBf16(1, ROWS_LOW, RIGHT);
    tiles.load(ROWS_HIGH, rows.add(TILE_BYTES), TILE_ROW_BYTES);
    tiles.dotBf16(2, ROWS_HIGH, LEFT);
    tiles.dotBf16(3, ROWS_HIGH, RIGHT);
  });
  four.forEach((tile) => tiles.store(tile, sums.add(tile * TILE_BYTES), TILE_ROW_BYTES));
}

/** Groups of 16 outputs, the last one filled up with zeros. */
const groupCount = (w: Words): Int => w.outer.add(GROUP_ROWS - 1).div(GROUP_ROWS);

/** Where row `row` of a panel lies in its sums: the left 16 outputs; the right ones are a tile further. */
const sumsOfRow = (sums: Int, row: Int): Int =>
  sums.add(row.div(TILE_ROWS).mul(2 * TILE_BYTES)).add(row.and(TILE_ROWS - 1).mul(TILE_ROW_BYTES));

/** What a unit does with its panels. */
interface Shape {
  /** Groups of 16 outputs of one weight that a panel has. */
  readonly groups: 1 | 2;
  /** Addresses of the packed groups of a panel's left and right outputs. */
  sides(k: KernelBuilder, w: Words, panel: Int, groupBytes: Int): readonly [Int, Int];
  /** Called with the sums of a panel, number `inUnit` of its unit, and a panel of rows, when they are whole. */
  finish(k: KernelBuilder, w: Words, sums: Int, panel: Int, inUnit: Int, rowPanel: Int): void;
}

const plain: Shape = {
  groups: 2,
  sides(_, w, panel, groupBytes) {
    const left = panel.mul(2);
    const right = left.add(1).min(groupCount(w).sub(1)); // the last group once more where there is no other
    return [w.weight.add(left.mul(groupBytes)), w.weight.add(right.mul(groupBytes))];
  },
  finish(k, w, sums, panel, _, rowPanel) {
    const firstRow = rowPanel.mul(PANEL_ROWS);
    const first = panel.mul(2 * GROUP_ROWS);
    k.range(0, w.rows.sub(firstRow).min(PANEL_ROWS), 1, (row) => {
      const from = sumsOfRow(sums, row);
      storeSums(k, w, firstRow.add(row), first, [from.loadFloats(), from.loadFloats(TILE_BYTES)]);
    });
  },
};

/** Panels come in pairs: 32 outputs make a step of the tile form. */
function gated(activation: (x: Floats, k: KernelBuilder) => Floats): Shape {
  return {
    groups: 1,
    sides: (_, w, panel, groupBytes) => {
      const at = panel.mul(groupBytes);
      return [w.weight.add(at), w.second.add(at)];
    },
    finish(k, w, sums, panel, inUnit, rowPanel) {
      k.when(inUnit.and(1), () => {
        const step = panel.div(2);
        const block = step.div(BLOCK_STEPS);
        const to = panelAt(w.out, rowPanelCount(w.rows), w.outer, block, rowPanel).add(
          step.and(BLOCK_STEPS - 1).mul(STEP_BYTES),
        );
        const before = sums.sub(UNIT_ROW_PANELS * SUMS_BYTES);
        k.range(0, PANEL_ROWS, 1, (row) => {
          const [low, high] = [before, sums].map((at) => {
            const from = sumsOfRow(at, row);
            return activation(from.loadFloats(), k).mul(from.loadFloats(TILE_BYTES));
          });
          to.add(rowOffset(row)).store(low.pairBf16(high));
        });
      });
    },
  };
}

function tileKernel(name: TileFormat, suffix: string, shape: Shape): TileKernel {
  const blockBytes = tileBlockBytes(name);
  return defineKernel(`linear.${name}.tiles${suffix}`, tileWords, (k, w) => {
    const rowPanels = rowPanelCount(w.rows);
    const panels = groupCount(w)
      .add(shape.groups - 1)
      .div(shape.groups);
    const units = panels.add(w.unitPanels).sub(1).div(w.unitPanels);
    const blocks = w.columns.add(BLOCK_COLUMNS - 1).div(BLOCK_COLUMNS);
    const groupBytes = w.columns.div(STEP_COLUMNS).mul(blockBytes / BLOCK_STEPS);
    const weights = k.scratch.add(WEIGHTS);
    k.share(units.mul(rowPanels.add(UNIT_ROW_PANELS - 1).div(UNIT_ROW_PANELS)), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const firstRows = unit.div(units).mul(UNIT_ROW_PANELS);
        const firstPanel = unit.rem(units).mul(w.unitPanels);
        const rowCount = rowPanels.sub(firstRows).min(UNIT_ROW_PANELS);
        k.range(0, blocks, 1, (block) => {
          const steps = w.columns.div(STEP_COLUMNS).sub(block.mul(BLOCK_STEPS)).min(BLOCK_STEPS);
          const stepBytes = steps.mul(STEP_BYTES);
          const x = panelAt(w.x, rowPanels, w.columns, block, firstRows);
          k.range(0, panels.sub(firstPanel).min(w.unitPanels), 1, (inUnit) => {
            const panel = firstPanel.add(inUnit);
            for (const [side, group] of shape.sides(k, w, panel, groupBytes).entries()) {
              const from = group.add(block.mul(blockBytes));
              unpackTiles(k, name, from, steps, weights.add(side * TILE_BYTES));
            }
            const panelSums = k.scratch.add(inUnit.mul(UNIT_ROW_PANELS * SUMS_BYTES).add(SUMS));
            k.range(0, rowCount, 1, (rowPanel) => {
              const sums = panelSums.add(rowPanel.mul(SUMS_BYTES));
              multiply(k, x.add(rowPanel.mul(stepBytes)), weights, sums, steps, block);
              k.when(block.equals(blocks.sub(1)), () =>
                shape.finish(k, w, sums, panel, inUnit, firstRows.add(rowPanel)),
              );
            });
          });
        });
      });
    });
  });
}

const each = (suffix: string, shape: Shape): Readonly<Record<TileFormat, TileKernel>> =>
  Object.fromEntries(tileFormats.map((name) => [name, tileKernel(name, suffix, shape)])) as Record<
    TileFormat,
    TileKernel
  >;

/** Formats whose weights tiles can be made of; `columns` must be a multiple of 32. */
export const isTileFormat = (name: keyof typeof layouts): name is TileFormat => name !== "f32";

/** out = x Wᵀ + bias + residual. */
export const tileKernels = each("", plain);

/** out = f(x Wᵀ) * (x Vᵀ); `outer` is a multiple of 32. */
export const gatedTileKernels = Object.fromEntries(
  Object.entries(unary).map(([name, activation]) => [name, each(`.${name}`, gated(activation))]),
) as Record<UnaryName, Readonly<Record<TileFormat, TileKernel>>>;
