import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { trainKneserNey } from "../../src/eval/ngram/kneser-ney.ts";

const golden = join(import.meta.dirname, "../golden/ngram"); // what kenlm makes of the corpus: SOURCES.txt

interface Golden {
  readonly counts: readonly number[];
  readonly discounts: readonly (readonly number[])[];
  readonly sentences: readonly { readonly text: string; readonly log10p: number; readonly oov: number }[];
}

const corpus = readFileSync(join(golden, "corpus.txt"), "utf8").trimEnd().split("\n");
const ids = new Map<string, number>();
const train = corpus.map((line) =>
  Int32Array.from(line.split(" "), (word) => {
    if (!ids.has(word)) ids.set(word, ids.size);
    return ids.get(word)!;
  }),
);
const unknown = ids.size;

for (const order of [2, 3, 5]) {
  test(`order ${order}: counts, discounts and sentences are kenlm's`, () => {
    const expected = JSON.parse(readFileSync(join(golden, `order${order}.json`), "utf8")) as Golden;
    const model = trainKneserNey(train, unknown + 1, order);
    assert.deepEqual(model.counts, expected.counts);
    for (const [i, discounts] of expected.discounts.entries()) {
      for (const [k, discount] of discounts.entries()) {
        assert.ok(Math.abs(model.discounts[i][k] - discount) < 1e-5 * discount, `order ${i + 1} D${k + 1}`);
      }
    }
    assert.ok(expected.sentences.length > 10 && expected.sentences.some(({ oov }) => oov > 0));
    for (const { text, log10p } of expected.sentences) {
      const sentence = Int32Array.from(text.split(" "), (word) => ids.get(word) ?? unknown);
      const sum = model.logProbabilities(sentence).reduce((a, b) => a + b, 0) / Math.LN10;
      assert.ok(Math.abs(sum - log10p) < 1e-4, `${text}: ${sum}, kenlm ${log10p}`);
    }
  });
}

describe("of any corpus", () => {
  test("what may follow a context sums to one", () => {
    const random = (i: number): number => Math.floor(Math.abs(Math.sin(i * 12.9898) * 43758.5453) * 7) % 7;
    const sentences = Array.from({ length: 300 }, (_, i) =>
      Int32Array.from({ length: 1 + (i % 6) }, (_, k) => Math.min(random(i * 10 + k), random(i * 7 + k + 1))),
    );
    const model = trainKneserNey(sentences, 8, 3); // id 7 occurs nowhere: the unknown token
    for (const context of [[], [0], [1, 2], [6, 6], [7, 1], [0, 7]]) {
      // the probability of each token after the context, and of the end
      let sum = 0;
      for (let token = 0; token < 8; token++) {
        sum += Math.exp(model.logProbabilities(Int32Array.from([...context, token]))[context.length]);
      }
      sum += Math.exp(model.logProbabilities(Int32Array.from(context))[context.length]);
      assert.ok(Math.abs(sum - 1) < 1e-12, `after ${context.join(" ") || "the start"}: ${sum}`);
    }
  });
});
