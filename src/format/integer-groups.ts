// Matrices of integer codes with a scale and a zero for each group of columns of a row, w = scale * (code - zero): what GPTQ
// and AWQ store, once their packing is undone. Where groups are whole blocks of a format whose codes reach as far, the
// blocks hold just these values; else they become f16, rounded as PyTorch's product of two f16 is. Scales that are no f16
// make f32.
import { storeF16 } from "../numeric/f16.ts";
import { packFive } from "../numeric/five-bits.ts";
import type { FormatName } from "../numeric/registry.ts";
import { pack } from "../numeric/rounding.ts";
import type { ReadRows } from "./quantized-matrix.ts";

/** What codes less zeros reach from and to. */
interface CodeRange {
  readonly least: number;
  readonly most: number;
}

/** Matrices W (rows, columns) as their codes, zeros and scales say. */
export interface IntegerGroups {
  readonly rows: number;
  readonly columns: number;
  /** Bits of a code. */
  readonly bits: number;
  /** Each column's group. */
  readonly groupOf: Int32Array;
  /** (groups, rows). */
  readonly zeros: Int16Array;
  /** (groups, rows). */
  readonly scales: Float32Array;
}

const BLOCK = 32;

interface Blocks extends CodeRange {
  readonly format: FormatName;
  /** Stores 32 codes less zeros behind the scale of the block at `at`. */
  readonly store: (bytes: Uint8Array, at: number, codes: Int16Array) => void;
  readonly blockBytes: number;
}

const raised = new Uint8Array(BLOCK);

function unsigned(codes: Int16Array, zero: number): Uint8Array {
  for (let i = 0; i < BLOCK; i++) raised[i] = codes[i] + zero;
  return raised;
}

const blocks: readonly Blocks[] = [
  {
    format: "q4_0",
    least: -8,
    most: 7,
    blockBytes: 18,
    store: (bytes, at, codes) => pack(bytes, at + 2, unsigned(codes, 8)),
  },
  {
    format: "q5_0",
    least: -16,
    most: 15,
    blockBytes: 22,
    store: (bytes, at, codes) => packFive(bytes, at + 2, unsigned(codes, 16)),
  },
  {
    format: "q8_0",
    least: -128,
    most: 127,
    blockBytes: 34,
    store: (bytes, at, codes) => bytes.set(unsigned(codes, 0), at + 2),
  },
];

/** The smallest format that holds the values as they are; f16 where none does. */
export function formatFor({ columns, bits, groupOf, zeros, scales }: IntegerGroups): FormatName {
  if (scales.some((scale) => new Float16Array([scale])[0] !== scale)) return "f32";
  const isBlocked = columns % BLOCK === 0 && groupOf.every((group, i) => group === groupOf[i - (i % BLOCK)]);
  if (!isBlocked) return "f16";
  const [lowest, highest] = zeros.reduce(
    ([low, high], zero) => [Math.min(low, zero), Math.max(high, zero)],
    [Infinity, -Infinity],
  );
  const [least, most] = [-highest, 2 ** bits - 1 - lowest];
  return blocks.find((block) => block.least <= least && block.most >= most)?.format ?? "f16";
}

/** Rows in `format`, which `formatFor` gave; `codesOf` writes a row's codes. */
export function encodeRows(
  { rows, columns, groupOf, zeros, scales }: IntegerGroups,
  format: FormatName,
  codesOf: (row: number, into: Uint8Array) => void,
): ReadRows {
  const block = blocks.find((block) => block.format === format);
  const rowBytes = block === undefined ? columns * (format === "f16" ? 2 : 4) : (columns / BLOCK) * block.blockBytes;
  const codes = new Uint8Array(columns);
  const shifted = new Int16Array(BLOCK);
  /** The product of each code, less its zero, and its scale. */
  const storeProducts = (row: number, bytes: Uint8Array, at: number): void => {
    const view = new DataView(bytes.buffer);
    for (let column = 0; column < columns; column++) {
      const group = groupOf[column] * rows + row;
      const value = scales[group] * (codes[column] - zeros[group]);
      if (format === "f16") storeF16(bytes, at + 2 * column, value);
      else view.setFloat32(at + 4 * column, value, true);
    }
  };
  const storeBlocks = ({ blockBytes, store }: Blocks, row: number, bytes: Uint8Array, start: number): void => {
    for (let column = 0, at = start; column < columns; column += BLOCK, at += blockBytes) {
      const group = groupOf[column] * rows + row;
      for (let i = 0; i < BLOCK; i++) shifted[i] = codes[column + i] - zeros[group];
      storeF16(bytes, at, scales[group]);
      store(bytes, at, shifted);
    }
  };
  return async (first, count) => {
    const bytes = new Uint8Array(count * rowBytes);
    for (let i = 0; i < count; i++) {
      codesOf(first + i, codes);
      if (block === undefined) storeProducts(first + i, bytes, i * rowBytes);
      else storeBlocks(block, first + i, bytes, i * rowBytes);
    }
    return bytes;
  };
}
