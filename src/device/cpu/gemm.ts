// Products of two computed matrices as program steps, what training's matmul nodes and their gradients need: each operand
// is packed into a place of the arena in the form that the machine's product reads, then multiplied, with bias,
// activation and residual on the way. Which ops of the graph: lower-products.ts. Products by weights of a file: lower-prompt.ts.
import { type ActivationName, type ExtentValues, type Size, bound } from "../../graph/index.ts";
import type { Kernel, Machine } from "../../lanes/index.ts";
import { PARTS_MAX } from "./control.ts";
import { FLOAT_UNIT_OUTER, FLOAT_UNIT_ROWS, gemmFloatKernels } from "./kernels/gemm-floats.ts";
import { type Activation, type GemmWord, OUTER_PANEL } from "./kernels/gemm-outputs.ts";
import {
  BLOCK,
  type FloatRounding,
  type Lie,
  type PackOperandKernel,
  ROW_PANEL,
  floatOuterBytes,
  floatRowsBytes,
  packFloatOuter,
  packFloatRows,
} from "./kernels/gemm-pack-floats.ts";
import { TILE_BLOCK_COLUMNS, packTileOuter, packTileRows, tileOperandBytes } from "./kernels/gemm-pack-tiles.ts";
import { TILE_UNIT_OUTER, TILE_UNIT_ROWS, gemmTileKernels } from "./kernels/gemm-tiles.ts";
import { PANEL_ROWS } from "./kernels/tiles.ts";
import { type Place, type Step, countOf } from "./step.ts";

/** out = f(a · b + bias) + residual: a is (M, K), b (K, N), out (M, N), all dense f32; K is at least 1. */
export interface Gemm {
  /** M. */
  readonly rows: Size;
  /** K. */
  readonly columns: Size;
  /** N. */
  readonly outer: Size;
  readonly a: Place;
  readonly b: Place;
  readonly out: Place;
  /** The operand that lies transposed in memory: a as (K, M), or b as (N, K). */
  readonly transposed?: "a" | "b";
  /** What operands are rounded to before they are multiplied; sums are f32. */
  readonly rounding: FloatRounding;
  /** (N). */
  readonly bias?: Place;
  readonly activation?: ActivationName;
  /** (M, N); may be `out`, to which the products are then added. */
  readonly residual?: Place;
}

/** How a machine's product of one rounding is put together. */
interface Method {
  readonly product: Readonly<Record<Lie, Readonly<Record<Activation, Kernel<GemmWord>>>>>;
  readonly packRows: Readonly<Record<Lie, PackOperandKernel>>;
  readonly packOuter: Readonly<Record<Lie, PackOperandKernel>>;
  readonly rowsBytes: (count: number, columns: number) => number;
  readonly outerBytes: (count: number, columns: number) => number;
  readonly rowPanel: number;
  /** Columns that are packed at once, at most. */
  readonly block: number;
  /** Panels that a unit takes at most. */
  readonly unitRows: number;
  readonly unitOuter: number;
}

const inTiles: Method = {
  product: { along: gemmTileKernels, across: gemmTileKernels },
  packRows: packTileRows,
  packOuter: packTileOuter,
  rowsBytes: tileOperandBytes,
  outerBytes: tileOperandBytes,
  rowPanel: PANEL_ROWS,
  block: TILE_BLOCK_COLUMNS,
  unitRows: TILE_UNIT_ROWS,
  unitOuter: TILE_UNIT_OUTER,
};

const inFloats = (rounding: FloatRounding): Method => ({
  product: gemmFloatKernels,
  packRows: { along: packFloatRows.along[rounding], across: packFloatRows.across[rounding] },
  packOuter: { along: packFloatOuter.along[rounding], across: packFloatOuter.across[rounding] },
  rowsBytes: floatRowsBytes,
  outerBytes: floatOuterBytes,
  rowPanel: ROW_PANEL,
  block: BLOCK,
  unitRows: FLOAT_UNIT_ROWS,
  unitOuter: FLOAT_UNIT_OUTER,
});

