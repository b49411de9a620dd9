import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenizerFromHuggingFace } from "./from-huggingface.ts";

const CONTROL = 4;
const USER_DEFINED = 5;

function tokenizer(normalized: boolean) {
  const flags = { single_word: false, lstrip: false, rstrip: false };
  return tokenizerFromHuggingFace({
    tokenizer: {
      added_tokens: [
        { id: CONTROL, content: "<s>", special: true, normalized, ...flags },
        { id: USER_DEFINED, content: "<sa>", special: false, normalized, ...flags },
      ],
      normalizer: normalized ? { type: "Lowercase" } : null,
      pre_tokenizer: null,
      decoder: null,
      model: { type: "BPE", vocab: { a: 0, "<": 1, s: 2, ">": 3 }, merges: [] },
    },
  });
}

const encode = (text: string, plain: number[], normalized = false): number[] =>
  tokenizer(normalized).encode(text, { special: true, plain });

test("a control token over a plain character is plain text, its neighbours are not", () => {
  assert.deepEqual(encode("a<s>a<s>", []), [0, CONTROL, 0, CONTROL]);
  for (const at of [5, 6, 7]) assert.deepEqual(encode("a<s>a<s>", [at]), [0, CONTROL, 0, 1, 2, 3]);
  assert.deepEqual(encode("a<s>a<s>", [0, 4]), [0, CONTROL, 0, CONTROL]);
});

test("user-defined tokens are found in plain characters too", () => {
  assert.deepEqual(encode("<sa><s>", [0, 1, 2, 3, 4]), [USER_DEFINED, 1, 2, 3]);
});

test("where control tokens are looked for in normalised text, plain characters switch that off for their section", () => {
  assert.deepEqual(encode("A<S>", [], true), [0, CONTROL]);
  assert.deepEqual(encode("A<S>", [1], true), [0, 1, 2, 3]);
});
