// Matrices of heads that lie in one tensor, some rows of each head one parameter's and some another's: taking a parameter
// out of it turned over, and putting such a tensor together of its parameters. Numbers keep their float type; blocks, which
// cannot be turned over, become f32.
import type { HeadRows } from "../models/index.ts";
import { type FormatName, bytesForRow, formats } from "../numeric/registry.ts";

/** Fills `into` with rows from `first` on. */
type ReadRows = (first: number, into: Uint8Array) => Promise<void>;

export interface Matrix {
  readonly format: FormatName;
  readonly columns: number;
  readonly read: ReadRows;
}

const floatOf = (format: FormatName): FormatName => (formats[format].blockSize === 1 ? format : "f32");

/** `count` rows from `first` on, as numbers of the type `format`. */
async function numbers(matrix: Matrix, first: number, count: number, format: FormatName): Promise<Uint8Array> {
  const bytes = new Uint8Array(count * bytesForRow(matrix.format, matrix.columns));
  await matrix.read(first, bytes);
  if (matrix.format === format) return bytes;
  return new Uint8Array(formats[matrix.format].decode(bytes, count * matrix.columns).buffer);
}

/** (rows, columns) turned over, of numbers of `size` bytes. */
export function turned(from: Uint8Array, rows: number, columns: number, size: number): Uint8Array {
  const to = new Uint8Array(from.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [source, target] = [(row * columns + column) * size, (column * rows + row) * size];
      for (let byte = 0; byte < size; byte++) to[target + byte] = from[source + byte];
    }
  }
  return to;
}

/** Reads rows of heads, `rows` to each: `headOf` gives a head's whole. */
function byHeads(rows: number, rowBytes: number, headOf: (head: number) => Promise<Uint8Array>): ReadRows {
  return async (first, into) => {
    const end = first + into.byteLength / rowBytes;
    for (let head = Math.floor(first / rows); head * rows < end; head++) {
      const [from, to] = [Math.max(first, head * rows), Math.min(end, (head + 1) * rows)];
      const bytes = (await headOf(head)).subarray((from - head * rows) * rowBytes, (to - head * rows) * rowBytes);
      into.set(bytes, (from - first) * rowBytes);
    }
  };
}

/** The parameter whose columns are the rows of `tensor` that `layout` names: (heads * tensor's columns, count). */
export function turnedHeads(tensor: Matrix, { of, first, count }: HeadRows): Matrix {
  const format = floatOf(tensor.format);
  const size = formats[format].blockBytes;
  const headOf = async (head: number): Promise<Uint8Array> =>
    turned(await numbers(tensor, head * of + first, count, format), count, tensor.columns, size);
  return { format, columns: count, read: byHeads(tensor.columns, count * size, headOf) };
}

/** The tensor, of `columns` columns, that has the rows of all parameters. */
export function joinedHeads(
  parts: readonly { readonly parameter: Matrix; readonly layout: HeadRows }[],
  columns: number,
): Matrix {
  const found = new Set(parts.map(({ parameter }) => floatOf(parameter.format)));
  const format = found.size === 1 ? [...found][0] : "f32";
  const size = formats[format].blockBytes;
  const [{ of }] = parts.map(({ layout }) => layout);
  const headOf = async (head: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(of * columns * size);
    for (const { parameter, layout } of parts) {
      const { first, count, transposed } = layout;
      const rows = transposed ? columns : count;
      const own = await numbers(parameter, head * rows, rows, format);
      bytes.set(transposed ? turned(own, rows, count, size) : own, first * columns * size);
    }
    return bytes;
  };
  return { format, columns, read: byHeads(of, columns * size, headOf) };
}
