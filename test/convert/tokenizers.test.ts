// Tokenizers from tokenizer.json to GGUF metadata and back: the ids that the tokenizers library gives stay the ids, and
// what GGUF cannot say is refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { UnsupportedError } from "../../src/base/errors.ts";
import { compareTokenizers } from "../../src/convert/check-texts.ts";
import { tokenizerNotes, tokenizerToGguf } from "../../src/convert/tokenizer-to-gguf.ts";
import { tokenizerToHf } from "../../src/convert/tokenizer-to-hf.ts";
import { openGguf } from "../../src/format/gguf-files.ts";
import { plainMetadata } from "../../src/format/gguf-types.ts";
import { type HfTextFiles, noTextFiles } from "../../src/format/hf-folder.ts";
import { parseSentencePiece } from "../../src/format/sentencepiece.ts";
import { storiesModel } from "../../src/store/built-in.ts";
import { tokenizerFromGguf } from "../../src/text/from-gguf.ts";
import { tokenizerFromHuggingFace } from "../../src/text/from-huggingface.ts";
import { tokenizerFromSentencePiece } from "../../src/text/from-sentencepiece.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";
import { sharedData } from "../shared-data.ts";

const golden = new URL("../golden/text/", import.meta.url);

interface Golden {
  readonly tokenizer?: Record<string, unknown>;
  readonly cases: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

const readGolden = (name: string): Golden =>
  JSON.parse(readFileSync(new URL(`${name}.json`, golden), "utf8")) as Golden;

/** Rows of the embedding beyond the vocabulary, as padded checkpoints have them. */
const PADDING = 7;

function toGguf(files: HfTextFiles, tokenizer: Tokenizer): Record<string, unknown> {
  const vocabularySize = tokenizer.vocabularySize + PADDING;
  return plainMetadata(new Map(tokenizerToGguf({ path: "folder", files, tokenizer, vocabularySize })));
}

function backToHf(metadata: Record<string, unknown>): Tokenizer {
  const { tokenizer, tokenizerConfig } = tokenizerToHf(metadata, "GGUF", tokenizerFromGguf(metadata), 512);
  const parsed = JSON.parse(JSON.stringify({ tokenizer, tokenizerConfig })) as Record<string, Record<string, unknown>>;
  return tokenizerFromHuggingFace({ tokenizer: parsed.tokenizer, tokenizerConfig: parsed.tokenizerConfig });
}

describe("a tokenizer.json as GGUF, and back", () => {
  const names = {
    gpt2: "gpt-2",
    llama3: "llama-bpe",
    qwen2: "qwen2",
    starcoder: "starcoder",
    deepseek3: "deepseek-v3",
  };
  for (const [name, pre] of Object.entries({
    ...names,
    llama2: "default",
    gemma: "default",
    bert: "default",
  })) {
    test(`${name} keeps the library's ids under the pre-tokenizer ${pre}`, () => {
      const { tokenizer: json, cases } = readGolden(name);
      const metadata = toGguf({ ...noTextFiles, tokenizer: json }, tokenizerFromHuggingFace({ tokenizer: json! }));
      assert.equal(metadata["tokenizer.ggml.pre"], pre);
      const there = tokenizerFromGguf(metadata);
      const back = backToHf(metadata);
      const isNormalized = (json!.normalizer as { type?: string } | null)?.type === "NFC";
      const comparable = cases.filter(({ text }) => !isNormalized || text.normalize("NFC") === text);
      assert.ok(comparable.length > 140);
      for (const { text, ids } of comparable) {
        assert.deepEqual(there.encode(text, { special: true }), ids, JSON.stringify(text));
        assert.deepEqual(back.encode(text, { special: true }), ids, JSON.stringify(text));
      }
      assert.ok(compareTokenizers(name, there, back) > 10);
    });
  }

  test("t5 keeps the library's ids where its rules leave blanks as the only white space", () => {
    const { tokenizer: json, cases } = readGolden("t5");
    const metadata = toGguf({ ...noTextFiles, tokenizer: json }, tokenizerFromHuggingFace({ tokenizer: json! }));
    const there = tokenizerFromGguf(metadata);
    const back = backToHf(metadata);
    // the library looks accents up by grapheme, SentencePiece by the longest rule; runs of one letter are ties
    const comparable = cases.filter(({ text }) => !/[^\S ]|[▁\p{M}\u200d\ufeff]|(.)\1{9}/u.test(text));
    assert.ok(comparable.length > 30, String(comparable.length));
    for (const { text, ids } of comparable) {
      assert.deepEqual(there.encode(text, { special: true }), ids, JSON.stringify(text));
      assert.deepEqual(back.encode(text, { special: true }), ids, JSON.stringify(text));
    }
  });

  const unigram = sharedData("tokenizers/sentencepiece-test_model.model");
  test(
    "Unigram with control tokens around texts, with SentencePiece's own rules, comes back whole",
    { skip: unigram.skip },
    () => {
      const { pieces, scores, normalizer } = parseSentencePiece("model", readFileSync(unigram.path));
      const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "always" };
      const special = (id: number) => ({ SpecialToken: { id: pieces[id], type_id: 0 } });
      const json = {
        added_tokens: [0, 1, 2].map((id) => ({ id, content: pieces[id], special: true })),
        normalizer: {
          type: "Sequence",
          normalizers: [
            { type: "Precompiled", precompiled_charsmap: Buffer.from(normalizer.charsmap).toString("base64") },
            { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
            { type: "Replace", pattern: { Regex: String.raw` (?!.|\n)` }, content: "" },
          ],
        },
        pre_tokenizer: metaspace,
        decoder: metaspace,
        post_processor: {
          type: "TemplateProcessing",
          single: [special(1), { Sequence: { id: "A", type_id: 0 } }, special(2)],
          special_tokens: Object.fromEntries([1, 2].map((id) => [pieces[id], { id: pieces[id], ids: [id] }])),
        },
        model: { type: "Unigram", unk_id: 0, vocab: pieces.map((piece, id) => [piece, scores[id]]) },
      };
      const from = tokenizerFromHuggingFace({ tokenizer: json });
      const metadata = toGguf({ ...noTextFiles, tokenizer: json }, from);
      const there = tokenizerFromGguf(metadata);
      assert.ok(compareTokenizers("GGUF", from, there) > 10);
      assert.ok(compareTokenizers("folder", there, backToHf(metadata)) > 10);
      assert.throws(() => backToHf({ ...metadata, "tokenizer.ggml.add_space_prefix": false }), /add_space_prefix/);
    },
  );

  const pairs: [name: string, changes: Record<string, unknown>, pair: string][] = [
    ["bert", {}, "[CLS] A:0 [SEP] B:1 [SEP]"],
    ["t5", {}, "A:0 </s> B:1 </s>"],
    // XLM-R's
    ["t5", { "tokenizer.ggml.add_bos_token": true, "tokenizer.ggml.bos_token_id": 2 }, "<unk> A:0 </s> </s> B:0 </s>"],
    ["llama2", {}, "<s> A:0 <s> B:1"],
  ];
  for (const [name, changes, expected] of pairs) {
    test(`comes back with pairs joined as ${expected}`, () => {
      const { tokenizer: json } = readGolden(name);
      const metadata = toGguf({ ...noTextFiles, tokenizer: json }, tokenizerFromHuggingFace({ tokenizer: json! }));
      const given = { ...metadata, ...changes };
      const { tokenizer } = tokenizerToHf(given, "GGUF", tokenizerFromGguf(given), 512);
      const { pair } = tokenizer.post_processor as {
        pair: { SpecialToken?: { id: string }; Sequence?: { id: string; type_id: number } }[];
      };
      const shown = pair.map(
        ({ SpecialToken, Sequence }) => SpecialToken?.id ?? `${Sequence!.id}:${Sequence!.type_id}`,
      );
      assert.equal(shown.join(" "), expected);
    });
  }

  test("what stands after a text is GGUF's end, as Qwen3-Embedding has it, whose conversations end otherwise", () => {
    const { tokenizer: json } = readGolden("qwen2");
    const ids = Object.fromEntries(
      (json!.added_tokens as { content: string; id: number }[]).map(({ content, id }) => [content, id]),
    );
    const end = "<|endoftext|>";
    const post_processor = {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: end, type_id: 0 } }],
      special_tokens: { [end]: { id: end, ids: [ids[end]], tokens: [end] } },
    };
    const files = {
      ...noTextFiles,
      tokenizer: { ...json, post_processor },
      tokenizerConfig: { eos_token: "<|im_end|>" },
    };
    const from = tokenizerFromHuggingFace(files);
    assert.equal(from.encode("a b", { bos: true }).at(-1), ids[end]);
    const metadata = toGguf(files, from);
    assert.equal(metadata["tokenizer.ggml.eos_token_id"], ids[end]);
    assert.equal(metadata["tokenizer.ggml.eot_token_id"], ids["<|im_end|>"]);
    const there = tokenizerFromGguf(metadata);
    assert.deepEqual(there.encode("a b", { bos: true }), from.encode("a b", { bos: true }));
    assert.ok(there.specials.endOfGeneration.has(ids["<|im_end|>"]));
    assert.deepEqual(backToHf(metadata).encode("a b", { bos: true }), from.encode("a b", { bos: true }));
  });

  test("says that NFC stays behind", () => {
    assert.match(tokenizerNotes({ files: { ...noTextFiles, tokenizer: readGolden("qwen2").tokenizer } })[0], /NFC/);
    assert.deepEqual(tokenizerNotes({ files: { ...noTextFiles, tokenizer: readGolden("gpt2").tokenizer } }), []);
  });

  test("fills the vocabulary up to the embedding's rows with tokens of no use", () => {
    const json = readGolden("gpt2").tokenizer!;
    const tokenizer = tokenizerFromHuggingFace({ tokenizer: json });
    const there = tokenizerFromGguf(toGguf({ ...noTextFiles, tokenizer: json }, tokenizer));
    assert.equal(there.vocabularySize, tokenizer.vocabularySize + PADDING);
    assert.equal(there.tokenText(tokenizer.vocabularySize), `[PAD${tokenizer.vocabularySize}]`);
    assert.equal(there.tokenClass(tokenizer.vocabularySize), "unused");
  });

  const refused = {
    clip: /normalizer/,
    gpt1: /end_of_word_suffix/,
    roberta: /add_prefix_space/,
    "bert-cased": /without BertPreTokenizer/,
    albert: /normalizer/,
  };
  for (const [name, message] of Object.entries(refused)) {
    test(`refuses ${name}, which GGUF cannot say: ${message.source}`, () => {
      const json = readGolden(name).tokenizer!;
      const isRefusal = (error: unknown): boolean => error instanceof UnsupportedError && message.test(error.message);
      assert.throws(
        () => toGguf({ ...noTextFiles, tokenizer: json }, tokenizerFromHuggingFace({ tokenizer: json })),
        isRefusal,
      );
    });
  }

  test("refuses a SentencePiece model that normalises texts", () => {
    const sentencePiece = parseSentencePiece("model", readFileSync(new URL("sp-bpe.model", golden)));
    const tokenizer = tokenizerFromSentencePiece(sentencePiece);
    assert.throws(() => toGguf({ ...noTextFiles, sentencePiece }, tokenizer), /normalises texts/);
  });

  test("refuses a tokenizer with more tokens than the embedding has rows", () => {
    const json = readGolden("gpt2").tokenizer!;
    const tokenizer = tokenizerFromHuggingFace({ tokenizer: json });
    const folder = { path: "folder", files: { ...noTextFiles, tokenizer: json }, tokenizer, vocabularySize: 10 };
    assert.throws(() => tokenizerToGguf(folder), /tokens, the embedding 10 rows/);
  });
});

