// Values of tensors on their way: read from files by rows, in the number format they are to be written in. A value that
// the format cannot hold is an error, never infinity.
import { UnsupportedError } from "../base/errors.ts";
import type { ParameterStore } from "../device/executor.ts";
import { type FormatName, formats } from "../numeric/registry.ts";
import type { RunSearches } from "../numeric/search.ts";
import type { TensorPlan } from "./tensor-plan.ts";

/** Bytes of values on their way at once; what a conversion holds is a few times this. */
const PIECE_BYTES = 8 * 2 ** 20;

/** A tensor's bytes in `format`, a few rows at a time. */
export async function* valuesAs(
  store: ParameterStore,
  { name, change }: TensorPlan,
  format: FormatName,
): AsyncGenerator<Uint8Array> {
  const from = store.parameters.get(name)!.format;
  for await (const piece of pieces(store, name)) {
    if (from === format && change === undefined) yield piece.bytes;
    else yield encodeValues(name, change === undefined ? piece.values() : change(piece.values()), format);
  }
}

export interface Piece {
  readonly firstRow: number;
  /** As stored. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Decoded. */
  readonly values: () => Float32Array<ArrayBuffer>;
}

/** A parameter of a store in pieces of whole rows, of about so many bytes as f32. */
export async function* pieces(
  store: ParameterStore,
  name: string,
  pieceBytes: number = PIECE_BYTES,
): AsyncGenerator<Piece> {
  const { rows, columns, format, byteLength } = store.parameters.get(name)!;
  const rowBytes = byteLength / rows;
  const step = Math.max(1, Math.floor(pieceBytes / (columns * Float32Array.BYTES_PER_ELEMENT)));
  for (let firstRow = 0; firstRow < rows; firstRow += step) {
    const count = Math.min(step, rows - firstRow);
    const bytes = new Uint8Array(count * rowBytes);
    await store.readRows(name, firstRow, bytes);
    yield { firstRow, bytes, values: () => formats[format].decode(bytes, count * columns) };
  }
}

/**
 * `values` in `format`, by the importances of columns where there are some; `searches`: who searches for scales. Throws UnsupportedError when a finite value
 * becomes infinite, and for infinities where a format holds none.
 */
export function encodeValues(
  name: string,
  values: Float32Array<ArrayBuffer>,
  format: FormatName,
  importance?: Float32Array,
  searches?: RunSearches,
): Uint8Array<ArrayBuffer> {
  if (formats[format].blockSize > 1 && !values.every(Number.isFinite)) {
    throw new UnsupportedError(`Tensor ${name} holds ${values.find((value) => !Number.isFinite(value))}.`, {
      hint: `${format} has only numbers: the model is broken, or was made so on the way.`,
    });
  }
  const bytes = encoded(values, format, importance, searches);
  if (format !== "f32") {
    const after = formats[format].decode(bytes, values.length);
    const at = after.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(values[i]));
    if (at >= 0) {
      throw new UnsupportedError(`Tensor ${name} holds ${values[at]}, which is beyond ${format}.`, {
        hint: "Take bf16 or f32.",
      });
    }
  }
  return bytes;
}

/** The values after a passage through `format`. */
export function rounded(values: Float32Array<ArrayBuffer>, format: FormatName): Float32Array<ArrayBuffer> {
  return format === "f32" ? values : formats[format].decode(encoded(values, format), values.length);
}

function encoded(
  values: Float32Array,
  name: FormatName,
  importance?: Float32Array,
  searches?: RunSearches,
): Uint8Array<ArrayBuffer> {
  const format = formats[name];
  if (format.encode === undefined) throw new UnsupportedError(`Liang cannot write ${name}.`);
  return format.encode(values, importance, searches);
}
