import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../base/errors.ts";
import { tokenizerFromMarian } from "./from-marian.ts";
import type { SentencePieceFile } from "./from-sentencepiece.ts";

/** Cuts words of a small language; its own numbers are not vocab.json's. */
const source: SentencePieceFile = {
  pieces: ["<unk>", "<s>", "</s>", "▁the", "▁cat", "s", "▁", "t", "h", "e"],
  scores: [0, 0, 0, -1, -2, -3, -4, -5, -5, -5],
  types: ["unknown", "control", "control", ...Array.from({ length: 7 }, () => "normal" as const)],
  modelType: "unigram",
  byteFallback: false,
  ids: { unk: 0, bos: 1, eos: 2, pad: -1 },
  normalizer: {
    charsmap: new Uint8Array(0),
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
  },
};
const vocabulary = {
  "</s>": 0,
  "<unk>": 1,
  "▁cat": 2,
  s: 3,
  "▁the": 4,
  "▁猫": 5,
  ">>cmn_Hans<<": 6,
  "▁": 7,
  "<pad>": 8,
};

test("a text becomes vocab.json's ids, and the end after it", () => {
  const tokenizer = tokenizerFromMarian({ source, vocabulary });
  assert.deepEqual(tokenizer.encode("the cats", { bos: true }), [4, 2, 3, 0]);
  assert.deepEqual(tokenizer.encode("the cat?"), [4, 2, 1], "what it does not know");
  assert.equal(tokenizer.addEos, true);
});

test("the code of a language is one id, and the text after it begins anew", () => {
  const tokenizer = tokenizerFromMarian({ source, vocabulary });
  assert.deepEqual(tokenizer.encode(">>cmn_Hans<< the cats"), [6, 4, 2, 3]);
  assert.deepEqual(tokenizer.encode("cat</s>").includes(0), false, "an end that a person writes is text");
});

test("replies are of the target language's pieces", () => {
  const tokenizer = tokenizerFromMarian({ source, vocabulary });
  assert.equal(tokenizer.decode([5, 4, 0], { special: false }), "猫 the");
});

test("refuses ids that are no numbering", () => {
  const broken = { ...vocabulary, s: 2 };
  assert.throws(() => tokenizerFromMarian({ source, vocabulary: broken }), FormatError);
  const { "</s>": _, ...endless } = vocabulary;
  assert.throws(() => tokenizerFromMarian({ source, vocabulary: { ...endless, x: 0 } }), /<\/s>/);
});
