// What the frame of the decode class (linear-decode.ts) asks of a kind of product: sums of a few rows of activations with
// some registers of one group of 16 weight rows. Bodies: core-int8.ts, core-float.ts, core-decoded.ts.
import type { Floats, Int, KernelBuilder, Machine } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat } from "../packed-layouts.ts";

/** Activation rows that meet an unpacked weight together, and registers of a group's weights that are taken at a time. */
export interface Tile {
  readonly rows: number;
  readonly registers: number;
}

export interface Core {
  /** Part of kernels' names. */
  readonly label: string;
  readonly format: PackedFormat;
  /** Bytes of a row of `columns` activations. */
  readonly rowBytes: (columns: Int) => Int;
  /** Tiles for several rows, the one of fewest rows first; one row takes as many registers as there are. */
  readonly tiles: (machine: Machine) => readonly Tile[];
  /**
   * Sums by row and register, over all columns: of `registers` registers of the group at `weight`, from `first` on. What is computed for a row, and in which order, does not depend on the other rows or on the tile.
   */
  readonly multiply: (
    k: KernelBuilder,
    weight: Int,
    first: Int,
    rows: readonly Int[],
    columns: Int,
    registers: number,
  ) => Floats[][];
}

export const groupRegisters = ({ lanes }: Pick<Machine, "lanes">): number => GROUP_ROWS / lanes;

/** Tiles whose sums, and what is summed at a time, stay in registers; bench/decode.ts. */
export const tilesOf = ({ registers }: Pick<Machine, "registers">): readonly Tile[] =>
  registers === 32
    ? [
        { rows: 4, registers: 1 },
        { rows: 8, registers: 1 },
      ]
    : [{ rows: 2, registers: 2 }];
