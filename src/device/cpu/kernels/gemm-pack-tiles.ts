// How operands lie for tile products (gemm-tiles.ts), as activations do (tiles.ts), and the kernels that bring f32 there:
// a tile of the first operand has a row of the tensor in each row, one of the second a pair of columns that are summed
// over. Which of the two a tensor's registers are as they lie, and which are put upright first, is as the tensor lies.
// Columns past the last of the last step are zeros. A part is a share of the blocks of all panels.
import { type Floats, type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { type Lie, type PackOperandKernel, type PackSource, packWords, sourceOf } from "./gemm-pack-floats.ts";
import { FLOAT_BYTES, ceilDiv, laneNumbers } from "./loops.ts";
import { PANEL_ROWS, STEP_BYTES, STEP_COLUMNS, TILE_BYTES, TILE_ROWS, TILE_ROW_BYTES, tileFormBytes } from "./tiles.ts";

/**
 * The most steps of a block. Of 8, 16, 20 and 64, bench/gemm.ts: a block of a panel of outputs, 32 KiB, stays in the first
 * cache level while rows pass by it; with less, sums go to and fro more often, with more, both operands come from the second.
 */
const BLOCK_STEPS_MOST = 16;
export const TILE_BLOCK_COLUMNS = BLOCK_STEPS_MOST * STEP_COLUMNS;

/** How an operand's steps are cut: as few blocks as may be, about as many steps in each, one block after another. */
export interface TileBlocks {
  readonly count: Int;
  /** The block that a step of all is in. */
  readonly blockOf: (step: Int) => Int;
  /** Of all blocks before it. */
  readonly stepsBefore: (block: Int) => Int;
  readonly stepsOf: (block: Int) => Int;
  /** Address of the first step of panel `panel` of `panels` in block `block`. */
  readonly panelAt: (x: Int, panels: Int, block: Int, panel: Int) => Int;
}

export function tileBlocks(columns: Int): TileBlocks {
  const all = ceilDiv(columns, STEP_COLUMNS);
  const count = ceilDiv(all, BLOCK_STEPS_MOST);
  const most = ceilDiv(all, count);
  const stepsBefore = (block: Int): Int => block.mul(most);
  const stepsOf = (block: Int): Int => all.sub(stepsBefore(block)).min(most);
  return {
    count,
    blockOf: (step) => step.div(most),
    stepsBefore,
    stepsOf,
    panelAt: (x, panels, block, panel) =>
      x.add(
        stepsBefore(block)
          .mul(panels)
          .add(panel.mul(stepsOf(block)))
          .mul(STEP_BYTES),
      ),
  };
}

/** Gives the address of a step of a panel, of an operand of `panels` panels whose products are summed over `columns`. */
export function tileSteps(x: Int, panels: Int, columns: Int): (panel: Int, step: Int) => Int {
  const { blockOf, stepsBefore, panelAt } = tileBlocks(columns);
  return (panel, step) => {
    const block = blockOf(step);
    return panelAt(x, panels, block, panel).add(step.sub(stepsBefore(block)).mul(STEP_BYTES));
  };
}

/** Bytes of an operand of `count` rows or outputs in its form. */
export const tileOperandBytes = (count: number, columns: number): number =>
  tileFormBytes(count, Math.ceil(columns / STEP_COLUMNS) * STEP_COLUMNS);

const WORDS = TILE_ROW_BYTES / FLOAT_BYTES;

/** What fills a tile's row `i` as the tensor's registers lie. */
type Row = (i: Int) => readonly [Floats, Floats];

/** Rows of a tile are rows of the tensor: 32 columns from `column` on. */
function alongRow(k: KernelBuilder, { x, count, columns, stride }: PackSource, first: Int, column: Int): Row {
  const isWhole = column.add(STEP_COLUMNS).less(columns.add(1));
  const left = columns.sub(column).toFloat().splat();
  return (i) => {
    const row = x.add(first.add(i).min(count.sub(1)).mul(stride).add(column).mul(FLOAT_BYTES));
    const [low, high] = [k.variable(row.loadFloats()), k.variable(k.floats(0))];
    k.when(
      isWhole,
      () => (high.value = row.loadFloats(TILE_ROWS * FLOAT_BYTES)),
      () => {
        const lanes = laneNumbers(k);
        low.value = lanes.less(left).selectFloats(low.value, 0);
        k.when(column.add(TILE_ROWS).less(columns), () => {
          const there = lanes.add(TILE_ROWS).less(left);
          high.value = there.selectFloats(row.loadFloats(TILE_ROWS * FLOAT_BYTES), 0);
        });
      },
    );
    return [low.value, high.value];
  };
}

/** Rows of a tile are pairs of columns: of 16 rows or outputs from `first` on. */
function acrossRow(k: KernelBuilder, { x, count, columns, stride }: PackSource, first: Int, column: Int): Row {
  const from = x.add(first.min(count.sub(1)).mul(FLOAT_BYTES));
  // far apart, and what puts a tile upright keeps the processor from looking for the next one's
  const ahead = stride.mul(STEP_COLUMNS * FLOAT_BYTES);
  return (i) => {
    const [low, high] = [0, TILE_ROWS].map((offset) => {
      const value = k.variable(k.floats(0));
      const c = column.add(i).add(offset);
      const at = from.add(c.mul(stride).mul(FLOAT_BYTES));
      at.add(ahead).prefetch();
      k.when(c.less(columns), () => (value.value = at.loadFloats()));
      return value;
    });
    return [low.value, high.value];
  };
}

/**
 * Panels that are filled side by side: where a panel's numbers are a short piece of each of the tensor's rows, which lie
 * pages apart, more of a page is read while its address is known. Of 1, 4 and 8, bench/gemm.ts.
 */
const PANELS_TOGETHER = { along: 1, across: 8 } as const satisfies Record<Lie, number>;

const rowsOf = { along: alongRow, across: acrossRow } as const satisfies Record<Lie, unknown>;

function fillTile(k: KernelBuilder, row: Row, isUpright: boolean, to: Int): void {
  const target = isUpright ? k.scratch.add(TILE_ROW_BYTES) : to; // lane numbers use the first bytes
  k.range(0, TILE_ROWS, 1, (i) => {
    const [low, high] = row(i);
    target.add(i.mul(TILE_ROW_BYTES)).store(low.pairBf16(high));
  });
  if (isUpright) putUpright(k, target, to);
}

/** A tile's words with rows and columns exchanged. */
export const putUpright = (k: KernelBuilder, tile: Int, to: Int): void =>
  k.range(0, TILE_ROWS, 1, (i) => {
    // a row of stores rather than one of loads: two of them leave at once where they go to one line
    const [from, upright] = [tile.add(i.mul(FLOAT_BYTES)), to.add(i.mul(TILE_ROW_BYTES))];
    for (let n = 0; n < WORDS; n++) upright.store(from.loadInt(n * TILE_ROW_BYTES), n * FLOAT_BYTES);
  });

const kernelOf = (label: string, lie: Lie, isUpright: boolean): PackOperandKernel =>
  defineKernel(`gemm.pack.tiles.${label}.${lie}`, packWords, (k, words) => {
    const { out, count, columns } = words;
    const panels = ceilDiv(count, PANEL_ROWS);
    const blocks = tileBlocks(columns);
    const source = sourceOf(lie, words);
    const groups = ceilDiv(panels, PANELS_TOGETHER[lie]);
    k.share(groups.mul(blocks.count), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [block, firstPanel] = [unit.div(groups), unit.rem(groups).mul(PANELS_TOGETHER[lie])];
        k.range(0, blocks.stepsOf(block), 1, (step) => {
          const column = blocks.stepsBefore(block).add(step).mul(STEP_COLUMNS);
          k.range(firstPanel, firstPanel.add(PANELS_TOGETHER[lie]).min(panels), 1, (panel) => {
            const to = blocks.panelAt(out, panels, block, panel).add(step.mul(STEP_BYTES));
            k.range(0, STEP_BYTES, TILE_BYTES, (side) => {
              const firstOfTile = panel.mul(PANEL_ROWS).add(side.div(TILE_BYTES / TILE_ROWS));
              fillTile(k, rowsOf[lie](k, source, firstOfTile, column), isUpright, to.add(side));
            });
          });
        });
      });
    });
  });

/** By how the tensor lies. */
export const packTileRows = {
  along: kernelOf("rows", "along", false),
  across: kernelOf("rows", "across", true),
} as const satisfies Record<Lie, PackOperandKernel>;
export const packTileOuter = {
  along: kernelOf("outer", "along", true),
  across: kernelOf("outer", "across", false),
} as const satisfies Record<Lie, PackOperandKernel>;
