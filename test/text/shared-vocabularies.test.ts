// Real vocabularies against reference ids: llama.cpp's own test texts (.inp) and ids (.out), OpenAI's encodings against
// the tiktoken package, on strings and on whole books.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { parseSentencePiece } from "../../src/format/sentencepiece.ts";
import { parseTiktoken } from "../../src/format/tiktoken.ts";
import { tokenizerFromGguf } from "../../src/text/from-gguf.ts";
import { tokenizerFromHuggingFace } from "../../src/text/from-huggingface.ts";
import { tiktokenEncodings, tokenizerFromRanks } from "../../src/text/from-ranks.ts";
import { tokenizerFromSentencePiece } from "../../src/text/from-sentencepiece.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";
import { sharedData } from "../shared-data.ts";

const require = createRequire(import.meta.url);

function vocabCases(name: string): readonly (readonly [text: string, ids: readonly number[]])[] {
  const { path } = sharedData(`vocab/ggml-vocab-${name}.gguf`);
  const texts = readFileSync(`${path}.inp`, "utf8").split("\n__ggml_vocab_test__\n");
  const lines = readFileSync(`${path}.out`, "utf8").split("\n");
  return texts.map((text, i) => [
    text,
    lines[i]
      .split(" ")
      .filter((id) => id !== "")
      .map(Number),
  ]);
}

function assertCases(tokenizer: Tokenizer, name: string): void {
  const cases = vocabCases(name);
  assert.ok(cases.length > 40);
  for (const [text, ids] of cases) assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
}

describe("llama.cpp's vocabulary files", () => {
  for (const name of ["bert-bge", "deepseek-llm", "gpt-2", "llama-spm", "phi-3"]) {
    const { path, skip } = sharedData(`vocab/ggml-vocab-${name}.gguf`);
    test(`${name}: every text has its ids`, { skip }, async () => {
      await using files = await openModelFiles(path);
      const tokenizer = tokenizerFromGguf(files.config, path);
      assertCases(tokenizer, name);
      if (tokenizer.kind === "wordpiece") return; // which loses case and spaces
      for (const [text, ids] of vocabCases(name)) assert.equal(tokenizer.decode(ids), text);
    });
  }

  const llama3 = sharedData("tokenizers/llama3.2/vocab.bpe");
  test("llama-bpe: every text has its ids, from Llama 3.2's vocabulary and merges", { skip: llama3.skip }, () => {
    const ids = JSON.parse(readFileSync(sharedData("tokenizers/llama3.2/encoder.json").path, "utf8")) as object;
    const tokens: string[] = [];
    for (const [text, id] of Object.entries(ids)) tokens[id as number] = text;
    const merges = readFileSync(llama3.path, "utf8").split("\n");
    const tokenizer = tokenizerFromGguf({
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "llama-bpe",
      "tokenizer.ggml.tokens": Array.from(tokens, (text, id) => text ?? `[EMPTY_${id}]`),
      "tokenizer.ggml.merges": merges.filter((line) => line.includes(" ") && !line.startsWith("#version")),
    });
    assertCases(tokenizer, "llama-bpe");
  });
});

interface TiktokenPackage {
  get_encoding(name: string): { encode_ordinary(text: string): Uint32Array; free(): void };
}

const BOOKS = ["pretrain/en/war-and-peace.txt", "pretrain/zh/novels/三国演义.txt", "pretrain/en/wikitext-2/test.txt"];

describe("OpenAI's encodings", () => {
  const package_ = require("tiktoken") as TiktokenPackage;
  for (const name of ["cl100k_base", "o200k_base", "p50k_base", "gpt2"]) {
    const { path, skip } = sharedData(`tokenizers/${name}.tiktoken`);
    test(`${name}: the ids of the tiktoken package, for test texts and for 30 kB of three books`, { skip }, () => {
      const ranks = parseTiktoken(path, readFileSync(path, "latin1"));
      const tokenizer = tokenizerFromRanks(ranks, tiktokenEncodings[name]);
      const theirs = package_.get_encoding(name);
      const texts = vocabCases("gpt-2").map(([text]) => text);
      for (const book of BOOKS)
        texts.push(
          ...readFileSync(sharedData(book).path, "utf8")
            .slice(0, 10_000)
            .split(/(?<=\n)/),
        );
      for (const text of texts) {
        assert.deepEqual(tokenizer.encode(text), [...theirs.encode_ordinary(text)], JSON.stringify(text));
      }
      theirs.free();
    });
  }
});

describe("vocabularies whose ids their own libraries gave (test/golden/text/make.py)", () => {
  const golden = JSON.parse(readFileSync(new URL("../golden/text/shared/ids.json", import.meta.url), "utf8")) as {
    readonly texts: readonly string[];
    readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
  };
  for (const [name, ids] of Object.entries(golden.ids)) {
    const { path, skip } = sharedData(`tokenizers/${name}`);
    test(`${name}: every text has its ids`, { skip }, () => {
      const bytes = readFileSync(path);
      const isJson = name.endsWith(".json");
      const tokenizer = isJson
        ? tokenizerFromHuggingFace({ tokenizer: JSON.parse(bytes.toString()) as Record<string, unknown> }, path)
        : tokenizerFromSentencePiece(parseSentencePiece(path, bytes), {}, path);
      for (const [i, text] of golden.texts.entries()) {
        assert.deepEqual(tokenizer.encode(text, { special: isJson }), ids[i], JSON.stringify(text));
      }
    });
  }
});
