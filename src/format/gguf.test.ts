// GGUF reader and writer: round trips, hand-made bytes, real headers, and what must be refused by name.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { FormatError, ShapeError, UnsupportedError, UsageError } from "../base/errors.ts";
import { memorySource } from "../base/source.ts";
import { sharedData } from "../../test/shared-data.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readGguf } from "./gguf-reader.ts";
import type { TextList } from "../base/text-list.ts";
import { formatOfType, type GgufEntry, plainMetadata } from "./gguf-types.ts";
import { type GgufToWrite, type TensorToWrite, writeGguf } from "./gguf-writer.ts";

const golden = (name: string) => resolve(import.meta.dirname, "../../test/golden/format", name);

async function written(file: GgufToWrite): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await writeGguf({ append: async (piece) => void pieces.push(piece.slice()) }, file);
  return new Uint8Array(Buffer.concat(pieces));
}

/** Bytes as hexadecimal digits, spaces between fields. */
const hex = (digits: string) => Buffer.from(digits.replaceAll(" ", ""), "hex");
const read = (bytes: Uint8Array) => readGguf(memorySource("test.gguf", bytes));
const refused = (bytes: Uint8Array, message: RegExp) => assert.rejects(read(bytes), message);

const everyType = new Map<string, GgufEntry>([
  ["general.architecture", { type: "string", value: "量 test" }],
  ["u8", { type: "u8", value: 255 }],
  ["i8", { type: "i8", value: -128 }],
  ["u16", { type: "u16", value: 65535 }],
  ["i16", { type: "i16", value: -32768 }],
  ["u32", { type: "u32", value: 2 ** 32 - 1 }],
  ["i32", { type: "i32", value: -(2 ** 31) }],
  ["f32", { type: "f32", value: Math.fround(1e-5) }],
  ["bool", { type: "bool", value: true }],
  ["u64", { type: "u64", value: 2n ** 64n - 1n }],
  ["i64", { type: "i64", value: -5n }],
  ["f64", { type: "f64", value: Math.PI }],
  ["list of u8", { type: "array", of: "u8", value: Uint8Array.of(1, 2, 3) }],
  ["list of f32", { type: "array", of: "f32", value: Float32Array.of(0.5, -0) }],
  ["list of u64", { type: "array", of: "u64", value: BigUint64Array.of(1n, 2n ** 53n - 1n) }],
  ["list of i64", { type: "array", of: "i64", value: BigInt64Array.of(-(2n ** 60n)) }],
  ["list of bool", { type: "array", of: "bool", value: [true, false] }],
  ["list of string", { type: "array", of: "string", value: ["", "<s>", "\u2581the", "a long piece of ASCII text"] }],
  [
    "list of lists",
    {
      type: "array",
      of: "array",
      value: [
        { type: "array", of: "i32", value: Int32Array.of(1) },
        { type: "array", of: "string", value: ["x"] },
      ],
    },
  ],
  ["empty", { type: "array", of: "string", value: [] }],
]);

const tensor = (name: string, shape: number[], format: "f32" | "q8_0" | "f16", bytes: number): TensorToWrite => ({
  name,
  shape,
  format,
  data: () => [Uint8Array.from({ length: bytes }, (_, i) => i & 255)],
});

