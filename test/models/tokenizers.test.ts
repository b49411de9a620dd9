// The reference strings of the real models: ids with and without specials, with BOS, and the texts they decode to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { tokenizerFromGguf } from "../../src/text/from-gguf.ts";
import { tokenizerFromHuggingFace } from "../../src/text/from-huggingface.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";
import { modelFile } from "../model-files.ts";
import { sharedData } from "../shared-data.ts";

/** A text ("same": the string itself), or bytes that are no UTF-8. */
type Detokenized = string | { readonly bytes_hex: string };

interface ReferenceString {
  readonly text: string;
  readonly ids: readonly number[];
  readonly ids_parse_special: "same" | readonly number[];
  readonly ids_add_special: "same_as_parse_special" | readonly number[];
  readonly detok: Detokenized;
  readonly detok_parse_special: Detokenized;
  readonly detok_skip_special: Detokenized;
}

interface Reference {
  readonly tokenizer: readonly ReferenceString[];
  readonly special: {
    readonly bos: number;
    readonly eos: number;
    readonly eot: number;
    readonly pad: number;
    readonly add_bos: boolean;
    readonly add_eos: boolean;
    readonly end_of_generation: readonly number[];
    readonly vocab_size: number;
  };
}

async function openTokenizer(path: string): Promise<Tokenizer> {
  await using files = await openModelFiles(path);
  return tokenizerFromGguf(files.config, path);
}

for (const name of ["gemma-3-270m-q4_k_m", "qwen2.5-coder-1.5b-instruct-q4_k_m"]) {
  const model = modelFile(`${name}.gguf`);
  const reference = sharedData(`real/${name}.json`);
  const skip = model.skip || reference.skip;

  describe(name, { skip }, async () => {
    if (skip) return;
    const { tokenizer: strings, special } = JSON.parse(readFileSync(reference.path, "utf8")) as Reference;
    const tokenizer = await openTokenizer(model.path);

    test("every reference string has its ids, plain, with specials and with BOS", () => {
      assert.ok(strings.length >= 40);
      for (const { text, ids, ids_parse_special, ids_add_special } of strings) {
        const parsed = ids_parse_special === "same" ? ids : ids_parse_special;
        const added = ids_add_special === "same_as_parse_special" ? parsed : ids_add_special;
        assert.deepEqual(tokenizer.encode(text), ids, text);
        assert.deepEqual(tokenizer.encode(text, { special: true }), parsed, text);
        assert.deepEqual(tokenizer.encode(text, { special: true, bos: true }), added, text);
      }
    });

    test("ids decode to the reference texts, whole and piece by piece", () => {
      for (const { text, ids, ids_parse_special, ...texts } of strings) {
        const parsed = ids_parse_special === "same" ? ids : ids_parse_special;
        for (const [decoded, given, written] of [
          [texts.detok, ids, true],
          [texts.detok_parse_special, parsed, true],
          [texts.detok_skip_special, parsed, false],
        ] as const) {
          const bytes = tokenizer.decodeBytes(given, { special: written });
          const expected = typeof decoded === "string" ? (decoded === "same" ? text : decoded) : decoded.bytes_hex;
          const found =
            typeof decoded === "string" ? Buffer.from(bytes).toString() : Buffer.from(bytes).toString("hex");
          assert.equal(found, expected);
          const stream = tokenizer.detokenizer({ special: written });
          const streamed = given.map((id) => stream.push(id)).join("") + stream.end();
          assert.equal(streamed, tokenizer.decode(given, { special: written }));
        }
      }
    });

    test("special ids and what ends a reply are the reference's", () => {
      const { specials } = tokenizer;
      assert.equal(tokenizer.vocabularySize, special.vocab_size);
      for (const role of ["bos", "eos", "eot", "pad"] as const) assert.equal(specials[role], special[role], role);
      assert.deepEqual(
        [...specials.endOfGeneration].toSorted((a, b) => a - b),
        special.end_of_generation,
      );
      assert.deepEqual([tokenizer.addBos, tokenizer.addEos], [special.add_bos, special.add_eos]);
    });
  });
}

describe("Qwen's vocabulary on llama.cpp's test texts", () => {
  const model = modelFile("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf");
  for (const name of ["qwen2", "deepseek-r1-qwen"]) {
    const inputs = sharedData(`vocab/ggml-vocab-${name}.gguf.inp`);
    test(`${name}: every text has its ids`, { skip: model.skip || inputs.skip }, async () => {
      const tokenizer = await openTokenizer(model.path);
      const texts = readFileSync(inputs.path, "utf8").split("\n__ggml_vocab_test__\n");
      const lines = readFileSync(inputs.path.replace(/inp$/, "out"), "utf8").split("\n");
      for (const [i, text] of texts.entries()) {
        const ids = lines[i]
          .split(" ")
          .filter((id) => id !== "")
          .map(Number);
        assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
      }
    });
  }
});

const json = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;

describe("all-MiniLM-L6-v2", () => {
  const model = modelFile("all-minilm-l6-v2");
  const reference = sharedData("real/all-minilm-l6-v2.json");
  test("every sentence has its ids, [CLS] and [SEP] around", { skip: model.skip || reference.skip }, () => {
    const tokenizer = tokenizerFromHuggingFace({
      tokenizer: json(join(model.path, "tokenizer.json")),
      tokenizerConfig: json(join(model.path, "tokenizer_config.json")),
    });
    const { sentences } = json(reference.path) as {
      sentences: readonly { readonly text: string; readonly ids: readonly number[] }[];
    };
    assert.ok(sentences.length > 0);
    const MAX = 256; // the reference cuts there, the tokenizer does not
    for (const { text, ids } of sentences) {
      const found = tokenizer.encode(text, { bos: true });
      const cut = found.length > MAX ? [...found.slice(0, MAX - 1), found.at(-1)] : found;
      assert.deepEqual(cut, ids, text);
    }
  });
});
