// Files that hold vocabularies and llama2.c's checkpoint: SentencePiece models, tiktoken ranks, tokenizer.bin.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { FormatError, UnsupportedError } from "../base/errors.ts";
import { memorySource } from "../base/source.ts";
import { sharedData } from "../../test/shared-data.ts";
import { parseLlama2cTokenizer, readLlama2c } from "./llama2c.ts";
import { parseSentencePiece } from "./sentencepiece.ts";
import { parseTiktoken } from "./tiktoken.ts";

const golden = (name: string) => readFileSync(resolve(import.meta.dirname, "../../test/golden/format", name));
const none = (type: string) => (found: string) => found !== type;

const parsePieces = (...bytes: number[]) => parseSentencePiece("m", Uint8Array.from(bytes));
// width, feed-forward width, layers, heads, key-value heads, vocabulary, window
const checkpoint = (header: number[], floats: number) => {
  const bytes = new Uint8Array(28 + 4 * floats);
  bytes.set(new Uint8Array(Int32Array.from(header).buffer));
  return readLlama2c(memorySource("model.bin", bytes));
};

describe("SentencePiece models", () => {
  test("give pieces, scores, types, special ids and the normalizer", () => {
    const model = parseSentencePiece("m", golden("botchan-short.model"));
    assert.equal(model.pieces.length, 50);
    assert.deepEqual(model.pieces.slice(0, 5), ["<unk>", "<s>", "</s>", "\r", "\u2581"]);
    assert.deepEqual(model.types.slice(0, 4), ["unknown", "control", "control", "normal"]);
    assert.ok(model.scores[4] < 0 && model.scores[49] < model.scores[4]);
    assert.deepEqual([model.modelType, model.byteFallback], ["unigram", false]);
    assert.deepEqual(model.ids, { unk: 0, bos: 1, eos: 2, pad: -1 });
    const { charsmap, ...normalizer } = model.normalizer;
    assert.equal(charsmap.length, 64);
    assert.deepEqual(normalizer, {
      name: "nfkc",
      addDummyPrefix: true,
      removeExtraWhitespaces: true,
      escapeWhitespaces: true,
    });
  });

  const llama = sharedData("models/stories260K/llama2-tokenizer.model");
  test("Llama 2's is BPE with byte pieces and no normalization", { skip: llama.skip }, () => {
    const model = parseSentencePiece("m", readFileSync(llama.path));
    assert.deepEqual([model.pieces.length, model.modelType, model.byteFallback], [32000, "bpe", true]);
    assert.deepEqual(model.types.filter(none("normal")).filter(none("byte")), ["unknown", "control", "control"]);
    assert.equal(model.pieces[258], "<0xFF>");
    assert.deepEqual([model.normalizer.name, model.normalizer.removeExtraWhitespaces], ["identity", false]);
  });

  test("refuse other files, lengths beyond the end, ids beyond the pieces, by field", () => {
    assert.throws(() => parsePieces(), /pieces is 0, expected at least one/);
    assert.throws(() => parsePieces(...Buffer.from("<html>")), FormatError);
    assert.throws(() => parsePieces(0x0a, 9, 0x0a), /model field 1 is "9 bytes", expected at most the 1 bytes/);
    assert.throws(() => parsePieces(0x0a, 2, 0x18, 9), /piece\[0\] type is 9, expected 1 to 6/);
    assert.throws(() => parsePieces(0x0a, 3, 0x0a, 1, 0xff), /piece\[0\] field 1 is "bytes that are no UTF-8"/);
    // trainer_spec (field 2) with unk_id (field 40) 7
    assert.throws(() => parsePieces(0x0a, 0, 0x12, 3, 0xc0, 2, 7), /unk_id is 7, expected -1 to 0/);
    assert.throws(() => parsePieces(0x80), /cut off/);
    assert.throws(() => parsePieces(0x0b), /wire type is 3/);
    assert.throws(() => parsePieces(0x0a, ...Array.from({ length: 11 }, () => 255)), /a number of more than ten bytes/);
  });
});

