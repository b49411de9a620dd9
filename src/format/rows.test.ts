import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { FormatError } from "../base/errors.ts";
import { memorySource } from "../base/source.ts";
import { openFile } from "#platform";
import { sharedData } from "../../test/shared-data.ts";
import { byteChunks, unpackedChunks } from "./byte-chunks.ts";
import { type DataRow, jsonRows } from "./json-rows.ts";
import { parquetRows } from "./parquet.ts";
import { textLines } from "./text-lines.ts";

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** The text's bytes in pieces of `size`, which cut characters and lines anywhere. */
async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = utf8(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const rowsOf = (text: string, size = 7): Promise<DataRow[]> => all(jsonRows(pieces(text, size), "rows"));
const values = (rows: readonly DataRow[]): unknown[] =>
  rows.map((row) => ("value" in row ? [row.line, row.value] : [row.line, "broken"]));

describe("bytes of a source", () => {
  const content = utf8("量变引起质变。\n".repeat(90_000)); // more than one piece
  const joined = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => Buffer.concat(await all(chunks));

  test("come in pieces, and gzip is unpacked", async () => {
    assert.ok((await all(byteChunks(memorySource("plain", content)))).length > 1);
    assert.deepEqual(await joined(unpackedChunks(memorySource("plain", content))), Buffer.from(content));
    const packed = gzipSync(content);
    let seen = 0;
    const onBytes = (bytes: Uint8Array): number => (seen += bytes.length);
    assert.deepEqual(await joined(unpackedChunks(memorySource("packed", packed), { onBytes })), Buffer.from(content));
    assert.equal(seen, packed.length);
  });

  test("gzip that ends early is an error, an abort is one of its own", async () => {
    const packed = gzipSync(content);
    const cut = memorySource("cut.gz", packed.subarray(0, packed.length - 20));
    await assert.rejects(joined(unpackedChunks(cut)), FormatError);
    const signal = AbortSignal.abort();
    await assert.rejects(joined(unpackedChunks(memorySource("packed", packed), { signal })), { name: "AbortError" });
  });
});

describe("lines", () => {
  test("end at \\n and \\r\\n, whatever the pieces are, and keep other breaks and their numbers", async () => {
    const text = "一\r\n\n二\u2028x\n三";
    for (let size = 1; size < 12; size++) {
      const lines = await all(textLines(pieces(text, size), "text"));
      assert.deepEqual(lines, [
        { number: 1, text: "一" },
        { number: 2, text: "" },
        { number: 3, text: "二\u2028x" },
        { number: 4, text: "三" },
      ]);
    }
    assert.deepEqual(await all(textLines(pieces("a\n", 1), "text")), [{ number: 1, text: "a" }]);
  });

  test("a line longer than may be is refused by its number", async () => {
    await assert.rejects(all(textLines(pieces("a\nbcdefghi", 4), "long.txt", 5)), /long\.txt: line 2/);
  });
});

describe("rows of JSON", () => {
  test("a value a line; broken lines are rows with their reasons, and reading goes on", async () => {
    const rows = await rowsOf('\n{"a":"\\u2028"}\n{"a":\n[1]\n"x"');
    assert.deepEqual(values(rows), [
      [2, { a: "\u2028" }],
      [3, "broken"],
      [4, [1]],
      [5, "x"],
    ]);
  });

  test("a list over many lines equals JSON.parse, wherever it is cut", async () => {
    const list = [{ a: '},{"[' }, { b: "\\" }, { c: ["]", { d: '\\"' }] }, 5, "six, 七", null, []];
    for (const space of [0, 1, 4]) {
      const text = `${JSON.stringify(list, null, space)}\n`;
      for (const size of [1, 3, 1000]) {
        const rows = await rowsOf(text, size);
        assert.deepEqual(
          rows.map((row) => "value" in row && row.value),
          list,
        );
      }
    }
  });

  test("elements of a list are told by the line where they begin", async () => {
    const rows = await rowsOf('[\n  {"a": 1},\n  {\n "a": oops},\n {"a": 3}\n]');
    assert.deepEqual(values(rows), [
      [2, { a: 1 }],
      [3, "broken"],
      [5, { a: 3 }],
    ]);
  });

  test("a list that does not end, and text behind one, are told", async () => {
    assert.deepEqual(values(await rowsOf('[{"a": 1}, {"a"')), [
      [1, { a: 1 }],
      [1, "broken"],
    ]);
    assert.deepEqual(values(await rowsOf("[1]\nmore")), [
      [1, 1],
      [2, "broken"],
    ]);
    assert.deepEqual(values(await rowsOf("[1]]")), [
      [1, 1],
      [1, "broken"],
    ]);
  });
});

describe("rows of Parquet", () => {
  test("are objects by column names", async () => {
    await using file = await opened(new URL("../../test/golden/data/tiny.parquet", import.meta.url).pathname);
    const expected = await readFile(new URL("../../test/golden/data/tiny.jsonl", import.meta.url), "utf8");
    const rows = await all(parquetRows(file));
    const present = (row: unknown): unknown =>
      JSON.parse(JSON.stringify(row, (_, value: unknown) => (value === null ? undefined : value)));
    assert.deepEqual(values(rows).map(present), values(await rowsOf(expected)).map(present));
    assert.ok(rows.length > 0);
  });

  test("a file that is none is refused by name", async () => {
    const source = memorySource("no.parquet", utf8("PAR1 but not really a file of that kind PAR1"));
    await assert.rejects(all(parquetRows(source)), /no\.parquet: content is/);
  });

  const large = sharedData("sft/chatlm_my_train_dataset_3k.parquet");
  test("a real file is read whole", { skip: large.skip }, async () => {
    await using file = await opened(large.path);
    const rows = await all(parquetRows(file));
    assert.equal(rows.length, 3000);
    assert.ok(rows.every((row) => "value" in row && typeof (row.value as { prompt: unknown }).prompt === "string"));
  });
});

async function opened(path: string): Promise<Awaited<ReturnType<typeof openFile>> & AsyncDisposable> {
  const source = await openFile(path);
  return { ...source, [Symbol.asyncDispose]: () => source.close() };
}
