// A parameter store over opened model files: reads rows of parameters by range, as the family's loading map says they
// lie in file tensors. Packed blocks are copied as they are; only float types are transposed or changed.
// Not here: which tensors a family has (models/), packing for kernels (device/).
import { FormatError, ShapeError, UnsupportedError } from "../base/errors.ts";
import type { ParameterStore, StoredParameter } from "../device/executor.ts";
import type { TensorSource } from "../format/tensor-source.ts";
import { joinedHeads, turnedHeads } from "./head-rows.ts";
import { joinedTurns, turnedMatrices } from "./joined-turns.ts";
import {
  type Model,
  type ParameterSource,
  ROPE_DIVISORS,
  type RopeChoice,
  readModel,
  readScaledModel,
} from "../models/index.ts";
import { type FormatName, bytesForRow, formats } from "../numeric/registry.ts";

/** What is read of opened model files. */
export type Files = Pick<TensorSource, "file" | "kind" | "config" | "tensors" | "read">;

/** Fills `into` with what follows from `first` on; a unit is a row, or an element of a vector. */
type ReadUnits = (first: number, into: Uint8Array) => Promise<void>;

/** A transposed read takes whole blocks of file rows where it needs at least this share of them. */
const WHOLE_ROWS_SHARE = 1 / 8;
const BLOCK_BYTES = 1 << 20;

/**
 * The model that opened files describe, or with another rope scaling than they say; of their tensors it reads only what
 * shapes the forward.
 */
export async function readModelFiles(files: Files, rope?: RopeChoice): Promise<Model> {
  const { file, kind, config, tensors } = files;
  const facts = { file, kind, config, tensors, ropeDivisors: await readRopeDivisors(files) };
  return rope === undefined ? readModel(facts) : readScaledModel(facts, rope);
}

/** The values of GGUF's tensors of rope divisors, by name. */
export async function readRopeDivisors(files: Files): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const { file, kind, tensors } = files;
  const values = new Map<string, Float32Array<ArrayBuffer>>();
  if (kind !== "gguf") return values;
  for (const { name, shape, format } of tensors.values()) {
    if (!ROPE_DIVISORS.test(name)) continue;
    const count = shape.reduce((product, size) => product * size, 1);
    // one number for each pair of a head's columns, so a long one is no such table
    if (count > 4096) throw new FormatError(file, `shape of ${name}`, [...shape], "at most 4096 values");
    const bytes = new Uint8Array(bytesForRow(format, count));
    await files.read(name, 0, bytes);
    values.set(name, formats[format].decode(bytes, count));
  }
  return values;
}

/**
 * Opens a store over `files`, which must stay open as long as it is read. Throws UnsupportedError for a tensor whose
 * number format Liang lacks, or that would have to be transposed or changed in a block format.
 */
export function openFileStore(files: Files, model: Pick<Model, "parameters">): ParameterStore {
  const parameters = new Map<string, StoredParameter>();
  const readers = new Map<string, ReadUnits>();
  for (const [name, source] of model.parameters) {
    const { stored, read } = openParameter(files, name, source);
    parameters.set(name, stored);
    readers.set(name, read);
  }
  return {
    parameters,
    async readRows(name, firstRow, into) {
      const stored = parameters.get(name);
      const read = readers.get(name);
      if (stored === undefined || read === undefined) throw new ShapeError("parameter", name, "one of the model's");
      const rowBytes = stored.byteLength / stored.rows;
      const rows = into.byteLength / rowBytes;
      if (!Number.isInteger(rows) || firstRow < 0 || firstRow + rows > stored.rows) {
        throw new ShapeError(`rows of ${name}`, [firstRow, firstRow + rows], `whole rows inside ${stored.rows}`);
      }
      await read(firstRow, into);
    },
  };
}