describe("tiktoken files", () => {
  test("give bytes by rank", () => {
    const tokens = parseTiktoken("r", "IQ== 0\r\n5oiR 5\n\n");
    assert.deepEqual(
      [...tokens],
      [
        [0, Uint8Array.of(0x21)],
        [5, new TextEncoder().encode("我")],
      ],
    );
  });

  test("refuse broken lines and repetitions by line", () => {
    assert.throws(() => parseTiktoken("r", "IQ== 0\nIg== x"), /line 2 is "Ig== x"/);
    assert.throws(() => parseTiktoken("r", "IQ== 0\nIg== 0"), /line 2 rank is 0/);
    assert.throws(() => parseTiktoken("r", "IQ== 0\nIQ== 1"), /line 2 token/);
    assert.throws(() => parseTiktoken("r", "IQQQQ= 0"), /line 1 token is "IQQQQ=", expected base64/);
    assert.throws(() => parseTiktoken("r", "IQ== 99999999999"), /line 1 rank/);
    assert.throws(() => parseTiktoken("r", "\n"), /tokens is 0/);
  });

  const cl100k = sharedData("tokenizers/cl100k_base.tiktoken");
  test("cl100k has 100256 tokens", { skip: cl100k.skip }, () => {
    assert.equal(parseTiktoken("cl100k", readFileSync(cl100k.path, "utf8")).size, 100256);
  });
});

describe("llama2.c files", () => {
  test("a tokenizer gives pieces and scores", () => {
    const { pieces, scores } = parseLlama2cTokenizer("t", golden("tok512.bin"));
    assert.deepEqual([pieces.length, scores.length], [512, 512]);
    assert.deepEqual([pieces[3], pieces[259], pieces[260]], ["<0x00>", " t", "he"]);
    assert.equal(scores[260], -1);
  });

  test("a cut tokenizer is refused by piece", () => {
    const bytes = golden("tok512.bin");
    assert.throws(() => parseLlama2cTokenizer("t", bytes.subarray(0, -1)), /piece\[511\] length/);
    assert.throws(() => parseLlama2cTokenizer("t", bytes.subarray(0, 6)), /piece\[0\] is "2 bytes"/);
    assert.throws(() => parseLlama2cTokenizer("t", bytes.subarray(0, 4)), /pieces is 0/);
  });

  const floats = 10 * 8 + 2 * (8 + 64 + 2 * 32 + 64 + 8 + 3 * 96) + 8 + 2 * 16 * 2;

  test("a checkpoint lists its tensors, stacked by layer", async () => {
    const { config, tensors } = await checkpoint([8, 12, 2, 2, 1, 10, 16], floats);
    assert.deepEqual([config.kvHeads, config.tied, config.window], [1, true, 16]);
    assert.deepEqual(tensors.get("wk"), {
      name: "wk",
      shape: [2, 4, 8],
      offset: 28 + 4 * (80 + 16 + 128),
      byteLength: 256,
    });
    assert.equal(tensors.has("wcls"), false);
  });

  test("a negative vocabulary size brings an output matrix of its own", async () => {
    const { config, tensors } = await checkpoint([8, 12, 2, 2, 1, -10, 16], floats + 80);
    assert.deepEqual([config.vocabularySize, config.tied, tensors.get("wcls")?.shape], [10, false, [10, 8]]);
  });

  test("sizes that are not the file's are refused, and newer versions by name", async () => {
    await assert.rejects(checkpoint([8, 12, 2, 2, 1, 10, 16], floats - 1), /size is .* as the sizes in the header say/);
    await assert.rejects(checkpoint([8, 12, 0, 2, 1, 10, 16], floats), /n_layers is 0/);
    await assert.rejects(checkpoint([8, 12, 2, 3, 1, 10, 16], floats), /n_heads is 3/);
    await assert.rejects(checkpoint([8, 12, 2 ** 30, 2, 1, 10, 16], floats), /n_layers is 1073741824/);
    await assert.rejects(checkpoint([0x616b3432, 1, 2, 2, 1, 10, 16], floats), UnsupportedError);
    await assert.rejects(readLlama2c(memorySource("m", new Uint8Array(9))), /size is "9 bytes"/);
  });

  const stories = sharedData("models/stories260K/stories260K.bin");
  test("stories260K has five layers of width 64", { skip: stories.skip }, async () => {
    const { config } = await readLlama2c(memorySource("stories260K.bin", readFileSync(stories.path)));
    const { width, layers, heads, kvHeads, vocabularySize, tied } = config;
    assert.deepEqual([width, layers, heads, kvHeads, vocabularySize, tied], [64, 5, 8, 4, 512, true]);
  });
});
