// What an adapter adds to tile products (linear-tiles.ts), in tiles too: x A to a tile form of its own, and B brought to tiles
// beside a panel's weights, whose products are then added to the same sums. All rows choose one adapter c of several, whose
// tables lie one after another in f32; 0: none, and then nothing is read of them. Columns of x A stand by 16 ("halves"), two
// make a step: those of all adapters that read one x side by side, so that a product reads the steps that its halves are in.
// R rank, a multiple of 16, K inner and M outer size.
import { getOrMake } from "../../../base/collections.ts";
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { multiplyStep, sumInTiles } from "./tile-products.ts";
import { FLOAT_BYTES, ceilDiv } from "./loops.ts";
import { SUMS_BYTES, sumsOfRow } from "./tile-shapes.ts";
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
  rowPanelCount,
  stepsOf,
} from "./tiles.ts";

/** Columns of a half. */
export const HALF = TILE_ROWS;
const HALF_BYTES = HALF * FLOAT_BYTES;
const SIDES = [0, 1] as const;

/** Steps of a form that has so many halves. */
export const lowSteps = (halves: number): number => Math.ceil(halves / 2);
export const lowFormBytes = (rows: number, halves: number): number =>
  Math.ceil(rows / PANEL_ROWS) * lowSteps(halves) * STEP_BYTES;

/** Stores the 16 rows of a tile whose row i is low(i) beside high(i), which may be none. */
function fillTile(k: KernelBuilder, to: Int, rows: readonly [(i: Int) => Floats, (i: Int) => Floats]): void {
  k.range(0, TILE_ROWS, 1, (i) => {
    const [low, high] = rows.map((row) => row(i));
    to.add(i.mul(TILE_ROW_BYTES)).store(low.pairBf16(high));
  });
}

/** What `at` holds where `isThere`, else zeros. */
function floatsWhere(k: KernelBuilder, isThere: Int, at: Int): Floats {
  const value = k.variable(k.floats(0));
  k.when(isThere, () => (value.value = at.loadFloats()));
  return value.value;
}

/** Panels of rows of a unit: as many meet a step of A once it is in tiles. */
const UNIT_PANELS = 4;
/** Scratch: a block of A in tiles, and the sums of a unit. */
const SUMS = BLOCK_STEPS * STEP_BYTES;
export const LOW_SCRATCH_BYTES = SUMS + UNIT_PANELS * SUMS_BYTES;

const kernels = new Map<number, Kernel>();
const lowWords = ["x", "out", "choice", "rows", "columns", "rank", "steps"] as const;

/**
 * x: the tile form of (rows, columns); table0, ...: Aᵀ of each adapter, (columns, rank) f32; out: the form of x A, `steps`
 * steps in each panel of 32 rows. A part is a share of the units: a step of some panels.
 */
