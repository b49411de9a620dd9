// What the column panels of tile products (linear-tiles.ts) are made of and what becomes of their sums: plain (bias,
// activation, residual), formed (bias and activation, out in tile form, as the next product reads it), or gated: a panel has 16 outputs of two weights, whose f(first) * second goes out in tile form, as the next
// product reads it. Sums are finished some rows at a time, between products.
import { type Floats, type Int, type KernelBuilder } from "../../../lanes/index.ts";
import type { ActivationName } from "../../../graph/index.ts";
import { GROUP_ROWS } from "../packed-layouts.ts";
import { unary } from "./elementwise.ts";
import type { Activation } from "./gemm-outputs.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { registersThatAre } from "./outputs.ts";
import { type PromptValues, outputGroups } from "./prompt-outputs.ts";
import { roughUnary } from "./rough.ts";
import {
  BLOCK_STEPS,
  STEP_BYTES,
  TILE_BYTES,
  TILE_ROWS,
  TILE_ROW_BYTES,
  panelAt,
  rowOffset,
  rowPanelCount,
} from "./tiles.ts";

/** Panels of rows that a unit takes: 512 rows. Of bench/kernels.ts. */
export const UNIT_ROW_PANELS = 16;
/** Sums of a panel of rows and one of columns: four tiles, those of the first 16 rows first. */
export const SUMS_BYTES = 4 * TILE_BYTES;

/** Where row `row` of a panel lies in its sums: the left 16 outputs; the right ones are a tile further. */
export const sumsOfRow = (sums: Int, row: Int): Int =>
  sums.add(row.div(TILE_ROWS).mul(2 * TILE_BYTES)).add(row.and(TILE_ROWS - 1).mul(TILE_ROW_BYTES));

/** The sums of a panel of rows and one of columns, when they are whole. */
export interface TileSums {
  readonly at: Int;
  readonly rowPanel: Int;
  readonly panel: Int;
  /** The column panel's number in its unit. */
  readonly inUnit: Int;
  /** Which row of the results a row of the panel is. */
  readonly target: (row: Int) => Int;
}

export interface TileShape {
  /** Groups of 16 outputs of one weight that a panel has. */
  readonly groups: 1 | 2;
  /** Addresses of the packed groups of a panel's left and right outputs. */
  sides(w: PromptValues, panel: Int, groupBytes: Int): readonly [Int, Int];
  /** The first of a panel's left and of its right outputs. */
  columns(panel: Int): readonly [Int, Int];
  /** Does with rows `first` to below `end` of a panel what is to be done; rows past the last there are not asked for. */
  finish(k: KernelBuilder, w: PromptValues, sums: TileSums, first: Int, end: Int): void;
}

/** A panel's two groups of one weight. */
const twoGroups: Pick<TileShape, "groups" | "sides" | "columns"> = {
  groups: 2,
  sides(w, panel, groupBytes) {
    const left = panel.mul(2);
    const right = left.add(1).min(outputGroups(w).sub(1)); // the last group once more where there is no other
    return [w.weight.add(left.mul(groupBytes)), w.weight.add(right.mul(groupBytes))];
  },
  columns: (panel) => [panel.mul(2 * GROUP_ROWS), panel.mul(2 * GROUP_ROWS).add(GROUP_ROWS)],
};

