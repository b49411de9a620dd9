// The buffer behind header parsing: large headers pass through it in pieces.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../base/errors.ts";
import { type ByteSource, memorySource } from "../base/source.ts";
import { HeaderCursor } from "./header-cursor.ts";

const MEBIBYTE = 2 ** 20;

/** Bytes that say their place, and the ranges that were read of them. */
function placedBytes(size: number): { source: ByteSource; reads: { offset: number; length: number }[] } {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  const memory = memorySource("header", bytes);
  const reads: { offset: number; length: number }[] = [];
  const read: ByteSource["read"] = (offset, into) => {
    reads.push({ offset, length: into.byteLength });
    return memory.read(offset, into);
  };
  return { source: { ...memory, read }, reads };
}

test("a header of many steps is read once, in pieces of the buffer's size", async () => {
  const { source, reads } = placedBytes(9 * MEBIBYTE + 77);
  const cursor = new HeaderCursor(source);
  for (let place = 0; cursor.bytesLeft > 0; place += 1000) {
    const length = Math.min(1000, cursor.bytesLeft);
    const bytes = await cursor.step((at) => at.bytes("part", length));
    assert.equal(cursor.position, place + length);
    assert.deepEqual([bytes[0], bytes[length - 1]], [place % 251, (place + length - 1) % 251]);
  }
  assert.equal(
    reads.reduce((sum, { length }) => sum + length, 0),
    source.size,
  );
  assert.ok(reads.every(({ length }) => length <= MEBIBYTE));
});

test("a step larger than the buffer gets all its bytes, and the steps behind it go on where it ended", async () => {
  const { source } = placedBytes(8 * MEBIBYTE);
  const cursor = new HeaderCursor(source);
  await cursor.step((at) => at.bytes("before", 123));
  const parts = await cursor.step((at) => [
    at.bytes("one", 3),
    at.bytes("two", 3 * MEBIBYTE),
    at.bytes("three", 2 * MEBIBYTE),
  ]);
  assert.deepEqual(
    parts.map((part) => [part.length, part[0]]),
    [
      [3, 123],
      [3 * MEBIBYTE, 126],
      [2 * MEBIBYTE, (126 + 3 * MEBIBYTE) % 251],
    ],
  );
  const end = 126 + 5 * MEBIBYTE;
  assert.equal(await cursor.step((at) => at.u8("after")), end % 251);
  await assert.rejects(
    cursor.step((at) => at.bytes("beyond", 3 * MEBIBYTE)),
    FormatError,
  );
});
