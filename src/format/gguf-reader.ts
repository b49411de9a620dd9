// Reads the header of a GGUF file, versions 2 and 3: metadata and the list of tensors, never their data. The file is
// untrusted: every count, length, offset and alignment is held against the bytes that are there, and errors name the
// field. Not here: files split in parts (gguf-files.ts), what the metadata means (models/, text/).
import { FormatError, UnsupportedError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import { type TextList, TextListBuilder, firstIllFormed } from "../base/text-list.ts";
import {
  alignUp,
  DEFAULT_ALIGNMENT,
  GGUF_MAGIC,
  type GgufEntry,
  type GgufHeader,
  type GgufTensor,
  isNumeric,
  type NumericArray,
  numericArrays,
  type NumericType,
  tensorType,
  tensorTypeName,
  type ValueType,
  valueTypes,
} from "./gguf-types.ts";
import { HeaderCursor } from "./header-cursor.ts";

const PAIR_BYTES_MIN = 8 + 4 + 1; // empty key, type, one byte
const TENSOR_BYTES_MIN = 8 + 4 + 4 + 8; // empty name, no dimensions, type, offset
const NAME_BYTES_MAX = 65535; // the specification's bound for keys
const DIMENSIONS_MAX = 4; // ggml's
const ARRAY_DEPTH_MAX = 4;
const ALIGNMENT_MAX = 2 ** 20;
// strings and nested arrays become objects of their own; the largest vocabularies have half a million strings
const OBJECTS_MAX = 8_000_000;
const STEP_TEXTS = 4096;

/** Reads a header; throws FormatError naming the field, UnsupportedError for version 1 and big-endian files. */
export async function readGguf(source: ByteSource): Promise<GgufHeader> {
  const cursor = new HeaderCursor(source);
  const { version, tensorCount, pairCount } = await cursor.step((at) => readStart(at, source.name));

  const entries = new Map<string, GgufEntry>();
  const budget = { objects: OBJECTS_MAX };
  for (let i = 0; i < pairCount; i++) {
    const [key, entry] = await readPair(cursor, i, budget);
    if (entries.has(key)) cursor.fail("metadata key", key, "a key that was not there before");
    entries.set(key, entry);
  }
  const alignment = readAlignment(cursor, entries.get("general.alignment"));

  const listed: Listed[] = [];
  for (let i = 0; i < tensorCount; i++) listed.push(await cursor.step((at) => readTensor(at, i)));
  const dataOffset = alignUp(cursor.position, alignment);
  const tensors = listed.map((tensor) => placeTensor(source, tensor, dataOffset, alignment));
  checkDistinct(source.name, tensors);
  return { version, alignment, entries, tensors };
}

function readStart(cursor: HeaderCursor, file: string) {
  if (cursor.bytesLeft < 24) cursor.fail("size", `${cursor.bytesLeft} bytes`, "at least 24, the start of a GGUF file");
  const magic = cursor.u32("magic");
  if (magic !== GGUF_MAGIC) cursor.fail("magic", `0x${magic.toString(16).padStart(8, "0")}`, '"GGUF"');
  const version = cursor.u32("version");
  if (version !== 0 && (version & 0xffff) === 0) {
    throw new UnsupportedError(`${file} is a big-endian GGUF file.`, { hint: "Convert it to little-endian." });
  }
  if (version === 1)
    throw new UnsupportedError(`${file} is GGUF version 1.`, { hint: "Convert it again; 2 and 3 are read." });
  if (version !== 2 && version !== 3) cursor.fail("version", version, "2 or 3");
  const tensorCount = cursor.count("tensor count");
  const pairCount = cursor.count("metadata count");
  const most = (bytes: number) => Math.floor(cursor.bytesLeft / bytes);
  if (tensorCount > most(TENSOR_BYTES_MIN)) {
    cursor.fail(
      "tensor count",
      tensorCount,
      `at most ${most(TENSOR_BYTES_MIN)}, for which there are bytes (is it cut off?)`,
    );
  }
  if (pairCount > most(PAIR_BYTES_MIN)) {
    cursor.fail(
      "metadata count",
      pairCount,
      `at most ${most(PAIR_BYTES_MIN)}, for which there are bytes (is it cut off?)`,
    );
  }
  return { version, tensorCount, pairCount };
}

interface Budget {
  objects: number;
}

async function readPair(cursor: HeaderCursor, index: number, budget: Budget): Promise<[string, GgufEntry]> {
  const [key, type] = await cursor.step((at) => {
    const name = readName(at, "metadata key", index);
    return [name, readType(at, `metadata ${name}`)] as const;
  });
  const field = `metadata ${key}`;
  if (type === "array") return [key, await readLongArray(cursor, field, budget)];
  return [key, await cursor.step((at) => readScalar(at, type, field))];
}

/** An array of texts, the bulk of most headers, is read in many steps, so that fetching bytes repeats little work. */
async function readLongArray(cursor: HeaderCursor, field: string, budget: Budget): Promise<GgufEntry> {
  const objects = budget.objects;
  const start = await cursor.step((at) => {
    budget.objects = objects; // a step may run again
    return readArrayStart(at, field, budget);
  });
  const { of, count } = start;
  if (of !== "string") {
    const left = budget.objects;
    return cursor.step((at) => {
      budget.objects = left;
      return readElements(at, field, start, budget, 1);
    });
  }
  if (count <= STEP_TEXTS) return cursor.step((at) => ({ type: "array", of, value: readTexts(at, field, count) }));
  return { type: "array", of, value: await readTextList(cursor, field, count) };
}

async function readTextList(cursor: HeaderCursor, field: string, count: number): Promise<TextList> {
  const builder = new TextListBuilder(count);
  while (builder.length < count) {
    const first = builder.length;
    const end = Math.min(first + STEP_TEXTS, count);
    await cursor.step((at) => {
      builder.truncate(first); // a step may run again
      for (let i = first; i < end; i++) at.textInto(builder, field, at.count(field, i), i);
    });
  }
  const list = builder.finish();
  const illFormed = firstIllFormed(list);
  if (illFormed >= 0) cursor.fail(field, "bytes that are no UTF-8", "UTF-8 text", illFormed);
  return list;
}

function readName(cursor: HeaderCursor, field: string, index: number): string {
  const length = cursor.count(`${field} length`, index);
  if (length > NAME_BYTES_MAX) cursor.fail(`${field} length`, length, `at most ${NAME_BYTES_MAX} bytes`, index);
  return cursor.text(field, length, index);
}

function readType(cursor: HeaderCursor, field: string): ValueType {
  const number = cursor.u32(`${field} type`);
  return valueTypes[number] ?? cursor.fail(`${field} type`, number, `0 to ${valueTypes.length - 1}`);
}

function readScalar(cursor: HeaderCursor, type: Exclude<ValueType, "array">, field: string): GgufEntry {
  if (type === "string") return { type, value: readText(cursor, field) };
  if (type === "bool") return { type, value: readBool(cursor, field) };
  return { type, value: readNumbers(cursor, type, field, 1)[0] } as GgufEntry;
}

interface ArrayStart {
  readonly of: ValueType;
  readonly count: number;
}

/** Element type and count, which is held against the bytes that are left and taken from the budget. */
function readArrayStart(cursor: HeaderCursor, field: string, budget: Budget): ArrayStart {
  const of = readType(cursor, `${field} element`);
  const count = cursor.count(`${field} count`);
  if (isNumeric(of)) return { of, count };
  const bytesEach = { bool: 1, string: 8, array: 12 }[of];
  const most = Math.floor(cursor.bytesLeft / bytesEach);
  if (count > most) cursor.fail(`${field} count`, count, `at most ${most}, for which there are bytes`);
  budget.objects -= count;
  if (budget.objects < 0) {
    cursor.fail(`${field} count`, count, `at most ${OBJECTS_MAX} strings, flags and arrays in all`);
  }
  return { of, count };
}

function readElements(
  cursor: HeaderCursor,
  field: string,
  { of, count }: ArrayStart,
  budget: Budget,
  depth: number,
): GgufEntry {
  if (isNumeric(of)) return { type: "array", of, value: readNumbers(cursor, of, field, count) };
  if (of === "string") return { type: "array", of, value: readTexts(cursor, field, count) };
  const indices = { length: count };
  if (of === "bool") return { type: "array", of, value: Array.from(indices, (_, i) => readBool(cursor, field, i)) };
  if (depth === ARRAY_DEPTH_MAX) cursor.fail(field, `arrays nested ${depth + 1} deep`, `at most ${depth} deep`);
  const value = Array.from(indices, (_, i) => {
    const inner = `${field}[${i}]`;
    return readElements(cursor, inner, readArrayStart(cursor, inner, budget), budget, depth + 1);
  });
  return { type: "array", of, value };
}

function readTexts(cursor: HeaderCursor, field: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => readText(cursor, field, i));
}