const methodOf = (rounding: FloatRounding, { tiles }: Machine): Method =>
  rounding === "bf16" && tiles ? inTiles : inFloats(rounding);

/** Units that a product is cut into at least, where it has the panels: threads then end a step together. */
const UNITS_LEAST = 16;

const sizeIn = (size: Size, extents: ExtentValues): number => (typeof size === "number" ? size : extents[size.name]);

/** Panels of a unit, about as many in each: as many units as leave none larger than the most, and enough for threads. */
function unitsOf(rows: number, outer: number, { unitRows, unitOuter }: Method): { rows: number; outer: number } {
  let [down, across] = [Math.ceil(rows / unitRows), Math.ceil(outer / unitOuter)];
  while (down * across < UNITS_LEAST && (down < rows || across < outer)) {
    const isTaller = rows / down >= outer / across;
    if ((isTaller && down < rows) || across >= outer) down = Math.min(2 * down, rows);
    else across = Math.min(2 * across, outer);
  }
  return { rows: Math.ceil(rows / down), outer: Math.ceil(outer / across) };
}

/** Where an operand is packed, and whether a step must do so: another product may have done it in this form before. */
export interface PackedOperand {
  readonly place: Place;
  readonly isNew: boolean;
}

/**
 * The steps of a product; `packed` gives places of the arena that live as long as steps name them, for an operand in a
 * form of that name.
 */
export function gemmSteps(
  gemm: Gemm,
  machine: Machine,
  packed: (bytes: number, operand: "a" | "b", form: string) => PackedOperand,
): Step[] {
  const { rows, columns, outer, rounding, activation = "none" } = gemm;
  const method = methodOf(rounding, machine);
  const [lieA, lieB]: Lie[] = [
    gemm.transposed === "a" ? "across" : "along",
    gemm.transposed === "b" ? "along" : "across",
  ];
  const [packRows, packOuter] = [method.packRows[lieA], method.packOuter[lieB]];
  const a = packed(method.rowsBytes(bound(rows), bound(columns)), "a", packRows.name);
  const b = packed(method.outerBytes(bound(outer), bound(columns)), "b", packOuter.name);
  const pack = (kernel: PackOperandKernel, x: Place, out: Place, count: Size, panel: number): Step => ({
    kernel,
    words: { x, out, count: countOf([count]), columns: countOf([columns]) },
    parts: (extents) =>
      Math.min(
        Math.ceil(sizeIn(count, extents) / panel) * Math.ceil(sizeIn(columns, extents) / method.block),
        PARTS_MAX,
      ),
  });
  const panels = (extents?: ExtentValues): [number, number] => {
    const [m, n] = [rows, outer].map((size) => (extents === undefined ? bound(size) : sizeIn(size, extents)));
    return [Math.ceil(m / method.rowPanel), Math.ceil(n / OUTER_PANEL)];
  };
  const unit = unitsOf(...panels(), method);
  const product: Step = {
    kernel: method.product[lieA][activation],
    words: {
      a: a.place,
      b: b.place,
      bias: gemm.bias ?? 0,
      residual: gemm.residual ?? 0,
      out: gemm.out,
      rows: countOf([rows]),
      columns: countOf([columns]),
      outer: countOf([outer]),
      unitRows: unit.rows,
      unitOuter: unit.outer,
    },
    parts(extents) {
      const [down, across] = panels(extents);
      return Math.min(Math.ceil(down / unit.rows) * Math.ceil(across / unit.outer), PARTS_MAX);
    },
  };
  return [
    ...(a.isNew ? [pack(packRows, gemm.a, a.place, rows, method.rowPanel)] : []),
    ...(b.isNew ? [pack(packOuter, gemm.b, b.place, outer, OUTER_PANEL)] : []),
    product,
  ];
}
