import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError, UnsupportedError, UsageError } from "../base/errors.ts";
import { spellBytes } from "./byte-alphabet.ts";
import { tokenizerFromGguf } from "./from-gguf.ts";

const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;
const BYTE = 6;

type Entry = readonly [text: string, type: number, score?: number];

function metadata(model: string, entries: readonly Entry[], more: object = {}): Record<string, unknown> {
  return {
    "tokenizer.ggml.model": model,
    "tokenizer.ggml.tokens": entries.map(([text]) => text),
    "tokenizer.ggml.token_type": Int32Array.from(entries, ([, type]) => type),
    "tokenizer.ggml.scores": Float32Array.from(entries, ([, , score = 0]) => score),
    ...more,
  };
}

const bytes = Array.from({ length: 256 }, (_, byte): Entry => [spellBytes(Uint8Array.of(byte)), NORMAL]);
const byteTokens = Array.from({ length: 256 }, (_, byte): Entry => [
  `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  BYTE,
]);

const BPE_ENTRIES: readonly Entry[] = [
  ...bytes,
  ["he", NORMAL],
  ["Ġhe", NORMAL],
  ["<|im_end|>", CONTROL],
  ["<think>", USER_DEFINED],
  ["[empty 260]", UNUSED],
  ["</s>", NORMAL],
  ["xyz", NORMAL],
];
const MERGES = ["h e", "Ġ he", "x y", "xy z"];
const bpe = (more: object = {}) =>
  tokenizerFromGguf(
    metadata("gpt2", BPE_ENTRIES, { "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.merges": MERGES, ...more }),
  );

const SPM_ENTRIES: readonly Entry[] = [
  ["<unk>", UNKNOWN],
  ["<s>", CONTROL],
  ["</s>", CONTROL],
  ...byteTokens,
  ["▁", NORMAL, -9],
  ["h", NORMAL, -9],
  ["i", NORMAL, -9],
  ["▁h", NORMAL, -2],
  ["hi", NORMAL, -1],
  ["▁hi", NORMAL, -3],
  ["\n\n", USER_DEFINED, 0],
];
const spm = (more: object = {}) => tokenizerFromGguf(metadata("llama", SPM_ENTRIES, more));

describe("byte-level BPE of a GGUF file", () => {
  test("a pasted control token is plain text; parsed as special it is one id", () => {
    const tokenizer = bpe();
    const id = tokenizer.idOf("<|im_end|>")!;
    assert.ok(!tokenizer.encode("x<|im_end|>").includes(id));
    assert.deepEqual(tokenizer.encode("he<|im_end|>", { special: true }), [256, id]);
    assert.equal(tokenizer.decode(tokenizer.encode("x<|im_end|>")), "x<|im_end|>");
  });

  test("a user-defined token is found in plain text", () => {
    assert.deepEqual(bpe().encode(" he<think>"), [257, 259]);
  });

  test("special: false leaves control tokens out of the text, not user-defined ones", () => {
    const tokenizer = bpe();
    assert.equal(tokenizer.decode([258, 256, 259], { special: false }), "he<think>");
    assert.equal(tokenizer.decode([258, 256, 259]), "<|im_end|>he<think>");
    assert.equal(tokenizer.decode([260]), "");
  });

  test("tokens that end replies are known by name, and are control tokens then", () => {
    const tokenizer = bpe();
    const end = tokenizer.idOf("</s>")!;
    assert.deepEqual(
      [...tokenizer.specials.endOfGeneration].toSorted((a, b) => a - b),
      [258, end],
    );
    assert.equal(tokenizer.specials.eot, 258);
    assert.equal(tokenizer.tokenClass(end), "control");
  });

  test("a merge that the vocabulary does not list still happens, and falls apart into bytes", () => {
    // "xy" is made by a merge but is no token
    assert.deepEqual(bpe().encode("xyz"), [262]);
    assert.deepEqual(bpe().encode("xyx"), [0x78, 0x79, 0x78]);
  });

  test("a lone surrogate is U+FFFD", () => {
    const tokenizer = bpe();
    assert.equal(tokenizer.decode(tokenizer.encode("a\ud800b\udc00")), "a\ufffdb\ufffd");
  });

  test("BOS and EOS are added when the file asks and the caller does", () => {
    const tokenizer = bpe({
      "tokenizer.ggml.bos_token_id": 258,
      "tokenizer.ggml.eos_token_id": 258,
      "tokenizer.ggml.add_bos_token": true,
      "tokenizer.ggml.add_eos_token": true,
    });
    assert.ok(tokenizer.addBos && tokenizer.addEos);
    assert.deepEqual(tokenizer.encode("he"), [256]);
    assert.deepEqual(tokenizer.encode("he", { bos: true }), [258, 256, 258]);
    assert.deepEqual(tokenizer.encode("", { bos: true }), [258, 258]);
  });
});

describe("SentencePiece BPE of a GGUF file", () => {
  test("the best score merges first, not the longest piece", () => {
    // "▁" "h" "i": hi (-1) goes before ▁h (-2), then ▁hi
    assert.deepEqual(spm().encode("hi"), [spm().idOf("▁hi")]);
    const withoutWhole = SPM_ENTRIES.filter(([text]) => text !== "▁hi");
    const tokenizer = tokenizerFromGguf(metadata("llama", withoutWhole));
    assert.deepEqual(tokenizer.encode("hi"), [tokenizer.idOf("▁"), tokenizer.idOf("hi")]);
  });

  test("characters without a token become their bytes, and come back", () => {
    const tokenizer = spm();
    assert.deepEqual(tokenizer.encode("é"), [tokenizer.idOf("▁"), 3 + 0xc3, 3 + 0xa9]);
    assert.equal(tokenizer.decode(tokenizer.encode("hi é😀 hi")), "hi é😀 hi");
  });

  test("the space before a text follows add_space_prefix, and comes after special tokens too", () => {
    const hi = spm().idOf("▁hi");
    const bare = spm().idOf("hi");
    assert.deepEqual(spm().encode("hi<s>hi", { special: true }), [hi, 1, hi]);
    const plain = spm({ "tokenizer.ggml.add_space_prefix": false });
    assert.deepEqual(plain.encode("hi<s>hi", { special: true }), [bare, 1, bare]);
    assert.equal(plain.decode(plain.encode(" hi")), " hi");
  });

  test("user-defined tokens are found in plain text", () => {
    assert.deepEqual(spm({ "tokenizer.ggml.add_space_prefix": false }).encode("hi\n\nhi").length, 3);
  });

  test("without byte tokens, neighbouring unknown characters are one unknown token", () => {
    const noBytes = SPM_ENTRIES.filter(([, type]) => type !== BYTE);
    assert.deepEqual(tokenizerFromGguf(metadata("llama", noBytes)).encode("hié😀").length, 2);
  });
});

describe("GGUF metadata that does not fit", () => {
  const refused: Readonly<Record<string, readonly [Record<string, unknown>, unknown, RegExp]>> = {
    "an unknown vocabulary model": [metadata("rwkv", BPE_ENTRIES), UnsupportedError, /rwkv/],
    "an unknown pre-tokenizer": [
      metadata("gpt2", BPE_ENTRIES, { "tokenizer.ggml.pre": "nobody", "tokenizer.ggml.merges": [] }),
      UnsupportedError,
      /nobody/,
    ],
    "BPE without merges": [metadata("gpt2", BPE_ENTRIES), FormatError, /merges/],
    "scores that are too few": [
      metadata("llama", SPM_ENTRIES, { "tokenizer.ggml.scores": new Float32Array(3) }),
      FormatError,
      /scores/,
    ],
    "a token type that does not exist": [metadata("llama", [["a", 9]]), FormatError, /token_type\[0\] is 9/],
    "add_bos_token without a BOS id": [
      metadata("gpt2", BPE_ENTRIES, {
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.merges": MERGES,
        "tokenizer.ggml.add_bos_token": true,
      }),
      FormatError,
      /bos_token_id/,
    ],
    "tokens that repeat": [
      metadata("llama", [
        ["a", NORMAL],
        ["a", NORMAL],
      ]),
      FormatError,
      /token 0/,
    ],
  };
  for (const [what, [record, kind, message]] of Object.entries(refused)) {
    test(`${what} is refused`, () => {
      assert.throws(
        () => tokenizerFromGguf(record),
        (error: Error) => error instanceof (kind as typeof FormatError) && message.test(error.message),
      );
    });
  }

  test("a merge without a space is refused when the first text is encoded", () => {
    const record = metadata("gpt2", BPE_ENTRIES, { "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.merges": ["ab"] });
    assert.throws(() => tokenizerFromGguf(record).encode("a"), FormatError);
  });

  test("an id outside the vocabulary is refused with its number", () => {
    for (const id of [-1, BPE_ENTRIES.length, 1.5, Number.NaN]) {
      assert.throws(() => bpe().decode([id]), UsageError);
      assert.throws(() => bpe().tokenBytes(id), UsageError);
    }
  });
});