function openParameter(
  files: Files,
  name: string,
  source: ParameterSource,
): { readonly stored: StoredParameter; readonly read: ReadUnits } {
  if (source.joinedHeads !== undefined || source.turnedHeads !== undefined) return openHeads(files, name, source);
  if (source.joinedTurns !== undefined) return openTurns(files, name, source, source.joinedTurns);
  const { vector, rows, columns, pieces, rowAt, transpose, addOne, unitRows, byElement = vector } = source;
  const found = new Set(pieces.map(({ tensor }) => formatOf(files, tensor)));
  const [format] = found;
  if (found.size !== 1)
    throw new UnsupportedError(`${files.file}: the parts of ${name} are stored as ${[...found].join(" and ")}.`);
  const isFloat = formats[format].blockSize === 1;
  if (!isFloat && (transpose || addOne || unitRows || byElement)) {
    throw new UnsupportedError(
      `${files.file}: ${pieces[0].tensor} is stored as ${format}, but must be a float type here.`,
    );
  }
  const units = pieces.reduce((sum, { count }) => sum + count, 0);
  // a permutation may leave rows out, which are another parameter's
  if (rowAt === undefined && units !== (vector ? columns : rows))
    throw new ShapeError(`pieces of ${name}`, units, vector ? columns : rows);

  const unitBytes = byElement ? formats[format].blockBytes : bytesForRow(format, columns);
  let read = transpose ? transposedPieces(files, source, format) : joinedPieces(files, pieces, unitBytes);
  if (rowAt !== undefined) read = permuted(read, rowAt, unitBytes);
  if (byElement && !vector) read = byRows(read, columns);
  if (addOne) read = plusOne(read, format);
  if (unitRows) read = ofUnitRows(read, format, columns);
  const storedFormat = addOne ? "f32" : format;
  const byteLength = rows * bytesForRow(storedFormat, columns);
  const matrices = source.matrices === undefined ? {} : { matrices: source.matrices };
  return { stored: { name, rows, columns, format: storedFormat, byteLength, ...matrices }, read };
}

/** A parameter that is made of other rows of a tensor than its own. */
function openHeads(files: Files, name: string, source: ParameterSource): ReturnType<typeof openParameter> {
  const { rows, columns } = source;
  const { format, read } = headsOf(files, name, source);
  const matrices = source.matrices === undefined ? {} : { matrices: source.matrices };
  return {
    stored: { name, rows, columns, format, byteLength: rows * bytesForRow(format, columns), ...matrices },
    read,
  };
}

/** A tensor that is put together of parameters by turns. */
function openTurns(
  files: Files,
  name: string,
  { rows, columns, turnedMatrices: of }: ParameterSource,
  parts: readonly ParameterSource[],
): ReturnType<typeof openParameter> {
  const opened = parts.map((part) => openParameter(files, name, part));
  const [{ format, columns: inner }] = opened.map(({ stored }) => stored);
  const matrices = opened.map(({ stored, read }) => ({ format: stored.format, columns: stored.columns, read }));
  const joined = joinedTurns(matrices, bytesForRow(format, inner));
  const { read } = of === undefined ? joined : turnedMatrices(joined, of);
  return { stored: { name, rows, columns, format, byteLength: rows * bytesForRow(format, columns) }, read };
}

function headsOf(
  files: Files,
  name: string,
  { columns, pieces, turnedHeads: layout, joinedHeads: parts }: ParameterSource,
) {
  if (layout === undefined) {
    const opened = parts!.map((part) => {
      const { stored, read } = openParameter(files, name, part.parameter);
      return { layout: part.layout, parameter: { format: stored.format, columns: stored.columns, read } };
    });
    return joinedHeads(opened, columns);
  }
  const [{ tensor }] = pieces;
  const format = formatOf(files, tensor);
  const width = files.tensors.get(tensor)!.shape.at(-1) as number;
  return turnedHeads({ format, columns: width, read: joinedPieces(files, pieces, bytesForRow(format, width)) }, layout);
}

function formatOf({ file, tensors }: Files, tensor: string): FormatName {
  const found = tensors.get(tensor);
  if (found === undefined) throw new FormatError(file, `tensor ${tensor}`, "missing", "a tensor of the loading map");
  return found.format;
}

/** Runs of a piece's own rows that make up units [first, end) of the joined pieces. */
function* runs(pieces: ParameterSource["pieces"], first: number, end: number) {
  let start = 0; // unit where the piece begins
  for (const { tensor, first: pieceFirst, count, matrix = 0 } of pieces) {
    const from = Math.max(first, start);
    const to = Math.min(end, start + count);
    if (from < to) yield { tensor, matrix, row: pieceFirst + from - start, count: to - from, at: from - first };
    start += count;
  }
}

