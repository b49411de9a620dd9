import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findSpecials, type GivenSpecials } from "./special-tokens.ts";
import { Vocabulary } from "./vocabulary.ts";

const vocabularyOf = (...texts: string[]) => new Vocabulary(texts, undefined, "test");

function endingsOf(vocabulary: Vocabulary, given: GivenSpecials, eligible?: (id: number) => boolean): string[] {
  const { endOfGeneration } = findSpecials(vocabulary, given, eligible);
  return [...endOfGeneration].map((id) => vocabulary.text(id)).toSorted();
}

describe("special tokens", () => {
  test("what the file gives comes before what a name says", () => {
    const vocabulary = vocabularyOf("a", "<|im_end|>", "<|eot_id|>", "b");
    assert.equal(findSpecials(vocabulary, { eot: 3, eos: 0 }).eot, 3);
    assert.equal(findSpecials(vocabulary, { eos: 0 }).eot, 2, "the likelier name first");
    assert.deepEqual(endingsOf(vocabulary, { eot: 3, eos: 0 }), ["<|eot_id|>", "<|im_end|>", "a", "b"]);
  });

  test("a token that is known to end replies becomes a control token, so that pasted text cannot be it", () => {
    const vocabulary = vocabularyOf("a", "<|im_end|>", "<|fim_prefix|>");
    findSpecials(vocabulary, {});
    assert.deepEqual(vocabulary.idsOf("control"), [1, 2]);
    assert.equal(vocabulary.classOf(0), "normal");
  });

  test("an id outside the vocabulary is none", () => {
    const { bos, eos } = findSpecials(vocabularyOf("a"), { bos: 1, eos: -1 });
    assert.deepEqual([bos, eos], [undefined, undefined]);
  });

  test("<|end|> ends a message, not a reply, where the harmony format's tokens are", () => {
    assert.deepEqual(endingsOf(vocabularyOf("<|end|>", "x"), {}), ["<|end|>"]);
    const harmony = vocabularyOf("<|end|>", "<|return|>", "<|call|>");
    assert.deepEqual(endingsOf(harmony, { eot: 0 }), ["<|call|>", "<|return|>"]);
    assert.equal(harmony.classOf(0), "user-defined");
  });

  test("spellings that a tokenizer.json does not list as added tokens are ordinary words", () => {
    const vocabulary = vocabularyOf("</s>", "<|im_end|>");
    assert.deepEqual(
      endingsOf(vocabulary, {}, (id) => id === 1),
      ["<|im_end|>"],
    );
    assert.equal(vocabulary.classOf(0), "normal");
  });
});
