// The divergence of two models against numbers worked out by hand, over a made-up vocabulary of three.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError, UsageError } from "../base/errors.ts";
import type { LanguageModel, ModelInfo } from "../chat/types.ts";
import { divergence, divergenceWindow } from "./divergence.ts";

/** A model of three tokens, a b c, that predicts the same at every place. */
function model(probabilities: readonly number[], window = 8): Pick<LanguageModel, "info" | "tokenize" | "logits"> {
  const logits = Float32Array.from(probabilities, (p) => Math.log(p) + 5);
  return {
    info: { vocabularySize: 3, window, path: "copy.gguf" } as ModelInfo,
    tokenize: (text) => Array.from(text, (letter) => "abc".indexOf(letter)),
    logits: async (ids) => Float32Array.from({ length: 3 * ids.length }, (_, i) => logits[i % 3]),
  };
}

const near = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) < 1e-6, `${found}, expected ${expected}`);

describe("divergence", () => {
  test("is the sum of p log(p / q), beside both perplexities", async () => {
    const found = await divergence(model([0.5, 0.25, 0.25]), model([0.25, 0.5, 0.25]), "aabc");
    assert.equal(found.tokens, 3);
    near(found.kl_divergence, 0.5 * Math.log(2) + 0.25 * Math.log(0.5));
    near(found.kl_divergence_99, found.kl_divergence);
    near(found.perplexity_original, 2 ** ((1 + 2 + 2) / 3)); // a, b, c are predicted
    near(found.perplexity_copy, 2 ** ((2 + 1 + 2) / 3));
    assert.equal(found.same_top, 0);
  });

  test("of a model from itself is nothing", async () => {
    const found = await divergence(model([0.5, 0.25, 0.25]), model([0.5, 0.25, 0.25]), "abc");
    near(found.kl_divergence, 0);
    assert.equal(found.same_top, 1);
  });

  test("cuts the text in windows that do not see each other, and tells what it left", async () => {
    const found = await divergence(model([0.5, 0.25, 0.25], 4), model([0.5, 0.25, 0.25]), "abcabcabca", {
      tokensMax: 9,
    });
    assert.equal(found.window, 4);
    assert.equal(found.tokens, 3 + 3); // the ninth has nothing before it
    assert.equal(found.tokens_left_over, 1);
  });

  test("refuses a text of one token, and logits that are no numbers", async () => {
    await assert.rejects(divergence(model([0.5, 0.25, 0.25]), model([0.5, 0.25, 0.25]), "a"), UsageError);
    await assert.rejects(divergence(model([0.5, 0.25, 0.25]), model([NaN, 0.5, 0.5]), "abc"), FormatError);
  });

  test("takes shorter windows of larger vocabularies", () => {
    assert.equal(divergenceWindow(512, 512), 512);
    assert.equal(divergenceWindow(512, 256), 256);
    assert.equal(divergenceWindow(262_144, 32_768), 256);
  });
});
