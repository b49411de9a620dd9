// The frame of the prompt class: a panel of 256 columns of 16 weight rows is unpacked once into scratch, then multiplied
// with 64 rows of activations, four at a time. A part is a share of the (row block, group) pairs. A row's sums run over
// the panels in order, so its bytes do not depend on the rows beside it. What a panel holds: linear-panel.ts (int8),
// linear-decoded.ts (f32).
import { type Floats, type Int, type KernelBuilder, type Variable, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type LinearKernel, groupCount, linearWords, storeOutputs } from "./outputs.ts";

/** Rows of activations that one unpacked panel serves: what of them a panel meets stays in the nearer caches. */
export const ROW_BLOCK = 64;
/** Columns of a panel. */
export const PANEL_COLUMNS = 256;
/** Activation rows and weight registers of a tile: their sums stay in registers. */
const TILE_ROWS = 4;
const TILE_REGISTERS = 2;

/** Bytes of one f32, or of four bytes, of each of the 16 rows. */
export const GROUP_BYTES = GROUP_ROWS * FLOAT_BYTES;
/** Where the sums of a row block lie in scratch, and the panel after them. */
const SUMS = 64;
export const PANEL = SUMS + ROW_BLOCK * GROUP_BYTES;

/** Sums of a tile, by row and register. */
export type TileSums = readonly (readonly Variable<Floats>[])[];

/** What of a tile's activations and weights is where. */
export interface Tile {
  /** Address of each row's first activation that the panel meets. */
  readonly rows: readonly Int[];
  /** Byte offset of each of the tile's registers among those of 16 rows. */
  readonly registers: readonly number[];
  /** Blocks in the panel: all of its 256 columns, or what is left. */
  readonly blocks: Int;
}

export interface PanelParts {
  readonly label: string;
  readonly format: PackedFormat;
  /** Bytes of an activation column, which may be less than what a column's block holds. */
  readonly columnBytes: number;
  /** Unpacks block `i` of the panel, of all 16 rows, from its packed form to scratch. */
  readonly unpack: (k: KernelBuilder, from: Int, i: Int) => void;
  /** Adds the panel's products to a tile's sums. */
  readonly multiply: (k: KernelBuilder, tile: Tile, sums: TileSums) => void;
}

export function panelKernel({ label, format, columnBytes, unpack, multiply }: PanelParts): LinearKernel {
  const blockColumns = layouts[format].columns;
  const panelBlocks = PANEL_COLUMNS / blockColumns;
  const blockBytes = groupBlockBytes(format);
  return defineKernel(label, linearWords, (k, w) => {
    const blocks = w.columns.div(blockColumns);
    const groups = groupCount(w);
    const registers = GROUP_ROWS / k.lanes;
    const registerBytes = k.lanes * FLOAT_BYTES;
    const rowBytes = w.columns.mul(columnBytes);

    const multiplyRows = (count: number, row: Int, x: Int, blocks: Int): void => {
      const sumsAt = k.scratch.add(row.mul(GROUP_BYTES));
      const rows = Array.from({ length: count }, (_, r) => x.add(row.add(r).mul(rowBytes)));
      for (let from = 0; from < registers; from += TILE_REGISTERS) {
        const length = Math.min(TILE_REGISTERS, registers);
        const offsets = Array.from({ length }, (_, n) => (from + n) * registerBytes);
        const sums = rows.map((_, r) =>
          offsets.map((offset) => k.variable(sumsAt.loadFloats(SUMS + r * GROUP_BYTES + offset))),
        );
        multiply(k, { rows, registers: offsets, blocks }, sums);
        for (const [r, row] of sums.entries()) {
          for (const [n, sum] of row.entries()) sumsAt.store(sum.value, SUMS + r * GROUP_BYTES + offsets[n]);
        }
      }
    };

    k.share(groups.mul(w.rows.add(ROW_BLOCK - 1).div(ROW_BLOCK)), (first, end) => {
      k.range(first, end, 1, (unit) => {
        const [firstRow, group] = [unit.div(groups).mul(ROW_BLOCK), unit.rem(groups)];
        const rows = w.rows.sub(firstRow).min(ROW_BLOCK);
        const weight = w.weight.add(group.mul(blocks).mul(blockBytes));
        const x = w.x.add(firstRow.mul(rowBytes));
        k.range(0, rows.mul(GROUP_BYTES), registerBytes, (at) => k.scratch.add(at).store(k.floats(0), SUMS));
        k.range(0, blocks, panelBlocks, (block) => {
          const count = blocks.sub(block).min(panelBlocks);
          k.range(0, count, 1, (i) => unpack(k, weight.add(block.add(i).mul(blockBytes)), i));
          const columns = x.add(block.mul(blockColumns * columnBytes));
          const whole = rows.and(-TILE_ROWS);
          k.range(0, whole, TILE_ROWS, (row) => multiplyRows(TILE_ROWS, row, columns, count));
          k.range(whole, rows, 1, (row) => multiplyRows(1, row, columns, count));
        });
        k.range(0, rows, 1, (row) => {
          for (let n = 0; n < registers; n++) {
            const sum = k.scratch.add(row.mul(GROUP_BYTES)).loadFloats(SUMS + n * registerBytes);
            storeOutputs(k, w, firstRow.add(row), group.mul(GROUP_ROWS).add(n * k.lanes), sum);
          }
        });
      });
    });
  });
}
