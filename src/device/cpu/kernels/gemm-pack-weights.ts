// Packed weights (M, K) as the second operand of dy · W, which sums over W's rows: what a frozen weight's gradient by its
// inputs needs. The forms are those of any second operand (gemm-pack-tiles.ts, gemm-pack-floats.ts): a weight is decoded
// and put upright on the way, 16 of its rows at a time, so that no more of it is unpacked than one product needs.
import { type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { BLOCK, OUTER_PANEL_BYTES } from "./gemm-pack-floats.ts";
import { OUTER_PANEL } from "./gemm-outputs.ts";
import { putUpright, tileBlocks } from "./gemm-pack-tiles.ts";
import { FLOAT_BYTES, ceilDiv } from "./loops.ts";
import { decodeBlock } from "./packed-blocks.ts";
import {
  BLOCK_LINE_BYTES,
  TILE_PIECES,
  type TileFormat,
  storeLines,
  tileBlockBytes,
  tileFormats,
  unpackRows,
} from "./tile-weights.ts";
import {
  BLOCK_COLUMNS,
  BLOCK_STEPS,
  PANEL_ROWS,
  STEP_BYTES,
  STEP_COLUMNS,
  TILE_BYTES,
  TILE_ROW_BYTES,
  stepsOf,
} from "./tiles.ts";
import { QUAD } from "./blocks.ts";

/** weight: packed, `count` columns; out: the form of its rows from `first` on, a multiple of 16, `columns` of them. */
const words = ["weight", "out", "count", "columns", "first"] as const;
export type PackWeightKernel = Kernel<(typeof words)[number]>;

/** Scratch: lines of two groups, and a tile of each half of their columns. */
const SIDES = [0, 1] as const;
const TILES = SIDES.length * BLOCK_LINE_BYTES;

/** A unit is two groups, which make a step, by 256 columns. A part is a share of the units. `count`: a multiple of 32. */
const packTiles = (name: TileFormat): PackWeightKernel =>
  defineKernel(`gemm.pack.tiles.outer.${name}`, words, (k, { weight, out, count, columns, first }) => {
    const blocks = tileBlocks(columns);
    const panels = ceilDiv(count, PANEL_ROWS);
    const [groups, firstGroup] = [ceilDiv(columns, GROUP_ROWS), first.div(GROUP_ROWS)];
    const groupBytes = count.div(STEP_COLUMNS).mul(tileBlockBytes(name) / BLOCK_STEPS);
    const columnBlocks = ceilDiv(count, BLOCK_COLUMNS);
    k.share(columnBlocks.mul(ceilDiv(columns, STEP_COLUMNS)), (begin, end) => {
      k.range(begin, end, 1, (unit) => {
        const [step, columnBlock] = [unit.div(columnBlocks), unit.rem(columnBlocks)];
        const block = blocks.blockOf(step);
        const stepBytes = step.sub(blocks.stepsBefore(block)).mul(STEP_BYTES);
        const steps = stepsOf(count, columnBlock);
        const sides = SIDES.map((side) => {
          // a last group without a second one is there twice: the other operand has zeros for it
          const group = firstGroup.add(step.mul(2).add(side).min(groups.sub(1)));
          const from = weight.add(group.mul(groupBytes)).add(columnBlock.mul(tileBlockBytes(name)));
          const lines = k.scratch.add(side * BLOCK_LINE_BYTES);
          storeLines(k, name, from, steps, lines);
          return { from, lines };
        });
        k.range(0, steps, 1, (panel) => {
          k.range(0, TILE_PIECES, 1, (piece) => {
            const rows = k.scratch.add(piece.mul(QUAD * TILE_ROW_BYTES)).add(TILES);
            unpackRows(k, name, sides, panel, piece, (i, [left, right]) => {
              for (const half of SIDES) {
                rows.store(left[half].pairBf16(right[half]), half * TILE_BYTES + i * TILE_ROW_BYTES);
              }
            });
          });
          const to = blocks.panelAt(out, panels, block, columnBlock.mul(BLOCK_STEPS).add(panel)).add(stepBytes);
          for (const half of SIDES) putUpright(k, k.scratch.add(TILES + half * TILE_BYTES), to.add(half * TILE_BYTES));
        });
      });
    });
  });

/** Bytes of what a column's 16 weights take in scratch. */
const COLUMN_BYTES = GROUP_ROWS * FLOAT_BYTES;

/** Decodes the 16 weights of each column, one after the other, to scratch. */
function decodeColumns(
  k: KernelBuilder,
  name: PackedFormat,
  group: Int,
  firstBlock: Int,
  blocks: number,
  last: Int,
): void {
  const bytes = groupBlockBytes(name);
  k.range(0, blocks, 1, (block) => {
    const at = group.add(firstBlock.add(block).min(last).mul(bytes));
    const to = k.scratch.add(block.mul(layouts[name].columns * COLUMN_BYTES));
    k.range(0, GROUP_ROWS / k.lanes, 1, (register) => {
      const side = to.add(register.mul(k.lanes * FLOAT_BYTES));
      decodeBlock(k, name, at, register, (column, weights) => side.store(weights, column * COLUMN_BYTES));
    });
  });
}

/** A unit is a group by the columns of a block, 32 at least. A part is a share of the units. */
function packFloats(name: PackedFormat): PackWeightKernel {
  const blockColumns = layouts[name].columns;
  const unitColumns = Math.max(OUTER_PANEL, blockColumns);
  const [unitBlocks, unitPanels] = [unitColumns / blockColumns, unitColumns / OUTER_PANEL];
  return defineKernel(`gemm.pack.outer.${name}`, words, (k, { weight, out, count, columns, first }) => {
    const panels = ceilDiv(count, OUTER_PANEL);
    const blocks = count.div(blockColumns);
    const groupBytes = blocks.mul(groupBlockBytes(name));
    const across = ceilDiv(count, unitColumns);
    k.share(across.mul(ceilDiv(columns, GROUP_ROWS)), (begin, end) => {
      k.range(begin, end, 1, (unit) => {
        const [group, column] = [unit.div(across), unit.rem(across)];
        const from = weight.add(first.div(GROUP_ROWS).add(group).mul(groupBytes));
        // columns that the last panel lacks are the last one once more: their sums are not stored
        decodeColumns(k, name, from, column.mul(unitBlocks), unitBlocks, blocks.sub(1));
        const row = group.mul(GROUP_ROWS);
        const firstPanel = row.div(BLOCK).mul(panels).add(column.mul(unitPanels));
        k.range(0, unitPanels, 1, (panel) => {
          const to = out.add(firstPanel.add(panel).mul(OUTER_PANEL_BYTES));
          const decoded = k.scratch.add(panel.mul(OUTER_PANEL * COLUMN_BYTES));
          k.range(0, GROUP_ROWS, 1, (i) => {
            const target = to.add(
              row
                .rem(BLOCK)
                .add(i)
                .mul(OUTER_PANEL * FLOAT_BYTES),
            );
            const source = decoded.add(i.mul(FLOAT_BYTES));
            for (let n = 0; n < OUTER_PANEL; n++) target.store(source.loadFloat(n * COLUMN_BYTES), n * FLOAT_BYTES);
          });
        });
      });
    });
  });
}

const each = <F extends PackedFormat>(
  names: readonly F[],
  make: (name: F) => PackWeightKernel,
): Readonly<Record<F, PackWeightKernel>> =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Record<F, PackWeightKernel>;

/** By the format: in tiles, rounded to bf16, and in f32. */
export const packTileWeights = each(tileFormats, packTiles);
export const packFloatWeights = each(Object.keys(layouts) as PackedFormat[], packFloats);