function readNumbers(cursor: HeaderCursor, type: NumericType, field: string, count: number): NumericArray {
  const TypedArray = numericArrays[type];
  return new TypedArray(cursor.bytes(field, count * TypedArray.BYTES_PER_ELEMENT).buffer);
}

function readText(cursor: HeaderCursor, field: string, index?: number): string {
  return cursor.text(field, cursor.count(field, index), index);
}

function readBool(cursor: HeaderCursor, field: string, index?: number): boolean {
  const byte = cursor.u8(field, index);
  if (byte > 1) cursor.fail(field, byte, "0 or 1", index);
  return byte === 1;
}

function readAlignment(cursor: HeaderCursor, entry: GgufEntry | undefined): number {
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  const { type, value } = entry;
  if (type !== "u32") return cursor.fail("metadata general.alignment", `of type ${type}`, "a u32");
  if (value === 0 || (value & (value - 1)) !== 0 || value > ALIGNMENT_MAX) {
    cursor.fail("metadata general.alignment", value, `a power of two of at most ${ALIGNMENT_MAX}`);
  }
  return value;
}

/** A tensor with its offset still counted from the start of the data. */
interface Listed extends Omit<GgufTensor, "byteLength"> {}

function readTensor(cursor: HeaderCursor, index: number): Listed {
  const name = readName(cursor, "tensor name", index);
  const field = `tensor ${name}`;
  const dimensions = cursor.u32(`${field} dimensions`);
  if (dimensions > DIMENSIONS_MAX) cursor.fail(`${field} dimensions`, dimensions, `at most ${DIMENSIONS_MAX}`);
  const innermostFirst = Array.from({ length: dimensions }, (_, i) => cursor.count(`${field} shape`, i));
  const ggmlType = cursor.u32(`${field} type`);
  const offset = cursor.count(`${field} offset`);
  return { name, shape: innermostFirst.reverse(), ggmlType, offset };
}

