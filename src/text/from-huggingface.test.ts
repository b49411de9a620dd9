import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError, UnsupportedError } from "../base/errors.ts";
import { tokenizerFromHuggingFace } from "./from-huggingface.ts";

const VOCAB = { "<unk>": 0, "<s>": 1, "</s>": 2, a: 3, b: 4, ab: 5, Ġ: 6, "<think>": 7 };
const BASE = {
  added_tokens: [
    { id: 1, content: "<s>", special: true },
    { id: 2, content: "</s>", special: true },
    { id: 7, content: "<think>", special: false, normalized: false },
  ],
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", vocab: VOCAB, merges: ["a b"], unk_token: "<unk>" },
};

const make = (change: object = {}, files: object = {}) =>
  tokenizerFromHuggingFace({ tokenizer: { ...BASE, ...change }, ...files }, "tokenizer.json");

describe("tokenizer.json", () => {
  test("special tokens are found only when specials are parsed, others always", () => {
    assert.deepEqual(make().encode("ab<think>a", { special: true }), [5, 7, 3]);
    assert.deepEqual(make().encode("ab<think>a"), [5, 7, 3]);
    assert.deepEqual(make().encode("<s>a", { special: true }), [1, 3]);
    assert.ok(!make().encode("<s>a").includes(1));
  });

  test("roles come from tokenizer_config.json, endings from generation_config.json too", () => {
    const { specials } = make(
      {},
      {
        tokenizerConfig: { bos_token: "<s>", eos_token: { content: "</s>" } },
        generationConfig: { eos_token_id: [2, 4] },
      },
    );
    assert.deepEqual([specials.bos, specials.eos, specials.unknown], [1, 2, 0]);
    assert.deepEqual([...specials.endOfGeneration], [2, 4]);
  });

  test("Llama's add_bos_token wins over the template, other classes' does not", () => {
    const config = { bos_token: "<s>", eos_token: "</s>", add_bos_token: true, add_eos_token: true };
    const withClass = (tokenizer_class: string) => make({}, { tokenizerConfig: { ...config, tokenizer_class } });
    assert.deepEqual(withClass("LlamaTokenizerFast").encode("a", { bos: true }), [1, 3, 2]);
    assert.deepEqual(withClass("PreTrainedTokenizerFast").encode("a", { bos: true }), [3]);
  });

  test("merges may be pairs, ids may have holes", () => {
    const tokenizer = make({
      model: { ...BASE.model, merges: [["a", "b"]] },
      added_tokens: [...BASE.added_tokens, { id: 12, content: "<late>", special: true }],
    });
    assert.deepEqual(tokenizer.encode("ab<late>", { special: true }), [5, 12]);
    assert.equal(tokenizer.vocabularySize, 13);
    assert.equal(tokenizer.decode([10, 12]), "<late>");
  });

  const unsupported: Readonly<Record<string, object>> = {
    "a normalizer": { normalizer: { type: "Sideways" } },
    "a normalizer inside a sequence": { normalizer: { type: "Sequence", normalizers: [{ type: "Sideways" }] } },
    "a pre_tokenizer": { pre_tokenizer: { type: "UnicodeScripts" } },
    "a pre_tokenizer after ByteLevel": {
      pre_tokenizer: { type: "Sequence", pretokenizers: [BASE.pre_tokenizer, { type: "Digits" }] },
    },
    "a prefix space after another split": {
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [{ type: "Digits" }, { type: "ByteLevel", add_prefix_space: true }],
      },
    },
    "a model": { model: { type: "WordLevel", vocab: VOCAB, unk_token: "<unk>" } },
    continuing_subword_prefix: { model: { ...BASE.model, continuing_subword_prefix: "##" } },
    "a decoder": { decoder: { type: "CTC" } },
    "a post_processor": { post_processor: { type: "Sideways" } },
    "a normalizer of a name that every object has": { normalizer: { type: "constructor" } },
    "a pre_tokenizer of a name that every object has": { pre_tokenizer: { type: "toString" } },
    "a post_processor of a name that every object has": { post_processor: { type: "valueOf" } },
    "a model of a name that every object has": { model: { ...BASE.model, type: "__proto__" } },
    "a pattern that could run for ever": {
      pre_tokenizer: { type: "Split", pattern: { Regex: "(a*)*b" }, behavior: "Isolated" },
    },
  };
  for (const [what, change] of Object.entries(unsupported)) {
    test(`${what} that is unknown is refused by name, not left out`, () => {
      assert.throws(() => make(change), UnsupportedError);
    });
  }

  const malformed: Readonly<Record<string, object>> = {
    "no model": { model: undefined },
    "vocab that is a list": { model: { ...BASE.model, vocab: [] } },
    "an id that is no number": { model: { ...BASE.model, vocab: { a: "0" } } },
    "an id beyond all vocabularies": { model: { ...BASE.model, vocab: { a: 2 ** 40 } } },
    "merges of numbers": { model: { ...BASE.model, merges: [1] } },
    "an added token far beyond the others": { added_tokens: [{ id: 1e9, content: "<x>" }] },
    "an added token with half an id": { added_tokens: [{ id: 7.5, content: "<x>" }] },
    "an added token without content": { added_tokens: [{ id: 1 }] },
    "an unknown token outside of the vocabulary": {
      model: { type: "Unigram", vocab: [["a", -1]], unk_id: 1_000_000 },
      pre_tokenizer: undefined,
    },
    "a template of nothing": { post_processor: { type: "TemplateProcessing", special_tokens: {}, single: [null] } },
    "a charsmap that is no base64": { normalizer: { type: "Precompiled", precompiled_charsmap: "!" } },
  };
  for (const [what, change] of Object.entries(malformed)) {
    test(`${what} is refused, naming the field`, () => {
      assert.throws(() => make(change), FormatError);
    });
  }

  test("a stranger's pattern cuts at once, however often it could try", () => {
    const pattern = { Regex: "(a+)+b" };
    const split = make({ pre_tokenizer: { type: "Split", pattern, behavior: "Isolated" } });
    const replace = make({ normalizer: { type: "Replace", pattern, content: "" } });
    const started = performance.now();
    for (const text of ["a".repeat(5000), `${"a".repeat(5000)}b`]) {
      assert.equal(split.encode(text).filter((id) => id === 3 || id === 5).length, 5000);
    }
    assert.deepEqual(replace.encode(`b${"a".repeat(5000)}ba`), [4, 3]);
    assert.ok(performance.now() - started < 5000, "thirty letters would take the host's own engine minutes");
  });

  test("a control token of a unigram vocabulary is plain text where a text spells it, and a token where it is asked for", () => {
    const tokenizer = make({
      added_tokens: [{ id: 1, content: "</s>", special: true }],
      pre_tokenizer: undefined,
      model: { type: "Unigram", unk_id: 0, vocab: ["<unk>", "</s>", "<", "/", "s", ">"].map((text) => [text, 0]) },
    });
    assert.deepEqual(tokenizer.encode("</s>"), [2, 3, 4, 5]);
    assert.deepEqual(tokenizer.encode("</s>", { special: true }), [1]);
  });

  test("a merge of unknown spellings is refused with the first text", () => {
    const tokenizer = make({ model: { ...BASE.model, merges: ["a x"] } });
    assert.throws(() => tokenizer.encode("a"), FormatError);
  });
});