describe("a GGUF vocabulary as tokenizer.json", () => {
  test("the built-in model's gives the same ids, with merges made of its scores", async () => {
    await using files = await openGguf(storiesModel.path);
    const tokenizer = tokenizerFromGguf(files.config);
    assert.ok(compareTokenizers("built-in", tokenizer, backToHf(files.config)) > 10);
  });

  test("a </s> that the file lists as an ordinary token is one in the folder, with its merges", () => {
    const json = readGolden("gpt2").tokenizer!;
    const metadata = toGguf({ ...noTextFiles, tokenizer: json }, tokenizerFromHuggingFace({ tokenizer: json }));
    const tokens = [...(metadata["tokenizer.ggml.tokens"] as string[]), "</", "s>", "</s>"];
    const types = Int32Array.from([...(metadata["tokenizer.ggml.token_type"] as Int32Array), 1, 1, 1]);
    const merges = ["< /", "s >", "</ s>", ...(metadata["tokenizer.ggml.merges"] as string[])];
    const changed = {
      ...metadata,
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.token_type": types,
      "tokenizer.ggml.merges": merges,
    };
    const there = tokenizerFromGguf(changed);
    assert.equal(there.tokenClass(tokens.length - 1), "control", "taken for one by its spelling");
    const { tokenizer } = tokenizerToHf(changed, "GGUF", there, 512);
    assert.ok(!(tokenizer.added_tokens as { content: string }[]).some(({ content }) => content === "</s>"));
    const back = backToHf(changed);
    assert.equal(back.tokenClass(tokens.length - 1), "normal");
    assert.deepEqual(back.encode("a</s>b"), there.encode("a</s>b"));
  });

  for (const name of ["gpt-2", "llama-spm", "phi-3", "bert-bge"]) {
    const { path, skip } = sharedData(`vocab/ggml-vocab-${name}.gguf`);
    test(`llama.cpp's ${name} keeps its ids`, { skip }, async () => {
      await using files = await openGguf(path);
      const back = backToHf(files.config);
      const texts = readFileSync(`${path}.inp`, "utf8").split("\n__ggml_vocab_test__\n");
      const expected = readFileSync(`${path}.out`, "utf8").split("\n");
      for (const [i, text] of texts.entries()) {
        assert.equal(back.encode(text).join(" "), expected[i].trim(), JSON.stringify(text));
      }
    });
  }
});