function placeTensor(source: ByteSource, tensor: Listed, dataOffset: number, alignment: number): GgufTensor {
  const fail = (what: string, found: unknown, expected: string): never => {
    throw new FormatError(source.name, `tensor ${tensor.name} ${what}`, found, expected);
  };
  const offset = dataOffset + tensor.offset;
  if (tensor.offset % alignment !== 0) fail("offset", tensor.offset, `a multiple of the alignment, ${alignment}`);
  if (offset > source.size) fail("offset", offset, `inside the file of ${source.size} bytes`);
  const byteLength = bytesOfTensor(tensor, source.size, fail);
  if (byteLength !== undefined && byteLength > source.size - offset) {
    fail("end", `byte ${offset + byteLength}`, `inside the file of ${source.size} bytes (is it cut off?)`);
  }
  return { ...tensor, offset, byteLength };
}

function bytesOfTensor(
  { shape, ggmlType }: Listed,
  fileBytes: number,
  fail: (what: string, found: unknown, expected: string) => never,
): number | undefined {
  const type = tensorType(ggmlType);
  if (type === undefined) return undefined;
  const columns = shape.at(-1) ?? 1;
  if (columns % type.blockSize !== 0) {
    fail("shape", shape, `rows of a multiple of ${type.blockSize} weights, as ${tensorTypeName(ggmlType)} has`);
  }
  let byteLength = (columns / type.blockSize) * type.blockBytes;
  for (const size of shape.slice(0, -1)) {
    // before the product leaves the exact integers, it is larger than any file
    if (size !== 0 && byteLength > fileBytes / size)
      fail("shape", shape, `sizes that fit in the file's ${fileBytes} bytes (is it cut off?)`);
    byteLength *= size;
  }
  return byteLength;
}

function checkDistinct(file: string, tensors: readonly GgufTensor[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name)) throw new FormatError(file, "tensor name", name, "a name that was not there before");
    names.add(name);
  }
  const inOrder = [...tensors].sort((a, b) => a.offset - b.offset || (a.byteLength ?? 0) - (b.byteLength ?? 0));
  for (let i = 1; i < inOrder.length; i++) {
    const before = inOrder[i - 1];
    const { name, offset } = inOrder[i];
    const end = before.offset + (before.byteLength ?? 1);
    if (offset < end) {
      throw new FormatError(file, `tensor ${name} offset`, offset, `${end} or more, behind tensor ${before.name}`);
    }
  }
}
