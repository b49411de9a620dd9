// y = x Wᵀ with tile registers, prompt class: x in tile form (tiles.ts), weights of any format but f32 rounded to bf16
// when they are brought to tiles (tile-weights.ts), sums in f32. A unit is a run of column panels (32 outputs) and up to
// 512 rows: block by block of 256 columns and panel by panel, a panel's weights go to scratch once and meet all rows,
// whose sums wait in scratch. A part is a share of the units.
//
// Tile products take long and wait in a queue that is short: what else is to be done, unpacking the next panel and
// finishing the sums of the last rows (tile-shapes.ts), is done in small pieces between them, which then cost nothing.
import { type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import type { ActivationName } from "../../../graph/index.ts";
import { GROUP_ROWS, type PackedFormat } from "../packed-layouts.ts";
import { unary } from "./elementwise.ts";
import { byActivation } from "./gemm-outputs.ts";
import { LINE_BYTES, ceilDiv } from "./loops.ts";
import { BESIDE_BYTES, type Beside, beside, besideWords } from "./low-rank-tiles.ts";
import { outputGroups, promptWords, tailBytes } from "./prompt-outputs.ts";
import { multiplyStep, sumInTiles } from "./tile-products.ts";
import { SUMS_BYTES, type TileShape, type TileSums, UNIT_ROW_PANELS, formed, gated, plain } from "./tile-shapes.ts";
import {
  BLOCK_LINE_BYTES,
  TILE_PIECES,
  type TileFormat,
  storeLines,
  tileBlockBytes,
  tileFormats,
  unpackPiece,
} from "./tile-weights.ts";
import {
  BLOCK_COLUMNS,
  BLOCK_STEPS,
  PANEL_ROWS,
  STEP_BYTES,
  STEP_COLUMNS,
  TILE_BYTES,
  panelAt,
  rowPanelCount,
  stepsOf,
} from "./tiles.ts";

/** The most column panels that a unit takes: their sums stay in the second cache level beside a block of x. */
export const UNIT_PANELS_MOST = 8;

/** Scratch: the outputs' tail, two panels' weights, lines of one, the sums, and more beside the weights. */
const WEIGHTS = tailBytes(2 * GROUP_ROWS);
const WEIGHTS_BYTES = BLOCK_STEPS * STEP_BYTES;
const LINES = WEIGHTS + 2 * WEIGHTS_BYTES;
const SUMS = LINES + 2 * BLOCK_LINE_BYTES;
/** What an adapter has beside a panel's weights. */
const BESIDE = SUMS + UNIT_PANELS_MOST * UNIT_ROW_PANELS * SUMS_BYTES;
export const TILE_SCRATCH_BYTES = BESIDE + BESIDE_BYTES;

/** x: the tile form of (rows, columns); `unitPanels`: column panels of a unit, even where gated. */
export const tileWords = [...promptWords, "unitPanels"] as const;
type Words = Readonly<Record<(typeof tileWords)[number], Int>>;
/** What a unit is computed with. */
export type TileValues = Omit<Words, "unitPanels">;
export type TileKernel = Kernel<(typeof tileWords)[number]>;

/** Steps between which one piece of other work is done. */
const SLOT_STEPS = 2;

/**
 * Adds `steps` steps of products to the sums, which are zero before the first block; after each two `between(slot)`, and
 * after all `last()`.
 */
function multiply(
  k: KernelBuilder,
  operands: { readonly x: Int; readonly weights: Int; readonly sums: Int; readonly steps: Int; readonly isLater: Int },
  between: (slot: Int) => void,
  last: () => void,
): void {
  const { x, weights, sums, steps, isLater } = operands;
  sumInTiles(k, sums, isLater, () => {
    k.range(0, steps, SLOT_STEPS, (step) => {
      const at = step.mul(STEP_BYTES);
      multiplyStep(k, x.add(at), weights.add(at));
      k.when(step.add(1).less(steps), () => {
        multiplyStep(k, x.add(at).add(STEP_BYTES), weights.add(at).add(STEP_BYTES));
      });
      between(step.div(SLOT_STEPS));
    });
    last();
  });
}

function computeShare(k: KernelBuilder, w: Words, name: TileFormat, shape: TileShape, more?: Beside): void {
  const rowPanels = rowPanelCount(w.rows);
  const panels = columnPanels(w, shape);
  const units = panels.add(w.unitPanels).sub(1).div(w.unitPanels);
  k.share(units.mul(ceilDiv(rowPanels, UNIT_ROW_PANELS)), (first, end) => {
    k.range(first, end, 1, (unit) => {
      const firstRows = unit.div(units).mul(UNIT_ROW_PANELS);
      const firstPanel = unit.rem(units).mul(w.unitPanels);
      computeUnit(k, w, name, shape, {
        firstRows,
        rowCount: rowPanels.sub(firstRows).min(UNIT_ROW_PANELS),
        firstPanel,
        panelCount: panels.sub(firstPanel).min(w.unitPanels),
        target: (row) => row,
        ...(more !== undefined && { more }),
      });
    });
  });
}

type MakeKernel<K> = (name: TileFormat, suffix: string, shape: TileShape) => K;

const tileKernel: MakeKernel<TileKernel> = (name, suffix, shape) =>
  defineKernel(`linear.${name}.tiles${suffix}`, tileWords, (k, w) => computeShare(k, w, name, shape));

const adaptedWords = [...tileWords, ...besideWords] as const;
const adaptedTileKernel: MakeKernel<Kernel<(typeof adaptedWords)[number]>> = (name, suffix, shape) =>
  defineKernel(`linear.${name}.tiles${suffix}.adapted`, adaptedWords, (k, w) =>
    computeShare(k, w, name, shape, beside(k, w)),
  );

/** Column panels of all outputs. */
export const columnPanels = (w: Pick<Words, "outer">, { groups }: TileShape): Int => ceilDiv(outputGroups(w), groups);

/** Panels of 32 rows, of columns; which row of the results a row is. */
interface Unit {
  readonly firstRows: Int;
  readonly rowCount: Int;
  readonly firstPanel: Int;
  readonly panelCount: Int;
  readonly target: (row: Int) => Int;
  /** What is multiplied beside the weights; absent: nothing. */
  readonly more?: Beside;
}

/** A turn is a panel's block meeting all rows; in each the next turn's weights are unpacked. */
export function computeUnit(k: KernelBuilder, w: TileValues, name: TileFormat, shape: TileShape, unit: Unit): void {
  const { firstRows, rowCount, firstPanel, panelCount, target, more } = unit;
  const blocks = ceilDiv(w.columns, BLOCK_COLUMNS);
  const turns = blocks.mul(panelCount);
  unpackAll(k, openTurn(k, w, name, shape, unit, k.int(0)));
  k.range(0, turns, 1, (turn) => {
    const [block, inUnit] = [turn.div(panelCount), turn.rem(panelCount)];
    const steps = stepsOf(w.columns, block);
    const x = panelAt(w.x, rowPanelCount(w.rows), w.columns, block, firstRows);
    const panelSums = k.scratch.add(inUnit.mul(UNIT_ROW_PANELS * SUMS_BYTES).add(SUMS));
    // after the last turn its own weights once more, for nobody
    const next = openTurn(k, w, name, shape, unit, turn.add(1).min(turns.sub(1)));
    askFor(k, w, name, shape, unit, turn.add(2).min(turns.sub(1)));
    const slots = ceilDiv(steps, SLOT_STEPS);
    const piecesOfSlot = ceilDiv(next.pieces, slots.mul(rowCount));
    const rowsOfSlot = ceilDiv(k.int(PANEL_ROWS), slots);
    const isLast = block.equals(blocks.sub(1));
    const sumsOf = (rowPanel: Int): TileSums => ({
      at: panelSums.add(rowPanel.mul(SUMS_BYTES)),
      rowPanel: firstRows.add(rowPanel),
      panel: firstPanel.add(inUnit),
      inUnit,
      target: (row) => target(firstRows.add(rowPanel).mul(PANEL_ROWS).add(row)),
    });
    if (more !== undefined) {
      k.when(isLast, () => more.fill(shape.columns(firstPanel.add(inUnit)), k.scratch.add(BESIDE)));
    }
    const addMore = (rowPanel: Int): void => {
      if (more === undefined) return;
      const rows = more.rows(firstRows.add(rowPanel));
      k.range(0, isLast.select(more.steps, 0), 1, (step) => {
        const at = step.mul(STEP_BYTES);
        multiplyStep(k, rows.add(at), k.scratch.add(BESIDE).add(at));
      });
    };
    k.range(0, rowCount, 1, (rowPanel) => {
      const operands = {
        x: x.add(rowPanel.mul(steps).mul(STEP_BYTES)),
        weights: weightsOf(k, turn),
        sums: panelSums.add(rowPanel.mul(SUMS_BYTES)),
        steps,
        isLater: block,
      };
      const finishesOther = isLast.and(k.int(0).less(rowPanel));
      const between = (slot: Int): void => {
        const first = rowPanel.mul(slots).add(slot).mul(piecesOfSlot);
        k.range(first, first.add(piecesOfSlot).min(next.pieces), 1, next.unpack);
        k.when(finishesOther, () => {
          const row = slot.mul(rowsOfSlot);
          shape.finish(k, w, sumsOf(rowPanel.sub(1)), row, row.add(rowsOfSlot).min(PANEL_ROWS));
        });
      };
      multiply(k, operands, between, () => addMore(rowPanel));
    });
    k.when(isLast, () => {
      const sums = sumsOf(rowCount.sub(1));
      const rows = w.rows.sub(sums.rowPanel.mul(PANEL_ROWS)).min(PANEL_ROWS);
      shape.finish(k, w, sums, k.int(0), rows);
    });
  });
}

/** Where the unpacked weights of a turn lie: in one of two places, by turns. */
const weightsOf = (k: KernelBuilder, turn: Int): Int => k.scratch.add(turn.and(1).mul(WEIGHTS_BYTES)).add(WEIGHTS);

interface Turn {
  /** Pieces that its weights are unpacked in. */
  readonly pieces: Int;
  readonly unpack: (piece: Int) => void;
}

/** Where the packed blocks of a turn's two sides lie, and which block of columns they are. */
function blocksOf(w: TileValues, name: TileFormat, shape: TileShape, unit: Unit, turn: Int) {
  const blockBytes = tileBlockBytes(name);
  const groupBytes = w.columns.div(STEP_COLUMNS).mul(blockBytes / BLOCK_STEPS);
  const [block, panel] = [turn.div(unit.panelCount), unit.firstPanel.add(turn.rem(unit.panelCount))];
  const [left, right] = shape.sides(w, panel, groupBytes).map((side) => side.add(block.mul(blockBytes)));
  return { block, left, right };
}

/** Asks for a turn's packed weights: a quarter less time for a prompt of 20 to 128 rows (bench/model.ts, 2 threads). */
function askFor(k: KernelBuilder, w: TileValues, name: TileFormat, shape: TileShape, unit: Unit, turn: Int): void {
  const { left, right } = blocksOf(w, name, shape, unit, turn);
  k.range(0, tileBlockBytes(name), LINE_BYTES, (at) => {
    for (const side of [left, right]) side.add(at).prefetch();
  });
}

/** Prepares the unpacking of a turn's weights: their lines are stored. */
function openTurn(k: KernelBuilder, w: TileValues, name: TileFormat, shape: TileShape, unit: Unit, turn: Int): Turn {
  const { block, left, right } = blocksOf(w, name, shape, unit, turn);
  const steps = stepsOf(w.columns, block);
  const to = weightsOf(k, turn);
  k.range(0, 2, 1, (side) => {
    const lines = k.scratch.add(side.mul(BLOCK_LINE_BYTES)).add(LINES);
    storeLines(k, name, side.select(right, left), steps, lines);
  });
  return {
    pieces: steps.mul(2 * TILE_PIECES),
    unpack(piece) {
      const tile = piece.div(TILE_PIECES);
      const isRight = steps.sub(1).less(tile);
      const step = tile.sub(isRight.select(steps, 0));
      const lines = k.scratch.add(isRight.mul(BLOCK_LINE_BYTES)).add(LINES);
      const at = to.add(step.mul(STEP_BYTES)).add(isRight.mul(TILE_BYTES));
      unpackPiece(k, name, isRight.select(right, left), step, piece.and(TILE_PIECES - 1), lines, at);
    },
  };
}

const unpackAll = (k: KernelBuilder, { pieces, unpack }: Turn): void => k.range(0, pieces, 1, unpack);

const each = <K>(make: MakeKernel<K>, suffix: string, shape: TileShape): Readonly<Record<TileFormat, K>> =>
  Object.fromEntries(tileFormats.map((name) => [name, make(name, suffix, shape)])) as Record<TileFormat, K>;

/** Formats whose weights tiles can be made of; `columns` must be a multiple of 32. */
export const isTileFormat = (name: PackedFormat): name is TileFormat => name !== "f32";

/** By what becomes of sums, and the activation. */
function kernelsOf<K>(make: MakeKernel<K>) {
  const byName = (suffix: string, shape: (by: ActivationName) => TileShape) =>
    Object.fromEntries(
      (Object.keys(unary) as ActivationName[]).map((name) => [name, each(make, `${suffix}.${name}`, shape(name))]),
    ) as Record<ActivationName, Readonly<Record<TileFormat, K>>>;
  return {
    /** out = f(x Wᵀ + bias) + residual. */
    plain: byActivation((activation, suffix) => each(make, suffix, plain(activation))),
    /** out = f(x Wᵀ + bias) in tile form; `outer` is a multiple of 32. */
    formed: byName(".formed", formed),
    /** out = f(x Wᵀ) * (x Vᵀ) in tile form; `outer` is a multiple of 32. */
    gated: byName("", gated),
  } as const;
}

export const tileKernels = kernelsOf(tileKernel);
/** The same where an adapter adds to x Wᵀ, and to x Vᵀ. */
export const adaptedTileKernels = kernelsOf(adaptedTileKernel);
