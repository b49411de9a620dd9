import assert from "node:assert/strict";
import { test } from "node:test";
import { splitThought } from "./thought.ts";

test("an answer without thinking is the whole text", () => {
  assert.deepEqual(splitThought("Hello <b>"), { thought: undefined, thoughtEnded: true, answer: "Hello <b>" });
});

test("thinking and answer are parted at the closing mark", () => {
  assert.deepEqual(splitThought("<think>\nhm\n</think>\n\nYes."), {
    thought: "hm",
    thoughtEnded: true,
    answer: "Yes.",
  });
});

test("a closing mark alone parts them too, as the opening one may stand in the prompt", () => {
  assert.deepEqual(splitThought("hm\n</think>\nYes."), { thought: "hm", thoughtEnded: true, answer: "Yes." });
});

test("empty thinking is none", () => {
  assert.deepEqual(splitThought("<think>\n\n</think>\n\nYes."), {
    thought: undefined,
    thoughtEnded: true,
    answer: "Yes.",
  });
});

test("at every cut of a growing reply no piece of the opening mark shows in the answer", () => {
  const text = "<think>one two</think>three";
  for (let length = 0; length <= text.length; length++) {
    const { answer } = splitThought(text.slice(0, length));
    assert.ok("three".startsWith(answer), JSON.stringify(text.slice(0, length)));
  }
});

test("a mark that is talked about in the middle of an answer stays text", () => {
  assert.equal(splitThought("Use `<think>` and `</think>`.").answer, "Use `<think>` and `</think>`.");
});
