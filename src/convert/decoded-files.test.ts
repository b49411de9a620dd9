import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../base/errors.ts";
import { memorySource } from "../base/source.ts";
import { tensorAccess, type TensorSource } from "../format/tensor-source.ts";
import { formats } from "../numeric/registry.ts";
import { decodedFiles } from "./decoded-files.ts";

const BLOCKS = 6;
const { blockSize, blockBytes } = formats.q8_0;
const bytes = Uint8Array.from({ length: BLOCKS * blockBytes }, (_, i) =>
  i % blockBytes === 1 ? 0x2c : (i * 37) & 255,
);
const values = formats.q8_0.decode(bytes, BLOCKS * blockSize);

function packedFiles(): TensorSource {
  const tensor = { name: "w", shape: [2, 96], typeName: "q8_0", format: "q8_0" as const, byteLength: bytes.length };
  const vector = { name: "v", shape: [4], typeName: "f32", format: "f32" as const, byteLength: 16 };
  const sources = [memorySource("w", bytes), memorySource("v", new Uint8Array(16).fill(7))];
  const placed = [tensor, vector].map((entry, i) => ({ ...entry, source: sources[i], offset: 0 }));
  return { ...tensorAccess("file", sources, placed), kind: "gguf", config: {} };
}

test("any range of packed values reads as f32, also one that begins and ends inside blocks", async () => {
  const files = decodedFiles(packedFiles());
  assert.deepEqual([files.tensors.get("w")!.format, files.tensors.get("w")!.byteLength], ["f32", 4 * values.length]);
  for (const [first, count] of [
    [0, 192],
    [5, 3],
    [30, 40],
    [64, 32],
    [191, 1],
    [7, 0],
  ]) {
    const into = new Float32Array(count);
    await files.read("w", 4 * first, new Uint8Array(into.buffer));
    assert.deepEqual(into, values.slice(first, first + count));
  }
});

test("float tensors stay as they are, and a range of half a value is refused", async () => {
  const files = decodedFiles(packedFiles());
  const into = new Uint8Array(3);
  await files.read("v", 1, into);
  assert.deepEqual([...into], [7, 7, 7]);
  await assert.rejects(files.read("w", 2, new Uint8Array(4)), ShapeError);
});
