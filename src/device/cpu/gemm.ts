// Products of two matrices as program steps, what training's matmul nodes and their gradients need: each operand is packed
// into a place of the arena in the form that the machine's product reads, then multiplied, with bias, activation and
// residual on the way. The second one may be a file's weight, of which so much is unpacked at a time as does not matter.
// Which ops of the graph: lower-products.ts. Products x Wᵀ by weights of a file: lower-prompt.ts.
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
import { type PackWeightKernel, packFloatWeights, packTileWeights } from "./kernels/gemm-pack-weights.ts";
import { TILE_UNIT_OUTER, TILE_UNIT_ROWS, gemmTileKernels } from "./kernels/gemm-tiles.ts";
import { isTileFormat } from "./kernels/linear-tiles.ts";
import { PANEL_ROWS, STEP_COLUMNS } from "./kernels/tiles.ts";
import { GROUP_ROWS, type PackedFormat } from "./packed-layouts.ts";
import { type Place, type Step, countOf } from "./step.ts";

/** out = f(a · b + bias) + residual: a is (M, K), b (K, N), out (M, N), all f32 and dense but b, K at least 1. */
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
  /** b is a weight of K rows in this packed format; `transposed` is not "b", there is no activation, and K is a number. */
  readonly weight?: PackedFormat;
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
  readonly packWeight: Readonly<Partial<Record<PackedFormat, PackWeightKernel>>>;
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
  packWeight: packTileWeights,
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
  packWeight: packFloatWeights,
  rowsBytes: floatRowsBytes,
  outerBytes: floatOuterBytes,
  rowPanel: ROW_PANEL,
  block: BLOCK,
  unitRows: FLOAT_UNIT_ROWS,
  unitOuter: FLOAT_UNIT_OUTER,
});

/** Whether products of numbers so rounded are computed in tile registers, whose operands other steps may make too. */
export const isInTiles = (rounding: FloatRounding, { tiles }: Machine): boolean => rounding === "bf16" && tiles;

const methodOf = (rounding: FloatRounding, machine: Machine): Method =>
  isInTiles(rounding, machine) ? inTiles : inFloats(rounding);

/** How the tensors of a product's operands lie. */
export const liesOf = (transposed: Gemm["transposed"]): readonly [Lie, Lie] => [
  transposed === "a" ? "across" : "along",
  transposed === "b" ? "along" : "across",
];

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

/** A product of operands that are in their forms. */
type FormedGemm = Omit<Gemm, "a" | "b" | "weight">;

function productStep(gemm: FormedGemm, method: Method, a: Place, b: Place): Step {
  const { rows, columns, outer, activation = "none" } = gemm;
  const panels = (extents?: ExtentValues): [number, number] => {
    const [m, n] = [rows, outer].map((size) => (extents === undefined ? bound(size) : sizeIn(size, extents)));
    return [Math.ceil(m / method.rowPanel), Math.ceil(n / OUTER_PANEL)];
  };
  const unit = unitsOf(...panels(), method);
  return {
    kernel: method.product[liesOf(gemm.transposed)[0]][activation],
    words: {
      a,
      b,
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
}

/** The step that multiplies operands that are in tiles (kernels/gemm-pack-tiles.ts). */
export const tileProductStep = (gemm: FormedGemm, a: Place, b: Place): Step => productStep(gemm, inTiles, a, b);

/** Where an operand is packed, and whether a step must do so: another product may have done it in this form before. */
export interface PackedOperand {
  readonly place: Place;
  readonly isNew: boolean;
}

/** Whether tiles can be made of a weight as it is packed; a product by others is computed in f32. */
export const isTileWeight = (format: PackedFormat, outer: number): boolean =>
  isTileFormat(format) && outer % STEP_COLUMNS === 0;

/** Bytes of a weight that are unpacked at once, about: more are no faster, and a vocabulary's table has hundreds of MB. */
const UNPACKED_BYTES = 32 << 20;
/** What parts of a weight's rows are multiples of: whole groups, and whole blocks of tiles. */
const PART_ROWS = 512;

type Pack = (bytes: number, operand: "a" | "b", form: string) => PackedOperand;

/**
 * The steps of a product; `packed` gives places of the arena that live as long as steps name them, for an operand in a
 * form of that name.
 */
export function gemmSteps(gemm: Gemm, machine: Machine, packed: Pack, unpackedBytes = UNPACKED_BYTES): Step[] {
  const method = methodOf(gemm.rounding, machine);
  const { columns, outer } = gemm;
  if (gemm.weight === undefined || typeof columns !== "number") {
    return partSteps(gemm, { first: 0, columns }, method, packed);
  }
  const most = PART_ROWS * Math.max(1, Math.floor(unpackedBytes / method.outerBytes(bound(outer), PART_ROWS)));
  return Array.from({ length: Math.ceil(columns / most) }, (_, n) => {
    const part = { first: n * most, columns: Math.min(columns - n * most, most) };
    const { bias: _bias, ...rest } = gemm;
    return partSteps(n === 0 ? gemm : { ...rest, residual: gemm.out }, part, method, packed);
  }).flat();
}

/** Some of the columns that are summed over. */
interface Part {
  readonly first: number;
  readonly columns: Size;
}

function partSteps(gemm: Gemm, { first, columns }: Part, method: Method, packed: Pack): Step[] {
  const { rows, outer, weight } = gemm;
  const [lieA, lieB] = liesOf(gemm.transposed);
  const packRows = method.packRows[lieA];
  const packOuter = weight === undefined ? method.packOuter[lieB] : method.packWeight[weight]!;
  const form = (kernel: Kernel): string => `${kernel.name} ${first} ${bound(columns)}`;
  const a = packed(method.rowsBytes(bound(rows), bound(columns)), "a", form(packRows));
  const b = packed(method.outerBytes(bound(outer), bound(columns)), "b", form(packOuter));
  const unitsOfPack =
    (count: Size, panel: number, block: number) =>
    (extents: ExtentValues): number =>
      Math.min(Math.ceil(sizeIn(count, extents) / panel) * Math.ceil(sizeIn(columns, extents) / block), PARTS_MAX);
  const pack = (kernel: PackOperandKernel, x: Place, out: Place, lie: Lie, count: Size, panel: number): Step => ({
    kernel,
    words: {
      x,
      out,
      count: countOf([count]),
      columns: countOf([columns]),
      stride: countOf([lie === "along" ? gemm.columns : count]),
      first,
    },
    parts: unitsOfPack(count, panel, method.block),
  });
  const packWeight = (kernel: PackWeightKernel): Step => ({
    kernel,
    words: { weight: gemm.b, out: b.place, count: countOf([outer]), columns: countOf([columns]), first },
    parts: unitsOfPack(outer, WEIGHT_COLUMNS, 2 * GROUP_ROWS),
  });
  const packB =
    weight === undefined
      ? pack(method.packOuter[lieB], gemm.b, b.place, lieB, outer, OUTER_PANEL)
      : packWeight(method.packWeight[weight]!);
  return [
    ...(a.isNew ? [pack(packRows, gemm.a, a.place, lieA, rows, method.rowPanel)] : []),
    ...(b.isNew ? [packB] : []),
    productStep({ ...gemm, columns }, method, a.place, b.place),
  ];
}

/** Columns of a weight that a part of unpacking takes at least, by two groups of its rows. */
const WEIGHT_COLUMNS = 256;
