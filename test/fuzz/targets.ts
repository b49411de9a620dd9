// What is fuzzed: a parser of untrusted bytes, real headers to mutate, and what a listing must hold when it accepts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type ByteSource, memorySource } from "../../src/base/source.ts";
import { readGguf } from "../../src/format/gguf-reader.ts";
import { alignUp, type GgufEntry, plainMetadata } from "../../src/format/gguf-types.ts";
import { writeGguf } from "../../src/format/gguf-writer.ts";
import { parseJson } from "../../src/format/json.ts";
import { parseLlama2cTokenizer, readLlama2c } from "../../src/format/llama2c.ts";
import { readSafetensors, writeSafetensors } from "../../src/format/safetensors.ts";
import { parseSentencePiece } from "../../src/format/sentencepiece.ts";
import { parseTiktoken } from "../../src/format/tiktoken.ts";

export interface Target {
  readonly name: string;
  /** Mutants of it for every one of the run's rounds; the formats with more to get wrong have more. */
  readonly weight: number;
  readonly seeds: readonly Uint8Array[];
  /** Parses; throws a LiangError, or returns after checking what it found. */
  readonly parse: (bytes: Uint8Array) => Promise<void> | void;
}

const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(resolve(import.meta.dirname, "../golden/format", name)));

/** `bytes`, then zeros up to `size`: a header whose data nobody has to hold. */
function withZeros(bytes: Uint8Array, size: number): ByteSource {
  const header = memorySource("mutant", bytes);
  return {
    name: "mutant",
    size,
    async read(offset, into) {
      assert.ok(offset >= 0 && offset + into.length <= size, "read outside of the file");
      into.fill(0);
      const there = Math.max(0, Math.min(into.length, bytes.length - offset));
      if (there > 0) await header.read(offset, into.subarray(0, there));
    },
    async close() {},
  };
}

/** Every name once, every tensor inside the file, none on top of another. */
function assertPlaced(
  size: number,
  tensors: Iterable<{ name: string; offset: number; byteLength?: number | undefined }>,
) {
  let end = 0;
  const names = new Set<string>();
  for (const { name, offset, byteLength = 0 } of [...tensors].sort((a, b) => a.offset - b.offset)) {
    assert.ok(Number.isSafeInteger(offset) && Number.isSafeInteger(byteLength) && byteLength >= 0, name);
    assert.ok(!names.has(name), `${name} twice`);
    names.add(name);
    if (byteLength === 0) continue;
    assert.ok(offset >= end && offset + byteLength <= size, `${name} at ${offset}, ${byteLength} bytes`);
    end = offset + byteLength;
  }
}

async function collected(write: (sink: { append(bytes: Uint8Array): Promise<void> }) => Promise<void>) {
  const pieces: Uint8Array[] = [];
  await write({ append: async (piece) => void pieces.push(piece.slice()) });
  return new Uint8Array(Buffer.concat(pieces));
}

const zeros = (bytes: number) => () => [new Uint8Array(bytes)];

/** A model with every kind of metadata and tensors of several types. */
const ggufModel = await collected((sink) =>
  writeGguf(sink, {
    entries: new Map<string, GgufEntry>([
      ["general.architecture", { type: "string", value: "llama" }],
      ["general.alignment", { type: "u32", value: 64 }],
      ["llama.block_count", { type: "u32", value: 2 }],
      ["llama.rope.freq_base", { type: "f32", value: 10000 }],
      ["size", { type: "u64", value: 2n ** 40n }],
      ["flags", { type: "array", of: "bool", value: [true, false] }],
      ["scores", { type: "array", of: "f32", value: new Float32Array(40) }],
      ["words", { type: "array", of: "string", value: ["量变", "引起", "质变", "a b c d e f g h i j k"] }],
      ["nested", { type: "array", of: "array", value: [{ type: "array", of: "u8", value: new Uint8Array(3) }] }],
    ]),
    tensors: [
      { name: "token_embd.weight", shape: [8, 32], format: "q8_0", data: zeros(272) },
      { name: "w1", shape: [2, 256], format: "q4_k", data: zeros(288) },
      { name: "w2", shape: [32], format: "f32", data: zeros(128) },
      { name: "w3", shape: [2, 3, 4], format: "f16", data: zeros(48) },
    ],
  }),
);

