// How operands lie for tile products (gemm-tiles.ts), as activations do (tiles.ts), and the kernels that bring f32 there:
// a tile of the first operand has a row of the tensor in each row, one of the second a pair of columns that are summed
// over. Which of the two a tensor's registers are as they lie, and which are put upright first, is as the tensor lies.
// Columns past the last of the last step are zeros. A part is a share of the blocks of all panels.
import { type Floats, type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { ceilDiv } from "./gemm-outputs.ts";
import type { Lie, PackOperandKernel } from "./gemm-pack-floats.ts";
import { FLOAT_BYTES, laneNumbers } from "./loops.ts";
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
  stepsOf,
  tileFormBytes,
} from "./tiles.ts";

/** Columns in whole steps. */
export const paddedColumns = (columns: Int): Int => ceilDiv(columns, STEP_COLUMNS).mul(STEP_COLUMNS);

/** Bytes of an operand of `count` rows or outputs in its form. */
export const tileOperandBytes = (count: number, columns: number): number =>
  tileFormBytes(count, Math.ceil(columns / STEP_COLUMNS) * STEP_COLUMNS);

const WORDS = TILE_ROW_BYTES / FLOAT_BYTES;

/** What fills a tile's row `i` as the tensor's registers lie. */
type Row = (i: Int) => readonly [Floats, Floats];

interface Source {
  readonly x: Int;
  readonly count: Int;
  readonly columns: Int;
}

/** Rows of a tile are rows of the tensor: 32 columns from `column` on. */
function alongRow(k: KernelBuilder, { x, count, columns }: Source, first: Int, column: Int): Row {
  const isWhole = column.add(STEP_COLUMNS).less(columns.add(1));
  const left = columns.sub(column).toFloat().splat();
  return (i) => {
    const row = x.add(first.add(i).min(count.sub(1)).mul(columns).add(column).mul(FLOAT_BYTES));
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
function acrossRow(k: KernelBuilder, { x, count, columns }: Source, first: Int, column: Int): Row {
  const from = x.add(first.min(count.sub(1)).mul(FLOAT_BYTES));
  // far apart, and what puts a tile upright keeps the processor from looking for the next one's
  const ahead = count.mul(STEP_COLUMNS * FLOAT_BYTES);
  return (i) => {
    const [low, high] = [0, TILE_ROWS].map((offset) => {
      const value = k.variable(k.floats(0));
      const c = column.add(i).add(offset);
      const at = from.add(c.mul(count).mul(FLOAT_BYTES));
      at.add(ahead).prefetch();
      k.when(c.less(columns), () => (value.value = at.loadFloats()));
      return value;
    });
    return [low.value, high.value];
  };
}

const rowsOf = { along: alongRow, across: acrossRow } as const satisfies Record<Lie, unknown>;

function fillTile(k: KernelBuilder, row: Row, isUpright: boolean, to: Int): void {
  const target = isUpright ? k.scratch.add(TILE_ROW_BYTES) : to; // lane numbers use the first bytes
  k.range(0, TILE_ROWS, 1, (i) => {
    const [low, high] = row(i);
    target.add(i.mul(TILE_ROW_BYTES)).store(low.pairBf16(high));
  });
  if (!isUpright) return;
  k.range(0, TILE_ROWS, 1, (i) => {
    const [from, upright] = [target.add(i.mul(TILE_ROW_BYTES)), to.add(i.mul(FLOAT_BYTES))];
    for (let n = 0; n < WORDS; n++) upright.store(from.loadInt(n * FLOAT_BYTES), n * TILE_ROW_BYTES);
  });
}

const kernelOf = (label: string, lie: Lie, isUpright: boolean): PackOperandKernel =>
  defineKernel(`gemm.pack.tiles.${label}.${lie}`, ["x", "out", "count", "columns"], (k, { x, out, count, columns }) => {
    const [panels, padded] = [ceilDiv(count, PANEL_ROWS), paddedColumns(columns)];
    const source: Source = { x, count, columns };
    k.share(panels.mul(ceilDiv(columns, BLOCK_COLUMNS)), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [block, panel] = [unit.div(panels), unit.rem(panels)];
        const to = panelAt(out, panels, padded, block, panel);
        k.range(0, stepsOf(padded, block), 1, (step) => {
          const column = block.mul(BLOCK_STEPS).add(step).mul(STEP_COLUMNS);
          k.range(0, STEP_BYTES, TILE_BYTES, (side) => {
            const firstOfTile = panel.mul(PANEL_ROWS).add(side.div(TILE_BYTES / TILE_ROWS));
            const row = rowsOf[lie](k, source, firstOfTile, column);
            fillTile(k, row, isUpright, to.add(step.mul(STEP_BYTES)).add(side));
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
