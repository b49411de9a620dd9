// The frame of the prompt class without tiles: a panel, 256 columns of one or more groups of 16 weight rows, is unpacked
// once into scratch, then multiplied with a block of rows of activations, some rows and registers at a time. A part is a
// share of the (row block, groups) pairs, of which it takes some neighbours at a time: 256 columns of a block of rows meet
// all of them before the next 256 columns. A row's sums run over the columns in order, so its bytes do not depend on the
// rows beside it. What a panel holds: panel-int8.ts (int8), panel-decoded.ts (f32); what becomes of the sums:
// panel-shapes.ts.
import {
  type Floats,
  type Int,
  type Kernel,
  type KernelBuilder,
  type Machine,
  type Variable,
  defineKernel,
} from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { FLOAT_BYTES, LINE_BYTES, ceilDiv } from "./loops.ts";
import type { PanelShape } from "./panel-shapes.ts";
import { type PromptValues, type PromptWord, promptWords, tailBytes } from "./prompt-outputs.ts";
import { PANEL_COLUMNS } from "./rounded-panels.ts";

export type PanelKernel = Kernel<PromptWord>;

/** Bytes of one f32, or of four bytes, of each of the 16 rows of a group. */
export const GROUP_BYTES = GROUP_ROWS * FLOAT_BYTES;
/** Rows of activations that one unpacked panel serves, about: what of them a panel meets stays in the nearer caches. */
export const ROW_BLOCK = 96;
/** The most groups of a panel. */
export const PANEL_GROUPS_MOST = 4;
/**
 * Panels that meet 256 columns of activations one after another: columns by the thousand leave the nearer caches before
 * a row block's next panel would meet them; bench/kernels.ts --columns 8960.
 */
export const PANELS_TOGETHER = 4;

/** Sums of a tile, by row and register. */
export type TileSums = readonly (readonly Variable<Floats>[])[];

/** What of a tile's activations and weights is where. */
export interface Tile {
  /** Address of each row's first activation that the panel meets. */
  readonly rows: readonly Int[];
  /** Address in the unpacked panel of each register of weight rows: of its group, and its bytes in what groups hold. */
  readonly registers: readonly { readonly group: Int; readonly offset: number }[];
  /** Blocks in the panel: all of its 256 columns, or what is left. */
  readonly blocks: Int;
}

/** How many rows and registers are multiplied at once, and where their sums are meanwhile. */
export interface TileSize {
  readonly rows: number;
  readonly registers: number;
  readonly sums: "registers" | "memory";
}

export interface PanelParts {
  readonly label: string;
  readonly format: PackedFormat;
  /** Where the activations of a row that panel `panel` meets are: the first row's address, bytes between rows. */
  readonly activations: (w: PromptValues, panel: Int) => { readonly first: Int; readonly rowBytes: Int };
  readonly tile: (machine: Machine) => TileSize;
  readonly shape: PanelShape;
  /** How a group is unpacked; absent: its packed form is what is multiplied. */
  readonly unpacking?: {
    /** Bytes that an unpacked group takes. */
    readonly groupBytes: (machine: Machine) => number;
    /** Unpacks block `i` of a panel, of all 16 rows of a group, from its packed form to the unpacked group `to`. */
    readonly unpack: (k: KernelBuilder, from: Int, i: Int, to: Int) => void;
  };
  /** Adds the panel's products to a tile's sums. */
  readonly multiply: (k: KernelBuilder, tile: Tile, sums: TileSums) => void;
}

/** Rows of a block: whole tiles. */
const blockRows = ({ rows }: TileSize): number => rows * Math.round(ROW_BLOCK / rows);

export function panelKernel(parts: PanelParts): PanelKernel {
  return defineKernel(parts.label, promptWords, (k, w) => {
    const block = blockRows(parts.tile(k.machine));
    const panels = parts.shape.panels(w);
    k.share(panels.mul(ceilDiv(w.rows, block)), (first, end) => {
      k.range(first.div(panels), end.add(panels).sub(1).div(panels), 1, (rowBlock) => {
        const firstRow = rowBlock.mul(block);
        const at = (row: Int): Int => firstRow.add(row);
        const rows = { count: w.rows.sub(firstRow).min(block), source: at, target: at, targets: w.rows };
        const before = rowBlock.mul(panels);
        const endPanel = end.sub(before).min(panels);
        k.range(first.sub(before).max(0), endPanel, PANELS_TOGETHER, (firstPanel) => {
          computePanels(k, parts, w, rows, firstPanel, endPanel.sub(firstPanel).min(PANELS_TOGETHER));
        });
      });
    });
  });
}

/** The rows of a block: which of the activations they are, and which of the results, of which there are `targets`. */
export interface BlockRows {
  readonly count: Int;
  readonly source: (row: Int) => Int;
  readonly target: (row: Int) => Int;
  readonly targets: Int;
}

