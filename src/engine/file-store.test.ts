import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError, ShapeError, UnsupportedError } from "../base/errors.ts";
import { memorySource } from "../base/source.ts";
import type { ParameterStore } from "../device/executor.ts";
import { tensorAccess } from "../format/tensor-source.ts";
import type { ParameterSource } from "../models/index.ts";
import { type FormatName, bytesForRow, formats } from "../numeric/registry.ts";
import { type Files, openFileStore, readModelFiles } from "./file-store.ts";

interface Stored {
  readonly shape: readonly number[];
  readonly format: FormatName;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function encoded(format: FormatName, shape: readonly number[], values: ArrayLike<number>): Stored {
  const bytes = formats[format].encode?.(Float32Array.from(values)) ?? assert.fail(`${format} has no encoder`);
  return { shape, format, bytes: new Uint8Array(bytes) };
}

interface WatchedFiles extends Files {
  /** Bytes of each read so far. */
  readonly reads: number[];
}

function filesOf(tensors: Readonly<Record<string, Stored>>): WatchedFiles {
  const placed = Object.entries(tensors).map(([name, { shape, format, bytes }]) => ({
    name,
    shape,
    typeName: format,
    format,
    byteLength: bytes.byteLength,
    source: memorySource(name, bytes),
    offset: 0,
  }));
  const reads: number[] = [];
  const access = tensorAccess("model.gguf", [], placed);
  const read: Files["read"] = async (name, offset, into) => {
    reads.push(into.byteLength);
    await access.read(name, offset, into);
  };
  return { ...access, read, kind: "gguf", config: {}, reads };
}

const open = (files: Files, source: ParameterSource): ParameterStore =>
  openFileStore(files, { parameters: new Map([["p", source]]) });

async function rowsOf(store: ParameterStore, first: number, count: number): Promise<number[]> {
  const { format, columns } = store.parameters.get("p") ?? assert.fail();
  const bytes = new Uint8Array(count * bytesForRow(format, columns));
  await store.readRows("p", first, bytes);
  return Array.from(formats[format].decode(bytes, count * columns));
}

const counted = (length: number): number[] => Array.from({ length }, (_, i) => i);
const matrix = (rows: number, columns: number, rest: Partial<ParameterSource>): ParameterSource => ({
  vector: false,
  rows,
  columns,
  pieces: [{ tensor: "t", first: 0, count: rows }],
  ...rest,
});

describe("a parameter store over files", () => {
  test("copies packed rows as they are, and reads no byte more than asked", async () => {
    const values = counted(6 * 64).map((i) => Math.sin(i));
    const packed = encoded("q4_0", [6, 64], values);
    const files = filesOf({ t: packed });
    const store = open(files, matrix(6, 64, {}));
    const { rows, columns, format, byteLength } = store.parameters.get("p") ?? assert.fail();
    assert.deepEqual(
      { rows, columns, format, byteLength },
      { rows: 6, columns: 64, format: "q4_0", byteLength: 6 * 36 },
    );
    const bytes = new Uint8Array(2 * 36);
    await store.readRows("p", 3, bytes);
    assert.deepEqual(bytes, packed.bytes.slice(3 * 36, 5 * 36));
    assert.deepEqual(files.reads, [72]);
  });

  test("joins row ranges of several tensors, wherever a read begins and ends", async () => {
    const files = filesOf({
      a: encoded("f32", [4, 2], counted(8)),
      b: encoded(
        "f32",
        [3, 2],
        counted(6).map((i) => 100 + i),
      ),
    });
    const pieces = [
      { tensor: "b", first: 1, count: 2 },
      { tensor: "a", first: 2, count: 2 },
    ];
    const store = open(files, matrix(4, 2, { pieces }));
    const all = [102, 103, 104, 105, 4, 5, 6, 7];
    for (let first = 0; first < 4; first++) {
      for (let count = 0; first + count <= 4; count++) {
        assert.deepEqual(await rowsOf(store, first, count), all.slice(2 * first, 2 * (first + count)));
      }
    }
  });

  test("permutes packed rows, reading little more than the rows asked for", async () => {
    const files = filesOf({ t: encoded("q8_0", [64, 32], counted(64 * 32)) });
    const store = open(files, matrix(64, 32, { rowAt: (row) => (row % 2 === 0 ? row + 1 : row - 1) }));
    const plain = open(files, matrix(64, 32, {}));
    const expected: number[] = [];
    for (const row of [9, 8, 11]) expected.push(...(await rowsOf(plain, row, 1)));
    files.reads.length = 0;
    assert.deepEqual(await rowsOf(store, 8, 3), expected);
    assert.deepEqual(files.reads, [4 * 34]);
  });

  test("transposes float tensors, the same in any ranges", async () => {
    const [inner, outer] = [5, 40]; // stored (in, out)
    for (const format of ["f32", "f16", "bf16", "f64"] as const) {
      const values = counted(inner * outer);
      const stored =
        format === "f64"
          ? { shape: [inner, outer], format, bytes: new Uint8Array(Float64Array.from(values).buffer) }
          : encoded(format, [inner, outer], values);
      const piece = { tensor: "t", first: 4, count: 30 };
      const store = open(filesOf({ t: stored }), matrix(30, inner, { pieces: [piece], transpose: true }));
      const all = counted(30).flatMap((row) => counted(inner).map((k) => k * outer + row + 4));
      for (const count of [1, 3, 7, 30]) {
        for (let first = 0; first + count <= 30; first += 5) {
          assert.deepEqual(await rowsOf(store, first, count), all.slice(inner * first, inner * (first + count)));
        }
      }
    }
  });

  test("a few rows of a wide transposed tensor do not read it whole", async () => {
    const files = filesOf({ t: encoded("f32", [8, 1000], counted(8000)) });
    await rowsOf(open(files, matrix(1000, 8, { transpose: true })), 500, 2);
    assert.deepEqual(
      files.reads,
      Array.from({ length: 8 }, () => 8),
    );
  });

  test("vectors are cut and permuted by elements, and gains get their 1 as f32", async () => {
    const files = filesOf({ t: encoded("bf16", [8], [0, 0.5, 1, 2, 4, 8, 16, 32]) });
    const vector = { vector: true, rows: 1, columns: 4, pieces: [{ tensor: "t", first: 2, count: 4 }] };
    assert.deepEqual(await rowsOf(open(files, vector), 0, 1), [1, 2, 4, 8]);
    assert.deepEqual(await rowsOf(open(files, { ...vector, rowAt: (i) => 3 - i }), 0, 1), [8, 4, 2, 1]);
    const gains = open(files, { ...vector, addOne: true });
    assert.equal(gains.parameters.get("p")?.format, "f32");
    assert.deepEqual(await rowsOf(gains, 0, 1), [2, 3, 5, 9]);
  });

  test("refuses to change or transpose blocks, and to join unlike formats", () => {
    const files = filesOf({ t: encoded("q8_0", [32, 32], counted(1024)), f: encoded("f32", [32, 32], counted(1024)) });
    for (const rest of [{ transpose: true }, { addOne: true }]) {
      assert.throws(() => open(files, matrix(32, 32, rest)), UnsupportedError);
    }
    const pieces = ["t", "f"].map((tensor) => ({ tensor, first: 0, count: 16 }));
    assert.throws(() => open(files, matrix(32, 32, { pieces })), /q8_0 and f32/);
  });

  test("refuses reads of part of a row, beyond the last, or of another name", async () => {
    const store = open(filesOf({ t: encoded("f32", [4, 2], counted(8)) }), matrix(4, 2, {}));
    await assert.rejects(store.readRows("p", 0, new Uint8Array(7)), ShapeError);
    await assert.rejects(store.readRows("p", 3, new Uint8Array(16)), ShapeError);
    await assert.rejects(store.readRows("p", -1, new Uint8Array(8)), ShapeError);
    await assert.rejects(store.readRows("q", 0, new Uint8Array(8)), ShapeError);
  });
});

test("a rope_freqs tensor too long to be one is refused before it is read", async () => {
  const files = filesOf({ "rope_freqs.weight": encoded("f32", [100, 100], counted(10_000)) });
  await assert.rejects(readModelFiles(files), FormatError);
  assert.deepEqual(files.reads, []);
});
