// Tensors that have the rows of several parameters by turns, in each of the matrices that they are stacks of, put together of
// those parameters; and matrices turned over, each by itself. Of a turned matrix one is held whole, the one that was read last.
import { formats } from "../numeric/registry.ts";
import { type Matrix, turned } from "./head-rows.ts";

/** Row i is row floor(i / P) of parameter i mod P, of P parameters of one shape. */
export function joinedTurns(parts: readonly Matrix[], rowBytes: number): Matrix {
  const [{ format, columns }] = parts;
  const of = parts.length;
  return {
    format,
    columns,
    async read(first, into) {
      const end = first + into.byteLength / rowBytes;
      for (const [turn, part] of parts.entries()) {
        const [from, to] = [first, end].map((row) => Math.ceil((row - turn) / of)); // its rows before one
        const own = new Uint8Array((to - from) * rowBytes);
        await part.read(from, own);
        for (let row = from; row < to; row++) {
          into.set(
            own.subarray((row - from) * rowBytes, (row - from + 1) * rowBytes),
            (row * of + turn - first) * rowBytes,
          );
        }
      }
    },
  };
}

/** A stack of matrices (rows, columns of `stack`), each turned over (columns, rows). Numbers of a float type only. */
export function turnedMatrices({ format, columns, read }: Matrix, rows: number): Matrix {
  const size = formats[format].blockBytes;
  let last: { readonly matrix: number; readonly bytes: Uint8Array } | undefined;
  const matrixOf = async (matrix: number): Promise<Uint8Array> => {
    if (last?.matrix === matrix) return last.bytes;
    const bytes = new Uint8Array(rows * columns * size);
    await read(matrix * rows, bytes);
    last = { matrix, bytes: turned(bytes, rows, columns, size) };
    return last.bytes;
  };
  const rowBytes = rows * size;
  return {
    format,
    columns: rows,
    async read(first, into) {
      const end = first + into.byteLength / rowBytes;
      for (let matrix = Math.floor(first / columns); matrix * columns < end; matrix++) {
        const [from, to] = [Math.max(first, matrix * columns), Math.min(end, (matrix + 1) * columns)];
        const bytes = await matrixOf(matrix);
        const own = bytes.subarray((from - matrix * columns) * rowBytes, (to - matrix * columns) * rowBytes);
        into.set(own, (from - first) * rowBytes);
      }
    },
  };
}
