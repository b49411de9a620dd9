// What a number format is: weights stored in blocks of a fixed size, decoded by plain loops that round to f32 after
// each operation in the order of ggml's reference (gguf-py `quants.py`), so values agree bit for bit. `blockFormat`
// adds the length checks, so that a format's own file holds its layout and nothing else. Little-endian hosts only.
// Not here: fast kernels (device/).
import { ShapeError } from "../base/errors.ts";
import { type RunSearch, type RunSearches, plainSearches } from "./search.ts";

export interface BlockFormat<N extends string = string> {
  readonly name: N;
  /** The type's number in GGUF files. */
  readonly ggmlType: number;
  /** Weights in a block. */
  readonly blockSize: number;
  readonly blockBytes: number;
  /** The first `count` weights of `bytes`; throws ShapeError unless `count` is whole blocks and they are all there. */
  decode(bytes: Uint8Array, count: number): Float32Array<ArrayBuffer>;
  /**
   * The stored form of whole blocks of `values`, rounded as ggml's reference does. `importance`: what an error of each
   * column costs, one number a column; `values` are then whole rows. Formats whose codes are found without a search make
   * nothing of it. `searches`: who searches where many runs are searched; the bytes are the same. Throws ShapeError where blocks or rows are not whole.
   */
  readonly encode?: (
    values: Float32Array,
    importance?: Float32Array,
    searches?: RunSearches,
  ) => Uint8Array<ArrayBuffer>;
  /** What `encode` asks of `searches`, with importances and without. */
  readonly asked?: readonly RunSearch[];
}

interface Layout<N extends string> extends Omit<BlockFormat<N>, "decode" | "encode"> {
  /** Decodes all of `bytes` into `values`; lengths are already checked. */
  readonly decodeBlocks: (bytes: Uint8Array, values: Float32Array) => void;
  /** Encodes all of `values` into zeroed `bytes`; lengths are already checked. */
  readonly encodeBlocks?: (
    values: Float32Array,
    bytes: Uint8Array,
    importance: Float32Array | undefined,
    searches: RunSearches,
  ) => void;
}

/** A format from its layout and its loops over blocks. */
export function blockFormat<const N extends string>(layout: Layout<N>): BlockFormat<N> {
  const { name, ggmlType, blockSize, blockBytes, decodeBlocks, encodeBlocks, asked } = layout;
  const bytesFor = (count: number) => {
    if (!Number.isSafeInteger(count) || count < 0 || count % blockSize !== 0) {
      throw new ShapeError(`${name} weights`, count, `a multiple of ${blockSize}`);
    }
    return (count / blockSize) * blockBytes;
  };
  return {
    name,
    ggmlType,
    blockSize,
    blockBytes,
    decode(bytes, count) {
      const byteLength = bytesFor(count);
      if (bytes.byteLength < byteLength) throw new ShapeError(`${name} bytes`, bytes.byteLength, byteLength);
      const values = new Float32Array(count);
      decodeBlocks(bytes.subarray(0, byteLength), values);
      return values;
    },
    ...(asked && { asked }),
    ...(encodeBlocks && {
      encode(values: Float32Array, importance?: Float32Array, searches: RunSearches = plainSearches) {
        const bytes = new Uint8Array(bytesFor(values.length));
        if (importance !== undefined) checkRows(name, values.length, importance.length, blockSize);
        encodeBlocks(values, bytes, importance, searches);
        return bytes;
      },
    }),
  };
}

function checkRows(name: string, count: number, columns: number, blockSize: number): void {
  if (columns === 0 || columns % blockSize !== 0) {
    throw new ShapeError(`importance of ${name} columns`, columns, `a multiple of ${blockSize}`);
  }
  if (count % columns !== 0) {
    throw new ShapeError(`${name} weights`, count, `rows of ${columns}, as there are importances`);
  }
}

/** Two nibbles a byte, as ggml packs 32 weights: the first half in the low nibbles, the second in the high ones. */
export const nibble = (bytes: Uint8Array, at: number, i: number): number =>
  i < 16 ? bytes[at + i] & 15 : bytes[at + i - 16] >> 4;