/** `activation`: what sums and bias go through. */
export const plain = (activation: Activation = "none"): TileShape => ({
  ...twoGroups,
  finish(k, w, { at, panel, target }, first, end) {
    const column = panel.mul(2 * GROUP_ROWS);
    const place = column.mul(FLOAT_BYTES);
    const sideBytes = GROUP_ROWS * FLOAT_BYTES;
    const read = registersThatAre(k, w.outer.sub(column), 2);
    const biases = [0, 1].map(() => k.variable(k.floats(0)));
    k.when(w.bias, () => {
      const bias = w.bias.add(column.mul(FLOAT_BYTES));
      biases.forEach((value, side) => (value.value = bias.add(read[side]).loadFloats()));
    });
    const each = (store: (row: Int, sums: readonly Floats[]) => void): void =>
      k.range(first, end, 1, (row) => {
        const from = sumsOfRow(at, row);
        store(
          place.add(target(row).mul(w.outer).mul(FLOAT_BYTES)),
          biases.map((bias, side) => {
            const sum = from.loadFloats(side * TILE_BYTES).add(bias.value);
            return activation === "none" ? sum : unary[activation](sum, k);
          }),
        );
      });
    const isCut = w.outer.less(column.add(2 * GROUP_ROWS));
    k.when(
      isCut,
      () => each((row, sums) => storeCut(k, w, row, sums, w.outer.sub(column), read)),
      () =>
        k.when(
          w.residual,
          () =>
            each((row, sums) =>
              sums.forEach((sum, side) => {
                const residual = w.residual.add(row).loadFloats(side * sideBytes);
                w.out.add(row).store(sum.add(residual), side * sideBytes);
              }),
            ),
          () => each((row, sums) => sums.forEach((sum, side) => w.out.add(row).store(sum, side * sideBytes))),
        ),
    );
  },
});

/** f(sums + bias) goes out in tile form; `outer` is a multiple of 32. */
export const formed = (activation: ActivationName): TileShape => ({
  ...twoGroups,
  finish(k, w, { at, rowPanel, panel }, first, end) {
    const to = stepOf(w, rowPanel, panel);
    const biases = [0, 1].map(() => k.variable(k.floats(0)));
    k.when(w.bias, () => {
      const bias = w.bias.add(panel.mul(2 * GROUP_ROWS * FLOAT_BYTES));
      biases.forEach((value, side) => (value.value = bias.loadFloats(side * GROUP_ROWS * FLOAT_BYTES)));
    });
    k.range(first, end, 1, (row) => {
      const from = sumsOfRow(at, row);
      const [low, high] = biases.map((bias, side) =>
        roughUnary[activation](from.loadFloats(side * TILE_BYTES).add(bias.value), k),
      );
      to.add(rowOffset(row)).store(low.pairBf16(high));
    });
  },
});

/** Where a panel of rows has the step of 32 columns `step` in the tile form that goes out. */
const stepOf = (w: PromptValues, rowPanel: Int, step: Int): Int =>
  panelAt(w.out, rowPanelCount(w.rows), w.outer, step.div(BLOCK_STEPS), rowPanel).add(
    step.and(BLOCK_STEPS - 1).mul(STEP_BYTES),
  );

/** Stores `count` sums of a row, one by one. Uses the first bytes of scratch. */
function storeCut(
  k: KernelBuilder,
  w: PromptValues,
  row: Int,
  sums: readonly Floats[],
  count: Int,
  read: readonly Int[],
): void {
  const added = sums.map((sum) => k.variable(sum));
  const sideBytes = GROUP_ROWS * FLOAT_BYTES;
  k.when(w.residual, () => {
    added.forEach((sum, side) => (sum.value = sum.value.add(w.residual.add(row).add(read[side]).loadFloats())));
  });
  added.forEach((sum, side) => k.scratch.store(sum.value, side * sideBytes));
  k.range(0, count.mul(FLOAT_BYTES), FLOAT_BYTES, (i) => {
    w.out.add(row).add(i).store(k.scratch.add(i).loadFloat());
  });
}

/** Panels come in pairs: 32 outputs make a step of the tile form. */
export function gated(activation: ActivationName): TileShape {
  return {
    groups: 1,
    sides: (w, panel, groupBytes) => {
      const at = panel.mul(groupBytes);
      return [w.weight.add(at), w.second.add(at)];
    },
    columns: (panel) => [panel.mul(GROUP_ROWS), panel.mul(GROUP_ROWS)],
    finish(k, w, { at, rowPanel, panel, inUnit }, first, end) {
      k.when(inUnit.and(1), () => {
        const to = stepOf(w, rowPanel, panel.div(2));
        const before = at.sub(UNIT_ROW_PANELS * SUMS_BYTES);
        k.range(first, end, 1, (row) => {
          const [low, high] = [before, at].map((sums) => {
            const from = sumsOfRow(sums, row);
            return roughUnary[activation](from.loadFloats(), k).mul(from.loadFloats(TILE_BYTES));
          });
          to.add(rowOffset(row)).store(low.pairBf16(high));
        });
      });
    },
  };
}