describe("GGUF", () => {
  test("gives back every value type, and the same bytes again", async () => {
    const file = { entries: everyType, tensors: [tensor("a", [2, 3], "f32", 24), tensor("b", [4, 32], "q8_0", 136)] };
    const bytes = await written(file);
    const header = await read(bytes);
    assert.deepEqual([...header.entries], [...everyType]);
    assert.deepEqual(
      header.tensors.map(({ name, shape, byteLength }) => [name, shape, byteLength]),
      [
        ["a", [2, 3], 24],
        ["b", [4, 32], 136],
      ],
    );
    assert.ok(header.tensors.every(({ offset }) => offset % 32 === 0));
    assert.deepEqual([...bytes.subarray(header.tensors[1].offset).subarray(0, 3)], [0, 1, 2]);
    assert.deepEqual(await written({ ...file, entries: header.entries }), bytes);
  });

  test("plain metadata has numbers where they fit and bigints where not", () => {
    const plain = plainMetadata(everyType);
    assert.equal(plain.i64, -5);
    assert.equal(plain.u64, 2n ** 64n - 1n);
    assert.deepEqual(plain["list of u64"], Float64Array.of(1, 2 ** 53 - 1));
    assert.deepEqual(plain["list of i64"], BigInt64Array.of(-(2n ** 60n)));
    assert.deepEqual(plain["list of lists"], [Int32Array.of(1), ["x"]]);
    assert.equal(Object.getPrototypeOf(plain), null);
  });

  test("reads bytes put together by hand from the specification", async () => {
    const bytes = Buffer.concat([
      Buffer.from("GGUF"),
      hex("02000000 0100000000000000 0100000000000000"), // version 2, 1 tensor, 1 pair
      hex("0100000000000000 6b 05000000 feffffff"), // "k": i32 -2
      hex("0100000000000000 74 02000000 0300000000000000 0200000000000000"), // "t" (3, 2)
      hex("01000000 0000000000000000"), // f16 at 0
      Buffer.alloc(14), // up to 96, the next multiple of 32
      Buffer.alloc(12, 7),
    ]);
    const { version, entries, tensors } = await read(bytes);
    assert.equal(version, 2);
    assert.deepEqual([...entries], [["k", { type: "i32", value: -2 }]]);
    assert.deepEqual(tensors, [{ name: "t", shape: [2, 3], ggmlType: 1, offset: 96, byteLength: 12 }]);
    assert.equal(bytes[tensors[0].offset], 7);
    assert.equal(bytes[tensors[0].offset - 1], 0);
  });

  test("reads llama.cpp's own headers, and writes them back byte for byte", async () => {
    for (const [name, model, tokens] of [
      ["gpt-2-short.gguf", "gpt2", "!"],
      ["bert-bge-short.gguf", "bert", "[PAD]"],
    ]) {
      const bytes = new Uint8Array(readFileSync(golden(name)));
      const { entries } = await read(bytes);
      assert.equal(entries.get("tokenizer.ggml.model")?.value, model);
      const vocabulary = entries.get("tokenizer.ggml.tokens")?.value;
      assert.ok(Array.isArray(vocabulary));
      assert.deepEqual([vocabulary.length, vocabulary[0]], [48, tokens]);
      assert.deepEqual(await written({ entries, tensors: [] }), bytes);
    }
  });

  for (const name of [
    "models/gguf/llama-2-tiny-random.gguf",
    "vocab/ggml-vocab-bert-bge.gguf",
    "vocab/ggml-vocab-deepseek-llm.gguf",
    "vocab/ggml-vocab-gpt-2.gguf",
    "vocab/ggml-vocab-llama-spm.gguf",
    "vocab/ggml-vocab-phi-3.gguf",
  ]) {
    const { path, skip } = sharedData(name);
    test(`${name} is read and written back byte for byte`, { skip }, async () => {
      const bytes = new Uint8Array(readFileSync(path));
      const header = await read(bytes);
      const tensors = header.tensors.map(({ offset, byteLength, ggmlType, ...listed }) => {
        const format = formatOfType(ggmlType);
        assert.ok(format);
        return { ...listed, format, data: () => [bytes.subarray(offset, offset + (byteLength ?? 0))] };
      });
      const again = await written({ version: header.version as 3, entries: header.entries, tensors });
      assert.equal(Buffer.compare(again, bytes), 0);
    });
  }

  test("reads texts of every width of UTF-8, and refuses what is none", async () => {
    const texts = [
      "a",
      "\u00e9",
      "\u0120t \u0120he",
      "\u91cf\u53d8",
      "\uffff",
      "\u{1f600}",
      "\u91cf".repeat(20),
      "\ufeffx",
      "\0",
    ];
    const bytes = await written({
      entries: new Map([["t", { type: "array", of: "string", value: texts }]]),
      tensors: [],
    });
    assert.deepEqual((await read(bytes)).entries.get("t")?.value, texts);
    for (const wrong of [
      "80",
      "c0 80",
      "c3",
      "c3 41",
      "e0 80 80",
      "ed a0 80",
      "e9 87",
      "e9 87 41",
      "f8 88 80 80",
      "ff",
    ]) {
      await refused(
        pair("k", 8, hex(wrong).length, 0, 0, 0, 0, 0, 0, 0, ...hex(wrong)),
        /metadata k is "bytes that are no/,
      );
    }
  });

  test("a long list of texts is refused by the number of the one that is no UTF-8, also where it joins the next", async () => {
    const tokens = Array.from({ length: 10_000 }, (_, i) => `token ${i}`);
    const entries = new Map<string, GgufEntry>([["tokens", { type: "array", of: "string", value: tokens }]]);
    const bytes = await written({ entries, tensors: [] });
    const last = new TextDecoder("latin1").decode(bytes).indexOf("token 9998") + "token 9998".length - 1;
    bytes[last] = 0xc3; // and the next text begins with its second byte
    await assert.rejects(read(bytes), /metadata tokens\[9998\] is "bytes that are no UTF-8"/);
    bytes[last + 9] = 0xa9;
    await assert.rejects(read(bytes), /metadata tokens\[9998\] is "bytes that are no UTF-8"/);
  });

  test("a header larger than the first read is fetched in pieces, never the data behind it", async () => {
    const tokens = Array.from({ length: 60_000 }, (_, i) => `token ${i}`);
    const entries = new Map<string, GgufEntry>([["tokens", { type: "array", of: "string", value: tokens }]]);
    const data = new Uint8Array(32 * 2 ** 20);
    const bytes = await written({
      entries,
      tensors: [{ ...tensor("t", [8 * 2 ** 20], "f32", 0), data: () => [data] }],
    });
    const source = memorySource("large.gguf", bytes);
    let bytesRead = 0;
    const counting = {
      ...source,
      read: (at: number, into: Uint8Array) => ((bytesRead += into.length), source.read(at, into)),
    };
    const header = await readGguf(counting);
    assert.deepEqual([...(header.entries.get("tokens")!.value as TextList)], tokens);
    assert.ok(bytesRead < 3 * 2 ** 20, `${bytesRead} bytes`);
  });
});

