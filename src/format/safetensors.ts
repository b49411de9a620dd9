// safetensors: a JSON header with names, types, shapes and byte ranges, then the bytes. Reader and writer of single
// files; files in shards are hf-folder.ts's. Untrusted: the header is capped, ranges must fill the file without holes
// or overlap (the format's own rule), sizes must agree with shapes. Source: github.com/huggingface/safetensors.
import { FormatError, ShapeError, UnsupportedError } from "../base/errors.ts";
import { checkRange, type ByteSource } from "../base/source.ts";
import type { FormatName } from "../numeric/registry.ts";
import type { ByteSink } from "./byte-writer.ts";
import { parseJson } from "./json.ts";

const HEADER_BYTES_MAX = 100_000_000; // the reference implementation's cap

/** Bytes of an element, and the number format where there is one. Types that are no weights can be listed and read raw. */
const dtypes: Readonly<Record<string, { readonly bytes: number; readonly format?: FormatName }>> = {
  F64: { bytes: 8, format: "f64" },
  F32: { bytes: 4, format: "f32" },
  F16: { bytes: 2, format: "f16" },
  BF16: { bytes: 2, format: "bf16" },
  I64: { bytes: 8 },
  I32: { bytes: 4 },
  I16: { bytes: 2 },
  I8: { bytes: 1 },
  U64: { bytes: 8 },
  U32: { bytes: 4 },
  U16: { bytes: 2 },
  U8: { bytes: 1 },
  BOOL: { bytes: 1 },
  F8_E4M3: { bytes: 1 },
  F8_E5M2: { bytes: 1 },
};

export interface Safetensor {
  readonly name: string;
  /** "F32", "I64", ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, Safetensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The number format of a dtype; undefined for integers and others that are no weights to us. */
export const formatOfDtype = (dtype: string): FormatName | undefined => dtypes[dtype]?.format;

/** Reads the header of a file; throws FormatError naming the field, UnsupportedError for an unknown dtype. */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsHeader> {
  const fail = (field: string, found: unknown, expected: string): never => {
    throw new FormatError(source.name, field, found, expected);
  };
  if (source.size < 8) fail("size", `${source.size} bytes`, "at least 8, the start of a safetensors file");
  const start = new Uint8Array(8);
  await source.read(0, start);
  const headerBytes = new DataView(start.buffer).getBigUint64(0, true);
  const most = Math.min(source.size - 8, HEADER_BYTES_MAX);
  if (headerBytes > most) fail("header length", headerBytes, `at most ${most} bytes`);
  const json = new Uint8Array(Number(headerBytes));
  await source.read(8, json);
  const dataOffset = 8 + json.byteLength;
  const { __metadata__: metadata, ...listed } = parseJson(source.name, "header", json);

  const tensors = new Map<string, Safetensor>();
  for (const [name, entry] of Object.entries(listed)) {
    const { dtype, shape, start: first, end } = checkEntry(source.name, name, entry);
    tensors.set(name, { name, dtype, shape, offset: dataOffset + first, byteLength: end - first });
  }
  checkFilled(source, [...tensors.values()], dataOffset);
  return { tensors, metadata: checkMetadata(source.name, metadata) };
}

/** All bytes of a tensor: for small ones, such as test data. */
export async function readTensor(
  source: ByteSource,
  { name, offset, byteLength }: Safetensor,
): Promise<Uint8Array<ArrayBuffer>> {
  checkRange(`${source.name}, tensor ${name}`, source.size, offset, byteLength);
  const bytes = new Uint8Array(byteLength);
  await source.read(offset, bytes);
  return bytes;
}

function checkEntry(file: string, name: string, entry: unknown) {
  const fail = (field: string, found: unknown, expected: string): never => {
    throw new FormatError(file, `tensor ${name} ${field}`, found, expected);
  };
  if (typeof entry !== "object" || entry === null) return fail("entry", entry, "an object");
  const { dtype, shape, data_offsets: range } = entry as Record<string, unknown>;
  if (typeof dtype !== "string") return fail("dtype", dtype, "a text");
  if (!isSizes(shape)) return fail("shape", shape, "a list of sizes");
  if (!isSizes(range) || range.length !== 2 || range[0] > range[1]) return fail("data_offsets", range, "[start, end]");
  if (!Object.hasOwn(dtypes, dtype)) {
    throw new UnsupportedError(`${file}: tensor ${name} has dtype ${dtype.slice(0, 40)}, which Liang does not know.`);
  }
  const [start, end] = range;
  let expected = dtypes[dtype].bytes;
  for (const size of shape) {
    expected *= size;
    // a product beyond the exact integers stays beyond, unless a zero follows
    if (!Number.isSafeInteger(expected)) return fail("shape", shape, "sizes whose product is below 2^53");
  }
  if (end - start !== expected) return fail("data_offsets", range, `${expected} bytes, as dtype and shape say`);
  return { dtype, shape, start, end };
}

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** The ranges, in order, must fill the data exactly. */
function checkFilled(source: ByteSource, tensors: Safetensor[], dataOffset: number): void {
  let at = dataOffset;
  for (const { name, offset, byteLength } of tensors.sort(
    (a, b) => a.offset - b.offset || a.byteLength - b.byteLength,
  )) {
    if (offset !== at) {
      throw new FormatError(
        source.name,
        `tensor ${name} data_offsets`,
        `from byte ${offset}`,
        `from byte ${at}, without hole or overlap`,
      );
    }
    at = offset + byteLength;
  }
  if (at !== source.size) {
    throw new FormatError(
      source.name,
      "size",
      `${source.size} bytes`,
      `${at} bytes, as its tensors say (is it cut off?)`,
    );
  }
}

function checkMetadata(file: string, metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (
    typeof metadata !== "object" ||
    metadata === null ||
    Object.values(metadata).some((value) => typeof value !== "string")
  ) {
    throw new FormatError(file, "__metadata__", metadata, "an object of texts");
  }
  return metadata as Record<string, string>;
}

export interface SafetensorToWrite {
  readonly name: string;
  readonly dtype: "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I8" | "U8";
  readonly shape: readonly number[];
  /** Its bytes in order, in pieces of any size; asked for once. */
  readonly data: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Bytes that a tensor takes. */
export const safetensorBytes = ({ dtype, shape }: Pick<SafetensorToWrite, "dtype" | "shape">): number =>
  shape.reduce((product, size) => product * size, dtypes[dtype].bytes);

/** Writes a whole file in the order given; throws ShapeError when a tensor's data has another length than its shape. */
export async function writeSafetensors(
  sink: ByteSink,
  tensors: readonly SafetensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  let offset = 0;
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set("__metadata__", metadata);
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor;
    if (header.has(name)) throw new ShapeError("tensor names", name, "each name once");
    const end = offset + safetensorBytes(tensor);
    header.set(name, { dtype, shape, data_offsets: [offset, end] });
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = new Uint8Array(8 + Math.ceil(json.byteLength / 8) * 8).fill(0x20); // spaces, so that data is aligned
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.byteLength - 8), true);
  padded.set(json, 8);
  await sink.append(padded);
  for (const tensor of tensors) {
    const expected = safetensorBytes(tensor);
    let written = 0;
    for await (const piece of tensor.data()) {
      written += piece.byteLength;
      if (written > expected) break;
      await sink.append(piece);
    }
    if (written !== expected) throw new ShapeError(`bytes of tensor ${tensor.name}`, written, expected);
  }
}
