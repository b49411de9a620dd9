// safetensors reader and writer: round trips, and headers that must be refused by name.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError, UnsupportedError } from "../base/errors.ts";
import { memorySource } from "../base/source.ts";
import { formatOfDtype, readSafetensors, readTensor, type SafetensorToWrite, writeSafetensors } from "./safetensors.ts";

async function written(tensors: SafetensorToWrite[], metadata?: Record<string, string>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await writeSafetensors({ append: async (piece) => void pieces.push(piece.slice()) }, tensors, metadata);
  return new Uint8Array(Buffer.concat(pieces));
}

const source = (bytes: Uint8Array) => memorySource("test.safetensors", bytes);

function file(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const refused = (header: unknown, dataBytes: number, message: RegExp) =>
  assert.rejects(readSafetensors(source(file(header, dataBytes))), message);
const f32 = (shape: unknown, ...range: number[]) => ({ dtype: "F32", shape, data_offsets: range });

/** Two f16, with data of any length. */
const pairWith = (bytes: number): SafetensorToWrite => ({
  name: "a",
  dtype: "F16",
  shape: [2],
  data: () => [new Uint8Array(bytes)],
});

describe("safetensors", () => {
  test("gives back names, shapes, bytes and metadata; data is aligned to 8 bytes", async () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const ids = Int32Array.of(7);
    const bytes = await written(
      [
        { name: "层.weight", dtype: "F32", shape: [2, 3], data: () => [new Uint8Array(values.buffer)] },
        { name: "ids", dtype: "I32", shape: [1], data: () => [new Uint8Array(ids.buffer)] },
        { name: "__proto__", dtype: "U8", shape: [0, 5], data: () => [] },
        { name: "scalar", dtype: "U8", shape: [], data: () => [Uint8Array.of(9)] },
      ],
      { format: "pt" },
    );
    const { tensors, metadata } = await readSafetensors(source(bytes));
    assert.deepEqual(metadata, { format: "pt" });
    assert.deepEqual([...tensors.keys()].sort(), ["__proto__", "ids", "scalar", "层.weight"]);
    const weight = tensors.get("层.weight");
    assert.ok(weight);
    assert.deepEqual(weight.shape, [2, 3]);
    assert.equal(weight.offset % 8, 0);
    assert.deepEqual(new Float32Array((await readTensor(source(bytes), weight)).buffer), values);
  });

  test("knows which dtypes are number formats", () => {
    assert.deepEqual(["F64", "F32", "F16", "BF16"].map(formatOfDtype), ["f64", "f32", "f16", "bf16"]);
    assert.equal(formatOfDtype("I64"), undefined);
    assert.equal(formatOfDtype("toString"), undefined);
  });

  test("refuses header lengths and JSON that cannot be", async () => {
    await assert.rejects(readSafetensors(source(new Uint8Array(7))), /size is "7 bytes"/);
    await assert.rejects(
      readSafetensors(source(new Uint8Array(16).fill(255))),
      /header length is 18446744073709551615/,
    );
    await refused("{", 0, /header is .* expected JSON in UTF-8/);
    await refused("[1]", 0, /header is "a list", expected a JSON object/);
    await refused(`{"a":${"[".repeat(300)}${"]".repeat(300)}}`, 0, /nested 201 deep/);
  });

  test("refuses holes, overlaps, ranges outside, sizes that are not the shape's", async () => {
    await refused({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, /tensor b data_offsets is "from byte/);
    await refused({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8, /tensor b data_offsets/);
    await refused({ a: f32([1], 0, 4) }, 8, /size is .* \(is it cut off\?\)/);
    await refused({ a: f32([4], 0, 16) }, 8, /size is .* \(is it cut off\?\)/);
    await refused({ a: f32([2], 0, 4) }, 4, /tensor a data_offsets is \[0, 4\], expected 8 bytes/);
    await refused({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4, /tensor a shape/);
    await refused({ a: f32([-1], 0, 4) }, 4, /tensor a shape/);
    await refused({ a: f32([1.5], 0, 6) }, 6, /tensor a shape/);
    await refused({ a: f32([1], 4, 0) }, 4, /tensor a data_offsets/);
    await refused({ a: f32("x", 0, 4) }, 4, /tensor a shape/);
    await refused({ a: 5 }, 0, /tensor a entry is 5/);
    await refused({ a: { shape: [1], data_offsets: [0, 4] } }, 4, /tensor a dtype/);
    await refused({ __metadata__: { a: 1 } }, 0, /__metadata__/);
  });

  test("refuses a dtype it does not know, by name", () =>
    assert.rejects(
      readSafetensors(source(file({ a: { dtype: "F4", shape: [2], data_offsets: [0, 1] } }, 1))),
      (error) => error instanceof UnsupportedError && /tensor a has dtype F4/.test(error.message),
    ));

  test("refuses to write data of another length than its shape, and one name twice", async () => {
    await assert.rejects(written([pairWith(3)]), ShapeError);
    await assert.rejects(written([pairWith(5)]), ShapeError);
    await assert.rejects(written([pairWith(4), pairWith(4)]), ShapeError);
  });
});