// Headers with one thing wrong.
const start = (tensors: number, pairs: number, version = 3) => {
  const writer = new ByteWriter();
  writer.u32(0x46554747);
  writer.u32(version);
  writer.count(tensors);
  writer.count(pairs);
  return writer;
};
const text = (writer: ByteWriter, value: string) => {
  writer.count(value.length);
  writer.bytes(new TextEncoder().encode(value));
};
const pair = (key: string, type: number, ...bytes: number[]) => {
  const writer = start(0, 1);
  text(writer, key);
  writer.u32(type);
  writer.bytes(Uint8Array.from(bytes));
  return writer.take();
};
const listing = (tensors: readonly [name: string, shape: number[], type: number, offset: number][], dataBytes = 64) => {
  const writer = start(tensors.length, 0);
  for (const [name, shape, type, offset] of tensors) {
    text(writer, name);
    writer.u32(shape.length);
    for (const size of shape) writer.count(size);
    writer.u32(type);
    writer.count(offset);
  }
  writer.zeros((32 - (writer.length % 32)) % 32);
  writer.zeros(dataBytes);
  return writer.take();
};

describe("GGUF refuses", () => {
  test("what is no GGUF, and versions and byte orders it does not know", async () => {
    await refused(new Uint8Array(3), /size is "3 bytes"/);
    await refused(new TextEncoder().encode("<!DOCTYPE html><html><head>"), /magic is "0x4f44213c", expected "GGUF"/);
    await refused(start(0, 0, 7).take(), /version is 7, expected 2 or 3/);
    await assert.rejects(read(start(0, 0, 1).take()), UnsupportedError);
    await assert.rejects(read(start(0, 0, 0x03000000).take()), /big-endian/);
  });

  test("counts and lengths beyond the bytes that are there", async () => {
    await refused(start(2 ** 40, 0).take(), /tensor count is 1099511627776, expected at most 0/);
    await refused(start(0, 2).take(), /metadata count is 2, expected at most 0/);
    await refused(pair("k", 8, 255, 255, 255, 255, 255, 255, 255, 255), /metadata k is 18446744073709551615/);
    await refused(
      pair("k", 8, 9, 0, 0, 0, 0, 0, 0, 0, 65),
      /metadata k is "9 bytes at 45", expected at most the 1 bytes/,
    );
    await refused(
      pair("k", 9, 8, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0),
      /metadata k count is 65535, expected at most 0/,
    );
    await refused(pair("k", 9, 6, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 1), /metadata k is "262140 bytes/);
  });

  test("unknown types, flags that are neither, deep nesting, text that is no UTF-8, keys given twice", async () => {
    await refused(pair("k", 13, 0), /metadata k type is 13, expected 0 to 12/);
    await refused(pair("k", 7, 2), /metadata k is 2, expected 0 or 1/);
    await refused(pair("k", 8, 1, 0, 0, 0, 0, 0, 0, 0, 0xff), /metadata k is "bytes that are no UTF-8"/);
    const deep = Array.from({ length: 6 }, () => [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]).flat();
    await refused(pair("k", 9, ...deep), /nested 5 deep/);
    const twice = start(0, 2);
    for (let i = 0; i < 2; i++) {
      text(twice, "k");
      twice.u32(0);
      twice.u8(1);
    }
    await refused(twice.take(), /metadata key is "k", expected a key that was not there before/);
  });

  test("alignments that are no power of two, zero, too large or of another type", async () => {
    for (const [type, bytes] of [
      [4, [33, 0, 0, 0]],
      [4, [0, 0, 0, 0]],
      [4, [0, 0, 0, 0x80]],
      [5, [32, 0, 0, 0]],
    ] as const) {
      await refused(pair("general.alignment", type, ...bytes), /metadata general.alignment is/);
    }
  });

  test("tensors outside the file, on top of one another, unaligned, of the same name, with too many dimensions", async () => {
    await refused(listing([["a", [17], 0, 0]]), /tensor a end is "byte 132", expected inside the file of 128 bytes/);
    await refused(listing([["a", [4], 0, 2 ** 40]]), /tensor a offset is/);
    await refused(listing([["a", [4], 0, 8]]), /tensor a offset is 8, expected a multiple of the alignment, 32/);
    await refused(
      listing([
        ["a", [9], 0, 0],
        ["b", [1], 0, 32],
      ]),
      /tensor b offset is .*behind tensor a/,
    );
    await refused(
      listing([
        ["a", [4], 0, 0],
        ["a", [4], 0, 32],
      ]),
      /tensor name is "a"/,
    );
    await refused(listing([["a", [1, 1, 1, 1, 1], 0, 0]]), /tensor a dimensions is 5, expected at most 4/);
    await refused(listing([["a", [2 ** 31, 2 ** 31, 2 ** 31], 0, 0]]), /tensor a shape is/);
    await refused(listing([["a", [33], 8, 0]]), /rows of a multiple of 32 weights, as q8_0 has/);
  });

  test("no types it cannot decode: those are listed, with their size where it is known", async () => {
    const { tensors } = await read(
      listing([
        ["a", [32], 20, 0],
        ["b", [7], 99, 32],
      ]),
    );
    assert.deepEqual(
      tensors.map(({ ggmlType, byteLength }) => [ggmlType, byteLength]),
      [
        [20, 18],
        [99, undefined],
      ],
    );
  });

  test("to write values their type cannot hold, and data of another length than its shape", async () => {
    const entry = (value: GgufEntry) => written({ entries: new Map([["k", value]]), tensors: [] });
    await assert.rejects(entry({ type: "u8", value: 256 }), UsageError);
    await assert.rejects(entry({ type: "i32", value: 1.5 }), UsageError);
    await assert.rejects(entry({ type: "u64", value: -1n }), UsageError);
    await assert.rejects(entry({ type: "u32", value: NaN }), UsageError);
    await assert.rejects(written({ entries: new Map(), tensors: [tensor("a", [2], "f32", 7)] }), ShapeError);
    await assert.rejects(written({ entries: new Map(), tensors: [tensor("a", [2], "f32", 9)] }), ShapeError);
    await assert.rejects(written({ entries: new Map(), tensors: [tensor("a", [33], "q8_0", 34)] }), ShapeError);
  });

  test("as errors of ours that name the file", async () => {
    await assert.rejects(
      read(new Uint8Array(30)),
      (error) => error instanceof FormatError && error.file === "test.gguf",
    );
  });
});