/** A block of at most `ROW_BLOCK` rows by `together` panels from `firstPanel` on. */
export function computePanels(
  k: KernelBuilder,
  parts: PanelParts,
  w: PromptValues,
  rows: BlockRows,
  firstPanel: Int,
  together: Int,
): void {
  const { format, shape } = parts;
  const blockColumns = layouts[format].columns;
  const panelBlocks = PANEL_COLUMNS / blockColumns;
  const blockBytes = groupBlockBytes(format);
  const tile = parts.tile(k.machine);
  const block = blockRows(tile);
  const blocks = w.columns.div(blockColumns);
  const rowSumBytes = shape.groups * GROUP_BYTES;
  const sumBytes = block * rowSumBytes;
  const allSums = k.scratch.add(tailBytes(PANEL_GROUPS_MOST * GROUP_ROWS));
  const unpacked = allSums.add(PANELS_TOGETHER * sumBytes);
  /** Where the packed blocks from `from` on of a panel's groups are. */
  const packedGroups = (panel: Int, from: Int): Int[] =>
    shape.groupsOf(w, panel).map(({ weight, group }) => weight.add(group.mul(blocks).add(from).mul(blockBytes)));
  k.range(0, together.mul(sumBytes), k.lanes * FLOAT_BYTES, (at) => allSums.add(at).store(k.floats(0)));
  k.range(0, blocks, panelBlocks, (from) => {
    const count = blocks.sub(from).min(panelBlocks);
    const { first, rowBytes } = parts.activations(w, from.div(panelBlocks));
    k.range(0, together, 1, (n) => {
      const packed = packedGroups(firstPanel.add(n), from);
      const groups = parts.unpacking === undefined ? packed : unpackGroups(k, parts, packed, count, unpacked);
      const isLast = n.add(1).equals(together);
      const next = packedGroups(
        firstPanel.add(isLast.select(k.int(0), n.add(1))),
        from.add(isLast.select(k.int(panelBlocks), k.int(0))),
      );
      const sums = allSums.add(n.mul(sumBytes));
      k.range(0, rows.count, tile.rows, (row) => {
        prefetchShare(next, row, tile.rows, Math.ceil((panelBlocks * blockBytes) / block));
        // where the last tile has fewer rows, the last one is multiplied again; nobody reads those sums
        const tileRows = Array.from({ length: tile.rows }, (_, r) =>
          first.add(rows.source(row.add(r).min(rows.count.sub(1))).mul(rowBytes)),
        );
        multiplyRows(k, parts, tile, tileRows, sums.add(row.mul(rowSumBytes)), groups, count);
      });
    });
  });
  k.range(0, together, 1, (n) => shape.finish(k, w, allSums.add(n.mul(sumBytes)), rows, firstPanel.add(n)));
}

/** Unpacks `count` blocks of each group to scratch; gives where the groups are there. */
function unpackGroups(k: KernelBuilder, parts: PanelParts, packed: readonly Int[], count: Int, unpacked: Int): Int[] {
  const { groupBytes, unpack } = parts.unpacking!;
  const blockBytes = groupBlockBytes(parts.format);
  return packed.map((from, n) => {
    const to = unpacked.add(n * groupBytes(k.machine));
    k.range(0, count, 1, (i) => unpack(k, from.add(i.mul(blockBytes)), i, to));
    return to;
  });
}

/** Asks for what `rows` rows from `row` on have of the bytes at each place, which all rows of a block share out. */
function prefetchShare(places: readonly Int[], row: Int, rows: number, rowBytes: number): void {
  for (const place of places) {
    const at = place.add(row.mul(rowBytes));
    for (let line = 0; line < rows * rowBytes; line += LINE_BYTES) at.prefetch(line);
  }
}

/** Multiplies some rows by all registers of a panel. */
function multiplyRows(
  k: KernelBuilder,
  { shape, multiply }: PanelParts,
  tile: TileSize,
  rows: readonly Int[],
  sumsAt: Int,
  groups: readonly Int[],
  blocks: Int,
): void {
  const perGroup = GROUP_ROWS / k.lanes;
  const registers = shape.groups * perGroup;
  for (let from = 0; from < registers; from += tile.registers) {
    const count = Math.min(tile.registers, registers - from);
    const ofTile = Array.from({ length: count }, (_, n) => {
      const [group, register] = [Math.floor((from + n) / perGroup), (from + n) % perGroup];
      return { group: groups[group], offset: register * k.lanes * FLOAT_BYTES };
    });
    const places = rows.map((_, r) =>
      ofTile.map((_, n) => r * shape.groups * GROUP_BYTES + (from + n) * k.lanes * FLOAT_BYTES),
    );
    if (tile.sums === "memory") {
      multiply(
        k,
        { rows, registers: ofTile, blocks },
        places.map((row) => row.map((at) => inMemory(sumsAt, at))),
      );
      continue;
    }
    const sums = places.map((row) => row.map((at) => k.variable(sumsAt.loadFloats(at))));
    multiply(k, { rows, registers: ofTile, blocks }, sums);
    for (const [r, row] of sums.entries()) {
      for (const [n, sum] of row.entries()) sumsAt.store(sum.value, places[r][n]);
    }
  }
}

const inMemory = (base: Int, offset: number): Variable<Floats> => ({
  get value() {
    return base.loadFloats(offset);
  },
  set value(sum) {
    base.store(sum, offset);
  },
});
