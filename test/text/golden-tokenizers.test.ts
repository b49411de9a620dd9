// Tokenizers of every kind against the libraries they come from: small ones trained for the purpose, with the ids that
// `tokenizers` and `sentencepiece` give for 160 texts (test/golden/text/make.py).
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parseSentencePiece } from "../../src/format/sentencepiece.ts";
import { tokenizerFromGguf } from "../../src/text/from-gguf.ts";
import { tokenizerFromHuggingFace } from "../../src/text/from-huggingface.ts";
import { tokenizerFromSentencePiece } from "../../src/text/from-sentencepiece.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";

const FOLDER = new URL("../golden/text/", import.meta.url);

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly with_template?: readonly number[];
  readonly decoded: string;
  readonly decoded_skip_special?: string;
}

const read = (name: string) => readFileSync(new URL(name, FOLDER));
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

for (const name of names) {
  const golden = JSON.parse(read(name).toString()) as { tokenizer?: Record<string, unknown>; cases: readonly Case[] };
  const model = name.replace(".json", ".model");
  const make = (): Tokenizer =>
    golden.tokenizer === undefined
      ? tokenizerFromSentencePiece(parseSentencePiece(model, read(model)))
      : tokenizerFromHuggingFace({ tokenizer: golden.tokenizer });

  describe(name.replace(".json", ""), () => {
    const tokenizer = make();

    test("gives the library's ids for every text", () => {
      for (const { text, ids } of golden.cases) {
        // the sentencepiece library knows no control tokens in a text
        const special = golden.tokenizer !== undefined;
        assert.deepEqual(tokenizer.encode(text, { special }), ids, JSON.stringify(text));
      }
    });

    test("puts around a text what the library puts there", () => {
      for (const { text, with_template } of golden.cases) {
        if (with_template) assert.deepEqual(tokenizer.encode(text, { special: true, bos: true }), with_template, text);
      }
    });

    test("decodes to the library's text", () => {
      const unknown = tokenizer.specials.unknown ?? -1;
      for (const { text, ids, decoded, decoded_skip_special } of golden.cases) {
        // Bytes that are no UTF-8 become one U+FFFD here, one each there; sentencepiece writes unknowns as " ⁇ ".
        if (decoded.includes("\ufffd") || (golden.tokenizer === undefined && ids.includes(unknown))) continue;
        assert.equal(tokenizer.decode(ids), decoded, JSON.stringify(text));
        if (decoded_skip_special === undefined) continue;
        assert.equal(tokenizer.decode(ids, { special: false }), decoded_skip_special, JSON.stringify(text));
      }
    });
  });
}

test("a T5 file's metadata gives the sentencepiece library's ids", () => {
  const { pieces, scores, types, ids, normalizer } = parseSentencePiece("model", read("sp-unigram-unknown.model"));
  const typeNumbers = ["normal", "unknown", "control", "user_defined", "unused", "byte"];
  const tokenizer = tokenizerFromGguf({
    "tokenizer.ggml.model": "t5",
    "tokenizer.ggml.tokens": pieces,
    "tokenizer.ggml.scores": scores,
    "tokenizer.ggml.token_type": types.map((type) => typeNumbers.indexOf(type) + 1),
    "tokenizer.ggml.eos_token_id": ids.eos,
    "tokenizer.ggml.unknown_token_id": ids.unk,
    "tokenizer.ggml.precompiled_charsmap": normalizer.charsmap,
    "tokenizer.ggml.add_space_prefix": normalizer.addDummyPrefix,
    "tokenizer.ggml.remove_extra_whitespaces": normalizer.removeExtraWhitespaces,
  });
  const { cases } = JSON.parse(read("sp-unigram-unknown.json").toString()) as { cases: readonly Case[] };
  for (const { text, ids: expected } of cases) {
    assert.deepEqual(tokenizer.encode(text), expected, JSON.stringify(text));
    assert.deepEqual(tokenizer.encode(text, { bos: true }), [...expected, ids.eos]);
  }
});
