// Writes GGUF version 3 (or 2, whose layout is the same): metadata in the order given, tensors one after another, each
// padded to the alignment. A file that was laid out this way is written back byte for byte. Tensor data is streamed.
// Not here: what goes into a file (convert/).
import { ShapeError, UsageError } from "../base/errors.ts";
import { bytesForRow, type FormatName, formats } from "../numeric/registry.ts";
import { type ByteSink, ByteWriter } from "./byte-writer.ts";
import {
  alignUp,
  DEFAULT_ALIGNMENT,
  GGUF_MAGIC,
  type GgufEntry,
  type NumericType,
  numericArrays,
  type ValueType,
  valueTypes,
} from "./gguf-types.ts";

/** A tensor to write: outermost size first. */
export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  readonly format: FormatName;
  /** Its bytes in order, in pieces of any size; asked for once. */
  readonly data: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface GgufToWrite {
  /** Default 3. */
  readonly version?: 2 | 3;
  /** `general.alignment` in it sets the alignment. */
  readonly entries: ReadonlyMap<string, GgufEntry>;
  readonly tensors: readonly TensorToWrite[];
}

/**
 * Writes a whole file to `sink`. Throws ShapeError when a row is no whole number of blocks or a tensor's data has not
 * the length that its shape asks for.
 */
export async function writeGguf(sink: ByteSink, { version = 3, entries, tensors }: GgufToWrite): Promise<void> {
  const alignment = alignmentOf(entries);
  const sizes = tensors.map((tensor) => tensorBytes(tensor));
  const header = new ByteWriter();
  header.u32(GGUF_MAGIC);
  header.u32(version);
  header.count(tensors.length);
  header.count(entries.size);
  for (const [key, entry] of entries) {
    writeString(header, key);
    writeType(header, entry.type);
    writeValue(header, entry);
  }
  let offset = 0;
  for (const [i, { name, shape, format }] of tensors.entries()) {
    writeString(header, name);
    header.u32(shape.length);
    for (const size of shape.toReversed()) header.count(size);
    header.u32(formats[format].ggmlType);
    header.count(offset);
    offset = alignUp(offset + sizes[i], alignment);
  }
  // a file without tensors (a vocabulary) ends with its header
  if (tensors.length > 0) header.zeros(alignUp(header.length, alignment) - header.length);
  await sink.append(header.take());

  for (const [i, { name, data }] of tensors.entries()) {
    let written = 0;
    for await (const piece of data()) {
      written += piece.byteLength;
      if (written > sizes[i]) break;
      await sink.append(piece);
    }
    if (written !== sizes[i]) throw new ShapeError(`bytes of tensor ${name}`, written, sizes[i]);
    await sink.append(new Uint8Array(alignUp(written, alignment) - written));
  }
}

/** Bytes of a tensor's data; throws ShapeError when its rows are no whole blocks. */
export function tensorBytes({ shape, format }: Pick<TensorToWrite, "shape" | "format">): number {
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  return rows * bytesForRow(format, shape.at(-1) ?? 1);
}

function alignmentOf(entries: ReadonlyMap<string, GgufEntry>): number {
  const entry = entries.get("general.alignment");
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  if (entry.type === "u32" && entry.value > 0 && (entry.value & (entry.value - 1)) === 0) return entry.value;
  throw new UsageError("general.alignment must be a u32 and a power of two.");
}

function writeType(writer: ByteWriter, type: ValueType): void {
  writer.u32(valueTypes.indexOf(type));
}

function writeString(writer: ByteWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  writer.count(bytes.byteLength);
  writer.bytes(bytes);
}

function writeValue(writer: ByteWriter, entry: GgufEntry): void {
  switch (entry.type) {
    case "string":
      return writeString(writer, entry.value);
    case "bool":
      return writer.u8(entry.value ? 1 : 0);
    case "array":
      return writeArray(writer, entry);
    default:
      return writeNumber(writer, entry.type, entry.value);
  }
}

function writeArray(writer: ByteWriter, entry: GgufEntry & { type: "array" }): void {
  writeType(writer, entry.of);
  writer.count(entry.value.length);
  switch (entry.of) {
    case "string":
      for (const text of entry.value) writeString(writer, text);
      return;
    case "bool":
      for (const flag of entry.value) writer.u8(flag ? 1 : 0);
      return;
    case "array":
      for (const inner of entry.value) {
        if (inner.type !== "array") throw new UsageError(`An array of arrays holds a ${inner.type}.`);
        writeArray(writer, inner);
      }
      return;
    default: {
      const { value } = entry;
      if (!(value instanceof numericArrays[entry.of]))
        throw new UsageError(`An array of ${entry.of} has another type.`);
      writer.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
  }
}

function writeNumber(writer: ByteWriter, type: NumericType, value: number | bigint): void {
  const array = new numericArrays[type](1);
  (array as { [i: number]: number | bigint })[0] = value;
  // an integer that the type cannot hold would be wrapped silently
  const kept = type === "f32" ? Math.fround(value as number) : value;
  if (!Object.is(array[0], kept)) throw new UsageError(`${value} is no ${type}.`);
  writer.bytes(new Uint8Array(array.buffer));
}
