import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LanguageModel } from "../chat/types.ts";
import { documentsPerplexity, filePerplexity } from "./perplexity.ts";

const [BOS, EOS] = [0, 1];

/** A model of letters (a is 2, b is 3, …) that gives every id a probability of 1 / 2 ** id, whatever is before it. */
function letters({ addBos = true, window = 64 } = {}): { model: LanguageModel; scored: number[][] } {
  const scored: number[][] = [];
  const idsOf = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0) - 95);
  const fake: Pick<LanguageModel, "tokenize" | "detokenize" | "score"> & { info: Partial<LanguageModel["info"]> } = {
    info: { bosId: BOS, eosId: EOS, addBos, window },
    tokenize: (text, { bos = false } = {}) => [...(bos && addBos ? [BOS] : []), ...idsOf(text)],
    // before a text the encoder would put a space: "z" stands for one
    detokenize: (ids, { start = true } = {}) => {
      const text = ids.map((id) => String.fromCharCode(id + 95)).join("");
      return start ? text.replace(/^z/, "") : text;
    },
    async score(ids) {
      scored.push([...ids]);
      return Float64Array.from(ids.slice(1), (id) => -id * Math.LN2);
    },
  };
  return { model: fake as LanguageModel, scored };
}

const near = (found: number, expected: number): void => assert.ok(Math.abs(found - expected) < 1e-12, `${found}`);

describe("perplexity of a file", () => {
  test("whole windows are scored, each with BOS in place of its first id", async () => {
    const { model, scored } = letters();
    const figures = await filePerplexity(model, "abcdefghi", 4); // ten ids with BOS: two windows and two over
    assert.deepEqual(scored, [
      [BOS, 2, 3, 4],
      [BOS, 6, 7, 8], // e..h, whose first gave way
    ]);
    assert.deepEqual([figures.chunks, figures.tokens, figures.tokens_left_over], [2, 6, 2]);
    // bits: 2 + 3 + 4 + 6 + 7 + 8 = 30 over 6 tokens, 6 letters
    near(figures.nats_per_token, 5 * Math.LN2);
    near(figures.perplexity, 32);
    near(figures.nats_per_char, 5 * Math.LN2);
    near(figures.bits_per_byte, 5);
    near(figures.nll_all, 5 * Math.LN2);
  });

  test("the space before a word counts where the text goes on, not where the text begins", async () => {
    // windows [BOS z c d], which spells "cd", and [BOS z g h], which spells "zgh"
    const figures = await filePerplexity(letters().model, "zcdezgh", 4);
    near(figures.nats_per_char, ((27 + 4 + 5 + 27 + 8 + 9) * Math.LN2) / 5);
    // without BOS the first id of a window is not predicted, so that nothing predicted begins the text
    const plain = await filePerplexity(letters({ addBos: false }).model, "czdeezgh", 4);
    near(plain.nats_per_char, ((27 + 5 + 6 + 27 + 8 + 9) * Math.LN2) / 6);
  });

  test("the second half begins after the token in the middle, as llama.cpp counts it", async () => {
    const { model } = letters();
    // of [BOS 2 3 4] the middle is position 2; position 3 alone is scored: 4, and 8 of the second window
    near((await filePerplexity(model, "abcdefghi", 4)).nll_second_half, 6 * Math.LN2);
    const odd = await filePerplexity(letters({ addBos: false }).model, "abcde", 5);
    near(odd.nll_second_half, 5.5 * Math.LN2); // positions 3 and 4: 5 and 6
  });

  test("a vocabulary without BOS keeps the first id", async () => {
    const { model, scored } = letters({ addBos: false });
    await filePerplexity(model, "abcd", 4);
    assert.deepEqual(scored, [[2, 3, 4, 5]]);
  });

  test("a text shorter than the window and a window the model does not have are refused with numbers", async () => {
    const { model } = letters();
    await assert.rejects(filePerplexity(model, "ab", 4), /3 tokens, expected at least one window of 4/);
    await assert.rejects(filePerplexity(model, "abcd", 65), /window is 65, expected .* from 4 to 64/);
    await assert.rejects(filePerplexity(model, "abcd", 4.5), /window is 4.5/);
  });
});

describe("perplexity of documents", () => {
  test("each goes from BOS to EOS, and its end is predicted too", async () => {
    const { model, scored } = letters();
    const figures = await documentsPerplexity(model, ["ab", "é"]);
    const accent = "é".charCodeAt(0) - 95;
    assert.deepEqual(scored, [
      [BOS, 2, 3, EOS],
      [BOS, accent, EOS],
    ]);
    const bits = 2 + 3 + 1 + accent + 1;
    assert.deepEqual([figures.documents, figures.documents_split, figures.tokens], [2, 0, 5]);
    near(figures.nats_per_token, (bits / 5) * Math.LN2);
    near(figures.nats_per_char, (bits / 3) * Math.LN2);
    near(figures.bits_per_byte, bits / 4); // é has two bytes
  });

  test("a document longer than the window is scored in pieces, and the figures say so", async () => {
    const { model, scored } = letters({ window: 4 });
    const figures = await documentsPerplexity(model, ["abcd", "a"]);
    assert.deepEqual(scored, [
      [BOS, 2, 3, 4],
      [BOS, 5, EOS],
      [BOS, 2, EOS],
    ]);
    assert.deepEqual([figures.documents_split, figures.tokens], [1, 7]);
  });

  test("nothing to predict is an error", async () => {
    await assert.rejects(documentsPerplexity(letters().model, []), /anything to predict/);
  });

  test("progress counts documents", async () => {
    const done: number[] = [];
    await documentsPerplexity(letters().model, ["a", "b"], { onProgress: (progress) => done.push(progress.done) });
    assert.deepEqual(done, [1, 2]);
  });
});
