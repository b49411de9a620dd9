// How weights lie in memory: groups of 16 rows, block by block; inside a block the rows are interleaved unit by unit, so
// that one register load gives the same unit of W neighbouring rows, one a lane. Nothing is lost, and one transposer
// serves every format (kernels/pack.ts). Scales are widened from
// f16 to f32: they are often subnormal as f16, which machines multiply at a hundredth of the speed. The order of fields
// here is their order in the packed block. Source layouts: numeric/.
import type { FormatName } from "../../numeric/registry.ts";

/** A run of units of a source block. */
export interface Field {
  /** Byte offset in the source block. */
  readonly offset: number;
  /** Bytes that stay together: what one lane gets. */
  readonly unit: 1 | 2 | 4;
  /** An f16 that is stored as f32. */
  readonly widen?: boolean;
  readonly count: number;
  /** Bytes are stored xor 0x80, so that signed ones become unsigned ones that are 128 more. */
  readonly flip?: boolean;
  /** A word of 32 bits, bit i for column i, becomes one with bit t of byte j for column 4t + j. */
  readonly spread?: boolean;
}

export interface PackedLayout {
  /** Columns of a block. */
  readonly columns: number;
  /** Bytes of one row's block. */
  readonly bytes: number;
  readonly fields: Readonly<Record<string, Field>>;
}

const half = (offset: number): Field => ({ offset, unit: 2, count: 1 });
const scale = (offset: number): Field => ({ ...half(offset), widen: true });
const words = (offset: number, count: number): Field => ({ offset, unit: 4, count });

export const layouts = {
  f32: { columns: 1, bytes: 4, fields: { value: words(0, 1) } },
  f16: { columns: 1, bytes: 2, fields: { value: half(0) } },
  bf16: { columns: 1, bytes: 2, fields: { value: half(0) } },
  q4_0: { columns: 32, bytes: 18, fields: { d: scale(0), nibbles: words(2, 4) } },
  q4_1: { columns: 32, bytes: 20, fields: { d: scale(0), m: scale(2), nibbles: words(4, 4) } },
  q5_0: {
    columns: 32,
    bytes: 22,
    fields: { d: scale(0), high: { ...words(2, 1), spread: true }, nibbles: words(6, 4) },
  },
  q5_1: {
    columns: 32,
    bytes: 24,
    fields: { d: scale(0), m: scale(2), high: { ...words(4, 1), spread: true }, nibbles: words(8, 4) },
  },
  iq4_nl: { columns: 32, bytes: 18, fields: { d: scale(0), nibbles: words(2, 4) } },
  mxfp4: { columns: 32, bytes: 17, fields: { exponent: { offset: 0, unit: 1, count: 1 }, nibbles: words(1, 4) } },
  q8_0: { columns: 32, bytes: 34, fields: { d: scale(0), bytes: { ...words(2, 8), flip: true } } },
  q4_k: {
    columns: 256,
    bytes: 144,
    fields: { d: scale(0), dmin: scale(2), scales: words(4, 3), nibbles: words(16, 32) },
  },
  q5_k: {
    columns: 256,
    bytes: 176,
    fields: { d: scale(0), dmin: scale(2), scales: words(4, 3), high: words(16, 8), nibbles: words(48, 32) },
  },
  q6_k: {
    columns: 256,
    bytes: 210,
    fields: { d: scale(208), scales: words(192, 4), nibbles: words(0, 32), high: words(128, 16) },
  },
  iq4_xs: {
    columns: 256,
    bytes: 136,
    // the upper bits of the scales are the upper half of a word that begins with the f16
    fields: { d: scale(0), upper: words(0, 1), scales: words(4, 1), nibbles: words(8, 32) },
  },
} as const satisfies Partial<Record<FormatName, PackedLayout>>;
export type PackedFormat = keyof typeof layouts;

/** Of the layouts, the order of weights and what their plain forms are: files of another version are packed anew. */
export const LAYOUT_VERSION = 3;

/** Of formats without a layout of their own: one that holds their weights bit for bit. Not named here: f32. */
const HELD_AS: Readonly<Partial<Record<FormatName, PackedFormat>>> = {
  q3_k: "q6_k",
  nvfp4: "bf16",
  tq1_0: "f16",
  tq2_0: "f16",
};

const hasLayout = (format: FormatName): format is PackedFormat => Object.hasOwn(layouts, format);

/** The packed form of a stored format: its own, or one that holds the same weights; f64 is rounded to f32. */
export const packedFormat = (format: FormatName): PackedFormat =>
  hasLayout(format) ? format : (HELD_AS[format] ?? "f32");

/** Rows of weights that are packed together. */
export const GROUP_ROWS = 16;

/** Bytes of one lane's unit in the packed block. */
export const packedUnit = ({ unit, widen = false }: Field): Field["unit"] => (widen ? 4 : unit);

/** Bytes of a packed block of a group. */
export function groupBlockBytes(format: PackedFormat): number {
  const fields: Field[] = Object.values(layouts[format].fields);
  return GROUP_ROWS * fields.reduce((sum, field) => sum + packedUnit(field) * field.count, 0);
}

/** Bytes of `rows` packed rows; the last group of each of `matrices` is filled up with zeros. */
export function packedBytes(format: PackedFormat, rows: number, columns: number, matrices = 1): number {
  const groups = matrices * Math.ceil(rows / matrices / GROUP_ROWS);
  return groups * (columns / layouts[format].columns) * groupBlockBytes(format);
}

/** Byte offset of each field in a packed block. */
export function fieldOffsets(layout: PackedLayout): Record<string, number> {
  let at = 0;
  return Object.fromEntries(
    Object.entries(layout.fields).map(([name, field]) => {
      const offset = at;
      at += GROUP_ROWS * packedUnit(field) * field.count;
      return [name, offset];
    }),
  );
}
