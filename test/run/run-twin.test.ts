// run.ts, the program in one file, against the engine on the built-in model: two programs written apart, one story.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { storiesModel } from "../../src/store/built-in.ts";
import { engineIds, runTwin, twinIds } from "./twin.ts";

const PROMPTS = ["Once upon a time", " ", "Lily said: “Où est 猫?”\n\tShe had 12 cats 🙂."];
const TOKENS = 64;

describe("run.ts on the built-in model", () => {
  test("chooses the engine's greedy ids, from a story's beginning, from a blank, and from bytes", async () => {
    const engine = await engineIds(storiesModel.path, PROMPTS, TOKENS);
    for (const [i, prompt] of PROMPTS.entries()) {
      const twin = await twinIds(storiesModel.path, prompt, TOKENS);
      assert.deepEqual(twin, engine[i], JSON.stringify(prompt));
      assert.equal(twin.ids.length, TOKENS);
    }
  });

  test("begins a story from nothing, and ends it where the next would begin", async () => {
    const [engine] = await engineIds(storiesModel.path, [""], 500);
    assert.deepEqual(await twinIds(storiesModel.path, "", 500), engine);
    assert.ok(engine.ids.length < 500, "the story ends by itself");
  });

  test("prints a story", async () => {
    const text = await runTwin(storiesModel.path, "Once upon a time", "--max-tokens", "40");
    assert.match(text, /^, there was a little girl named Lily\. She loved to play/);
  });
});