const safetensorsModel = await collected((sink) =>
  writeSafetensors(
    sink,
    [
      { name: "model.embed_tokens.weight", dtype: "BF16", shape: [8, 4], data: zeros(64) },
      { name: "model.norm.weight", dtype: "F32", shape: [4], data: zeros(16) },
      { name: "position_ids", dtype: "I64", shape: [1, 4], data: zeros(32) },
    ],
    { format: "pt" },
  ),
);

// the header of a model file of 320,824 bytes; the data behind it is made of zeros
const llamaHeader = golden("llama-family.header");
const LLAMA_BYTES = 320_824;

// width 64, 5 layers, 8 heads, as in the header of stories260K.bin
const checkpointHeader = new Uint8Array(Int32Array.of(64, 172, 5, 8, 4, 512, 512).buffer);
const CHECKPOINT_BYTES = 1_056_540;

const config = golden("llama-family-config.json");

export const targets: readonly Target[] = [
  {
    name: "GGUF",
    weight: 10,
    seeds: [ggufModel, golden("gpt-2-short.gguf"), golden("bert-bge-short.gguf")],
    async parse(bytes) {
      const header = await readGguf(memorySource("mutant", bytes));
      assertPlaced(bytes.length, header.tensors);
      assert.equal(alignUp(header.alignment, header.alignment), header.alignment);
      plainMetadata(header.entries);
    },
  },
  {
    name: "safetensors",
    weight: 4,
    seeds: [safetensorsModel],
    async parse(bytes) {
      assertPlaced(bytes.length, (await readSafetensors(memorySource("mutant", bytes))).tensors.values());
    },
  },
  {
    name: "safetensors of a larger model",
    weight: 2,
    seeds: [llamaHeader],
    async parse(bytes) {
      assertPlaced(LLAMA_BYTES, (await readSafetensors(withZeros(bytes, LLAMA_BYTES))).tensors.values());
    },
  },
  {
    name: "llama2.c checkpoint",
    weight: 1,
    seeds: [checkpointHeader],
    async parse(bytes) {
      assertPlaced(CHECKPOINT_BYTES, (await readLlama2c(withZeros(bytes, CHECKPOINT_BYTES))).tensors.values());
    },
  },
  {
    name: "llama2.c tokenizer",
    weight: 1,
    seeds: [golden("tok512.bin")],
    parse(bytes) {
      const { pieces, scores } = parseLlama2cTokenizer("mutant", bytes);
      assert.equal(pieces.length, scores.length);
    },
  },
  {
    name: "SentencePiece",
    weight: 3,
    seeds: [golden("botchan-short.model")],
    parse(bytes) {
      const { pieces, scores, types, ids } = parseSentencePiece("mutant", bytes);
      assert.ok(pieces.length === scores.length && pieces.length === types.length);
      for (const id of Object.values(ids)) assert.ok(id >= -1 && id < pieces.length);
    },
  },
  {
    name: "tiktoken",
    weight: 1,
    seeds: [new TextEncoder().encode(Array.from({ length: 99 }, (_, i) => `${btoa(`token ${i}`)} ${i}\n`).join(""))],
    parse(bytes) {
      for (const rank of parseTiktoken("mutant", new TextDecoder().decode(bytes)).keys()) assert.ok(rank >= 0);
    },
  },
  {
    name: "config.json",
    weight: 2,
    seeds: [config],
    parse(bytes) {
      assert.equal(typeof parseJson("mutant", "text", bytes), "object");
    },
  },
];