export const lowTilesKernel = (tables: number): Kernel =>
  getOrMake(kernels, tables, () => {
    const names = Array.from({ length: tables }, (_, n) => `table${n}`);
    return defineKernel(`lowRank.tiles.${tables}`, [...lowWords, ...names], (k, w: Readonly<Record<string, Int>>) => {
      const choice = w.choice.loadInt();
      k.when(choice, () => {
        const rowPanels = rowPanelCount(w.rows);
        const rowBytes = w.rank.mul(FLOAT_BYTES);
        const halves = w.rank.div(HALF);
        const before = choice.sub(1).mul(w.columns).mul(rowBytes);
        /** Address of the first column's numbers of a half; past the last half that one's. */
        const halfAt = (half: Int): Int => {
          const n = half.div(halves).min(tables - 1);
          const table = names.slice(1).reduce((found, name, i) => n.less(i + 1).select(found, w[name]), w[names[0]]);
          return table.add(before).add(half.sub(n.mul(halves)).min(halves.sub(1)).mul(HALF_BYTES));
        };
        k.share(ceilDiv(rowPanels, UNIT_PANELS).mul(w.steps), (first, end) => {
          k.range(first, end, 1, (unit) => {
            const [step, firstPanel] = [unit.rem(w.steps), unit.div(w.steps).mul(UNIT_PANELS)];
            const count = rowPanels.sub(firstPanel).min(UNIT_PANELS);
            const sumsOf = (panel: Int): Int => k.scratch.add(panel.mul(SUMS_BYTES)).add(SUMS);
            k.range(0, ceilDiv(w.columns, BLOCK_COLUMNS), 1, (block) => {
              const steps = stepsOf(w.columns, block);
              k.range(0, steps, 1, (s) => {
                const column = block.mul(BLOCK_COLUMNS).add(s.mul(STEP_COLUMNS));
                for (const side of SIDES) {
                  const half = step.mul(2).add(side);
                  const isThere = half.less(halves.mul(tables));
                  const from = halfAt(half).add(column.mul(rowBytes));
                  const rowFrom = (offset: number) => (i: Int) =>
                    floatsWhere(k, isThere, from.add(i.add(offset).mul(rowBytes)));
                  const to = k.scratch.add(s.mul(STEP_BYTES)).add(side * TILE_BYTES);
                  fillTile(k, to, [rowFrom(0), rowFrom(TILE_ROWS)]);
                }
              });
              k.range(0, count, 1, (panel) => {
                const rows = panelAt(w.x, rowPanels, w.columns, block, firstPanel.add(panel));
                sumInTiles(k, sumsOf(panel), block, () =>
                  k.range(0, steps, 1, (s) => {
                    const at = s.mul(STEP_BYTES);
                    multiplyStep(k, rows.add(at), k.scratch.add(at));
                  }),
                );
              });
            });
            k.range(0, count, 1, (panel) => {
              const to = w.out.add(firstPanel.add(panel).mul(w.steps).add(step).mul(STEP_BYTES));
              k.range(0, PANEL_ROWS, 1, (row) => {
                const from = sumsOfRow(sumsOf(panel), row);
                to.add(row.mul(TILE_ROW_BYTES)).store(from.loadFloats().pairBf16(from.loadFloats(TILE_BYTES)));
              });
            });
          });
        });
      });
    });
  });

/** Steps that a product reads of x A at most: of two adapters of rank 64, wherever their halves begin. */
const STEPS_MOST = 5;
export const BESIDE_BYTES = STEPS_MOST * STEP_BYTES;
/** The largest rank that is added on the way of a product. */
export const RANK_MOST = 64;

/**
 * low: the form of x A, of `lowSteps` steps; choice: address of c; left and right: tables of s Bᵀ, (R, M) f32, of the outputs in
 * a panel's left and right tile, whose halves of x A are those from `leftHalf` and `rightHalf` on.
 */
export const besideWords = ["low", "lowSteps", "choice", "rank", "left", "right", "leftHalf", "rightHalf"] as const;
export type BesideValues = Readonly<Record<(typeof besideWords)[number] | "outer", Int>>;

/** What is multiplied beside a panel's weights. */
export interface Beside {
  /** 0 where no adapter is chosen. */
  readonly steps: Int;
  /** Address of the steps of a panel of rows. */
  readonly rows: (rowPanel: Int) => Int;
  /** Brings B of a panel to tiles, whose left and right outputs begin at these columns; at `to` in scratch. */
  readonly fill: (columns: readonly [left: Int, right: Int], to: Int) => void;
}

export function beside(k: KernelBuilder, w: BesideValues): Beside {
  const choice = w.choice.loadInt();
  const halves = w.rank.div(HALF);
  const first = w.leftHalf.min(w.rightHalf).div(2);
  const end = ceilDiv(w.leftHalf.max(w.rightHalf).add(halves), 2);
  const rowBytes = w.outer.mul(FLOAT_BYTES);
  const before = choice.sub(1).mul(w.rank).mul(rowBytes);
  const steps = choice.equals(0).select(0, end.sub(first));
  return {
    steps,
    rows: (rowPanel) => w.low.add(rowPanel.mul(w.lowSteps).add(first).mul(STEP_BYTES)),
    fill(columns, to) {
      const sides = [
        { table: w.left, half: w.leftHalf },
        { table: w.right, half: w.rightHalf },
      ];
      k.range(0, steps, 1, (s) => {
        for (const [side, { table, half }] of sides.entries()) {
          const from = table.add(before).add(columns[side].mul(FLOAT_BYTES));
          /** Of the step's first or second half. */
          const rowOf = (offset: number) => (i: Int) => {
            const own = first.add(s).mul(2).add(offset).sub(half);
            const isThere = k.int(-1).less(own).and(own.less(halves));
            return floatsWhere(k, isThere, from.add(own.mul(HALF).add(i).mul(rowBytes)));
          };
          fillTile(k, to.add(s.mul(STEP_BYTES)).add(side * TILE_BYTES), [rowOf(0), rowOf(1)]);
        }
      });
    },
  };
}
