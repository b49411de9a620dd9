import assert from "node:assert/strict";
import { test } from "node:test";
import { FILE_BYTES_MAX, readTextFile, withFiles } from "./text-files.ts";

test("a text file is read whole, also Chinese", async () => {
  const read = await readTextFile(new File(["你好\n"], "a.md"));
  assert.deepEqual(read, { kind: "text", file: { name: "a.md", text: "你好\n", bytes: 7 } });
});

test("bytes that are no text, and files beyond the limit, are refused", async () => {
  assert.equal((await readTextFile(new File([new Uint8Array([0xff, 0xd8, 0xff])], "a.jpg"))).kind, "not-text");
  assert.equal((await readTextFile(new File(["a\0b"], "a.bin"))).kind, "not-text");
  assert.equal((await readTextFile(new File([new Uint8Array(FILE_BYTES_MAX + 1)], "a.txt"))).kind, "too-large");
});

test("files stand before the message, each in a fence that its own text cannot close", () => {
  const file = { name: "notes.md", text: "```js\nx\n```\n", bytes: 12 };
  assert.equal(
    withFiles("What is this?", [file], (name) => `File: ${name}`),
    "File: notes.md\n````md\n```js\nx\n```\n````\n\nWhat is this?",
  );
  assert.equal(withFiles("alone", [], String), "alone");
});
