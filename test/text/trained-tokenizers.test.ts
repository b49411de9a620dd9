// Tokenizers that Liang trains: byte-level merges equal to the tokenizers library's, files that it opens and reads as
// Liang does (test/golden/tokenizer-training), and the same ids from GGUF metadata made of them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { tokenizerToGguf } from "../../src/convert/tokenizer-to-gguf.ts";
import { tokenizerFromGguf } from "../../src/text/from-gguf.ts";
import { tokenizerFromHuggingFace } from "../../src/text/from-huggingface.ts";
import { type TrainedTokenizer, trainTokenizer } from "../../src/text/training/index.ts";
import { goldenFile, goldenOptions, goldenTexts } from "../golden/tokenizer-training/train.ts";
import { sharedData } from "../shared-data.ts";

const mergesOf = ({ tokenizer }: TrainedTokenizer): string[] =>
  (tokenizer["model"] as { merges: [string, string][] }).merges.map((pair) => pair.join(" "));

const lines = (path: string): string[] => readFileSync(path, "utf8").trimEnd().split("\n");

const noSpecials = { roles: {} };

describe("byte-level merges", () => {
  for (const language of ["en", "zh"]) {
    test(`are the library's, in its order (${language})`, async () => {
      const trained = await trainTokenizer(
        { files: [goldenFile(`${language}.txt`)] },
        { kind: "bpe", vocabularySize: 956, preTokenizer: "gpt-2", specials: noSpecials },
      );
      assert.deepEqual(mergesOf(trained), lines(goldenFile(`${language}.merges.txt`)));
    });
  }

  for (const name of ["en-gpt2", "en-cl100k", "zh-gpt2", "zh-cl100k"]) {
    const { path, skip } = sharedData(`training/bpe/${name}.json`);
    test(`are the library's for a megabyte (${name})`, { skip }, async () => {
      const golden = JSON.parse(readFileSync(path, "utf8")) as {
        file: string;
        byte_from: number;
        byte_to: number;
        vocab_size: number;
        samples: { text: string; ids: number[] }[];
      };
      const text = new TextDecoder().decode(
        readFileSync(sharedData(golden.file).path).subarray(golden.byte_from, golden.byte_to),
      );
      const trained = await trainTokenizer(
        { texts: [text] },
        {
          kind: "bpe",
          vocabularySize: golden.vocab_size,
          preTokenizer: name.endsWith("gpt2") ? "gpt-2" : "cl100k",
          specials: noSpecials,
          countMin: 1,
        },
      );
      assert.deepEqual(mergesOf(trained), lines(path.replace(".json", ".merges.txt")));
      const tokenizer = tokenizerFromHuggingFace(trained);
      for (const { text: sample, ids } of golden.samples) assert.deepEqual(tokenizer.encode(sample), ids, sample);
    });
  }
});

interface Golden extends Pick<TrainedTokenizer, "tokenizer" | "tokenizerConfig"> {
  readonly cases: readonly { text: string; ids: number[]; with_template: number[]; decoded: string }[];
}

/** Numbers to ten digits: scores are sums of logarithms, whose last bits may be a host's own. */
const rounded = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, item: unknown) => (typeof item === "number" ? Number(item.toPrecision(10)) : item)),
  );

for (const [name, options] of Object.entries(goldenOptions)) {
  describe(`a trained ${name} tokenizer`, () => {
    const golden = JSON.parse(readFileSync(goldenFile(`trained-${name}.json`), "utf8")) as Golden;
    const tokenizer = tokenizerFromHuggingFace(golden);

    test("comes out the same from the same texts", async () => {
      const texts = goldenTexts.map((path) => readFileSync(path, "utf8"));
      const trained = await trainTokenizer({ texts }, options);
      assert.equal(trained.vocabularySize, tokenizer.vocabularySize);
      assert.deepEqual(rounded(trained.tokenizer), rounded(golden.tokenizer));
      assert.deepEqual(trained.tokenizerConfig, golden.tokenizerConfig);
    });

    test("gives the ids and texts that the library gives with its file", () => {
      for (const { text, ids, with_template, decoded } of golden.cases) {
        assert.deepEqual(tokenizer.encode(text, { special: true }), ids, JSON.stringify(text));
        assert.deepEqual(tokenizer.encode(text, { special: true, bos: true }), with_template, JSON.stringify(text));
        if (!decoded.includes("\ufffd")) assert.equal(tokenizer.decode(ids), decoded, JSON.stringify(text));
      }
    });

    test("takes special tokens in a text for text", () => {
      const special = tokenizer.tokenText(tokenizer.encode("<unk></s>[UNK]<|im_end|>", { special: true })[0]);
      for (const id of tokenizer.encode(`a${special}b<|im_end|>[SEP]</s>`)) {
        assert.ok(!tokenizer.isSpecial(id) || id === tokenizer.specials.unknown, tokenizer.tokenText(id));
      }
    });

    if (options.kind === "wordpiece") return;

    test("gives every text back", () => {
      for (const { text } of golden.cases) {
        // "▁" and a blank are one in SentencePiece's spelling
        if (options.kind !== "bpe" && text.includes("▁")) continue;
        assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
      }
    });

    if (options.kind === "unigram") return;

    test("gives the same ids from GGUF metadata", () => {
      const files = { ...golden, generationConfig: undefined, specialTokensMap: undefined, sentencePiece: undefined };
      const entries = tokenizerToGguf({
        path: name,
        files: { ...files, chatTemplate: undefined },
        tokenizer,
        vocabularySize: tokenizer.vocabularySize,
      });
      const fromGguf = tokenizerFromGguf(Object.fromEntries(entries.map(([key, { value }]) => [key, value])));
      for (const { text } of golden.cases) {
        for (const bos of [false, true]) {
          assert.deepEqual(fromGguf.encode(text, { bos }), tokenizer.encode(text, { bos }), JSON.stringify(text));
        }
        assert.equal(fromGguf.decode(fromGguf.encode(text)), tokenizer.decode(tokenizer.encode(text)));
      }
    });
  });
}
