import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UsageError } from "../../base/errors.ts";
import type { ReplyEvent } from "../../chat/types.ts";
import { findNeedles } from "./needle.ts";
import { needleTexts, sentencesOf } from "./texts.ts";

/** A model of one token a character that answers with the number it sees in the last `sight` characters. */
function modelThatSees(sight: number, template: "file" | "none" = "file") {
  const prompts: string[] = [];
  const answer = async function* (text: string): AsyncGenerator<ReplyEvent, void> {
    prompts.push(text);
    const number = /\d{7}/.exec(text.slice(-sight))?.[0] ?? "none";
    yield { type: "text-delta", text: number.slice(0, 3), ids: [] };
    yield { type: "text-delta", text: `${number.slice(3)}.`, ids: [] };
  };
  type Model = Parameters<typeof findNeedles>[0];
  const model: Model = {
    info: { template } as Model["info"],
    tokenize: (text) => Array.from(text, () => 0),
    promptIds: async ([{ content }]) => Array.from(content as string, () => 0),
    chat: ([{ content }]) => answer(content as string),
    generate: (prompt) => answer(prompt as string),
  };
  return { model, prompts };
}

describe("needles", () => {
  test("are found where the model sees them, and prompts fill their windows", async () => {
    const { model, prompts } = modelThatSees(420);
    const settings = { windows: [700, 2000], depths: [0, 50, 100], languages: ["en", "zh"] as const, trials: 1 };
    const results = await findNeedles(model, settings);
    assert.equal(results.length, 2 * 2 * 3);
    const found = results.map((one) => [one.language, one.window, one.depth, one.found].join(" "));
    assert.deepEqual(
      found.filter((line) => line.startsWith("en")),
      ["en 700 0 0", "en 700 50 1", "en 700 100 1", "en 2000 0 0", "en 2000 50 0", "en 2000 100 1"],
    );
    for (const [i, { window, promptTokens, replies }] of results.entries()) {
      assert.ok(promptTokens <= window - 32 && promptTokens > window - 32 - 150, `${promptTokens} of ${window}`);
      assert.equal(prompts[i].length, promptTokens);
      assert.match(replies[0], /^(\d{7}|none)\.$/);
    }
  });

  test("lie as deep as they are told to", async () => {
    const { model, prompts } = modelThatSees(10_000);
    await findNeedles(model, { windows: [3000], depths: [0, 25, 100], languages: ["zh"], trials: 1 });
    const places = prompts.map((prompt) => prompt.search(/\d{7}/) / prompt.length);
    for (const [i, expected] of [0, 0.25, 1].entries())
      assert.ok(Math.abs(places[i] - expected) < 0.04, String(places[i]));
  });

  test("have a number of their own each time; a model without a template goes on from the answer's beginning", async () => {
    const { model, prompts } = modelThatSees(10_000, "none");
    const haystack = "One sentence. Another one!";
    const [result] = await findNeedles(model, { windows: [512], depths: [50], languages: ["en"], trials: 3, haystack });
    assert.equal(result.found, 3);
    assert.equal(new Set(prompts.map((prompt) => /\d{7}/.exec(prompt)?.[0])).size, 3);
    for (const prompt of prompts)
      assert.match(prompt, /One sentence\. Another one! [\s\S]*\n\nThe secret number of \w+ is$/);
  });

  test("a window that holds no haystack is refused, and so is a haystack of nothing", async () => {
    const { model } = modelThatSees(100);
    const settings = { windows: [100], depths: [0], languages: ["en"] as const, trials: 1 };
    await assert.rejects(findNeedles(model, settings), UsageError);
    await assert.rejects(findNeedles(model, { ...settings, haystack: "  \n" }), UsageError);
  });
});

test("sentences end at their marks, in either language, and at ends of lines", () => {
  assert.deepEqual(sentencesOf("One. Two! “Three?” four\nfive"), ["One. ", "Two! ", "“Three?” ", "four\n", "five"]);
  assert.deepEqual(sentencesOf("一句。两句！「三句？」四"), ["一句。", "两句！", "「三句？」", "四"]);
  for (const { haystack } of needleTexts) assert.equal(sentencesOf(haystack).length, 12);
});
