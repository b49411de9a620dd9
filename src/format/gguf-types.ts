// The vocabulary of GGUF: value types, tensor types, and what a header holds as plain objects. Source: the format's
// specification (ggml, docs/gguf.md). Not here: reading (gguf-reader.ts), writing (gguf-writer.ts).
import type { Texts } from "../base/text-list.ts";
import { formatByGgmlType, type FormatName } from "../numeric/registry.ts";

export const GGUF_MAGIC = 0x46554747; // "GGUF" as a little-endian u32
export const DEFAULT_ALIGNMENT = 32;

/** Value types; a type's number in the file is its place here. */
export const valueTypes = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "string",
  "array",
  "u64",
  "i64",
  "f64",
] as const;

/** Arrays of numbers are typed arrays of just that type. */
export const numericArrays = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
} as const;

export type ValueType = (typeof valueTypes)[number];
export type NumericType = keyof typeof numericArrays;
export type NumericArray = InstanceType<(typeof numericArrays)[NumericType]>;
export const isNumeric = (type: ValueType): type is NumericType => type in numericArrays;

/** A metadata value with its type, so that writing gives back the same bytes. 64-bit integers are bigints; a long array of
 * strings, such as a vocabulary, is a TextList. */
export type GgufEntry =
  | { readonly type: Exclude<NumericType, "u64" | "i64">; readonly value: number }
  | { readonly type: "u64" | "i64"; readonly value: bigint }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "array"; readonly of: NumericType; readonly value: NumericArray }
  | { readonly type: "array"; readonly of: "bool"; readonly value: readonly boolean[] }
  | { readonly type: "array"; readonly of: "string"; readonly value: Texts }
  | { readonly type: "array"; readonly of: "array"; readonly value: readonly GgufEntry[] };

/** A tensor as the header lists it, but with the outermost size first (the file has the innermost first). */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly ggmlType: number;
  /** From the start of the file. */
  readonly offset: number;
  /** Undefined when the type is one that Liang knows nothing of. */
  readonly byteLength: number | undefined;
}

export interface GgufHeader {
  readonly version: number;
  readonly alignment: number;
  readonly entries: ReadonlyMap<string, GgufEntry>;
  readonly tensors: readonly GgufTensor[];
}

interface TensorType {
  readonly name: string;
  readonly blockSize: number;
  readonly blockBytes: number;
}

/** Types that files hold but no number format of ours decodes: enough to list them and check their place. */
const listedOnly: Readonly<Record<number, TensorType>> = {
  9: { name: "q8_1", blockSize: 32, blockBytes: 36 },
  15: { name: "q8_k", blockSize: 256, blockBytes: 292 },
  24: { name: "i8", blockSize: 1, blockBytes: 1 },
  25: { name: "i16", blockSize: 1, blockBytes: 2 },
  26: { name: "i32", blockSize: 1, blockBytes: 4 },
  27: { name: "i64", blockSize: 1, blockBytes: 8 },
};

/** Layout of a tensor type by its number; undefined when nobody here has heard of it. */
export const tensorType = (ggmlType: number): TensorType | undefined =>
  formatByGgmlType.get(ggmlType) ?? listedOnly[ggmlType];

/** A type's name for people: "q4_k", "iq4_xs", "type 57". */
export const tensorTypeName = (ggmlType: number): string => tensorType(ggmlType)?.name ?? `type ${ggmlType}`;

export const formatOfType = (ggmlType: number): FormatName | undefined => formatByGgmlType.get(ggmlType)?.name;

/** The next multiple of `alignment` at or after `offset`. */
export const alignUp = (offset: number, alignment: number): number => Math.ceil(offset / alignment) * alignment;

/** Metadata as plain values: 64-bit integers are numbers where they fit, arrays of them Float64Arrays where all do. */
export function plainMetadata(entries: ReadonlyMap<string, GgufEntry>): Record<string, unknown> {
  const plain = Object.create(null) as Record<string, unknown>; // no prototype: keys come from the file
  for (const [key, entry] of entries) plain[key] = plainValue(entry);
  return plain;
}

function plainValue(entry: GgufEntry): unknown {
  const { value } = entry;
  if (typeof value === "bigint") return isSafe(value) ? Number(value) : value;
  if (value instanceof BigUint64Array || value instanceof BigInt64Array) {
    return value.every(isSafe) ? Float64Array.from(value, Number) : value;
  }
  return entry.type === "array" && entry.of === "array" ? entry.value.map(plainValue) : value;
}

const isSafe = (value: bigint): boolean => BigInt.asIntN(54, value) === value && Number.isSafeInteger(Number(value));