function joinedPieces(files: Files, pieces: ParameterSource["pieces"], unitBytes: number): ReadUnits {
  return async (first, into) => {
    for (const { tensor, row, count, at } of runs(pieces, first, first + into.byteLength / unitBytes)) {
      await files.read(tensor, row * unitBytes, into.subarray(at * unitBytes, (at + count) * unitBytes));
    }
  };
}

/** Rows of W (out, in) from a tensor stored (in, out): row r is the tensor's column r. */
function transposedPieces(files: Files, { columns, pieces }: ParameterSource, format: FormatName): ReadUnits {
  const bytes = formats[format].blockBytes; // of one element
  return async (first, into) => {
    for (const { tensor, matrix, row, count, at } of runs(pieces, first, first + into.byteLength / (columns * bytes))) {
      const stored = files.tensors.get(tensor)?.shape.at(-1) as number; // elements in a file row
      const before = matrix * columns; // file rows
      const whole = count >= stored * WHOLE_ROWS_SHARE;
      const width = whole ? stored : count;
      const skip = whole ? row : 0; // elements before ours in what was read of a file row
      const rowsAtOnce = whole ? Math.max(1, Math.floor(BLOCK_BYTES / (stored * bytes))) : 1;
      for (let k = 0; k < columns; k += rowsAtOnce) {
        const block = new Uint8Array(Math.min(rowsAtOnce, columns - k) * width * bytes);
        await files.read(tensor, ((before + k) * stored + (whole ? 0 : row)) * bytes, block);
        for (let i = 0; i * width * bytes < block.byteLength; i++) {
          for (let r = 0; r < count; r++) {
            const from = (i * width + skip + r) * bytes;
            const to = ((at + r) * columns + k + i) * bytes;
            for (let byte = 0; byte < bytes; byte++) into[to + byte] = block[from + byte];
          }
        }
      }
    }
  };
}

/** Unit i is unit rowAt(i) of `read`; reads the span that the asked ones lie in, which for heads is hardly longer. */
function permuted(read: ReadUnits, rowAt: (row: number) => number, unitBytes: number): ReadUnits {
  return async (first, into) => {
    const from = Array.from({ length: into.byteLength / unitBytes }, (_, i) => rowAt(first + i));
    const least = from.reduce((a, b) => Math.min(a, b), Infinity);
    const most = from.reduce((a, b) => Math.max(a, b), -Infinity);
    if (from.length === 0) return;
    const span = new Uint8Array((most - least + 1) * unitBytes);
    await read(least, span);
    for (const [i, unit] of from.entries()) {
      const at = (unit - least) * unitBytes;
      into.set(span.subarray(at, at + unitBytes), i * unitBytes);
    }
  };
}

/** Rows of so many elements each. */
const byRows =
  (read: ReadUnits, columns: number): ReadUnits =>
  (first, into) =>
    read(first * columns, into);

/** Values plus one, as f32; the sum is rounded once. */
function plusOne(read: ReadUnits, format: FormatName): ReadUnits {
  return async (first, into) => {
    const count = into.byteLength / 4;
    const bytes = new Uint8Array(bytesForRow(format, count));
    await read(first, bytes);
    const values = formats[format].decode(bytes, count).map((value) => value + 1);
    into.set(new Uint8Array(values.buffer));
  };
}

/** Rows divided by their lengths, in their own type; those whose length is 1 but for its rounding stay as they are. */
function ofUnitRows(read: ReadUnits, format: FormatName, columns: number): ReadUnits {
  const numbers = formats[format];
  const rowBytes = bytesForRow(format, columns);
  const rounding = (UNITS_OF_ROUNDING * roundedBy(format)) / Math.sqrt(columns);
  return async (first, into) => {
    await read(first, into);
    for (let at = 0; at < into.byteLength; at += rowBytes) {
      const bytes = into.subarray(at, at + rowBytes);
      const values = numbers.decode(bytes, columns);
      const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
      if (Math.abs(length - 1) <= rounding) continue;
      bytes.set(numbers.encode!(values.map((value) => value / length)));
    }
  };
}

/** Rounding errors of a row's numbers are as likely above as below: a length is rarely off by so many of their means. */
const UNITS_OF_ROUNDING = 4;

/** How far the number after 1 is from it. */
function roundedBy(format: FormatName): number {
  const numbers = formats[format];
  for (let step = 1; ; step /= 2) {
    const [value] = numbers.decode(numbers.encode!(Float32Array.of(1 + step / 2)), 1);
    if (value === 1) return step;
  }
}
