import assert from "node:assert/strict";
import { test } from "node:test";
import type { PreferenceRecord } from "./record.ts";
import { BrokenRow } from "./row-fields.ts";
import { recordOfRow } from "./row-shapes.ts";

const user = (content: string) => ({ role: "user", content }) as const;
const said = (content: string) => ({ role: "assistant", content }) as const;
const refuses = (row: object, message: RegExp): void =>
  assert.throws(
    () => recordOfRow(row),
    (error) => error instanceof BrokenRow && message.test(error.message),
  );

test("a pair is the same record in all the ways that data sets write it", () => {
  const expected: PreferenceRecord = { prompt: [user("Hi")], chosen: [said("Hello")], rejected: [said("No")] };
  const [better, worse] = [said("Hello"), said("No")];
  const rows = [
    { prompt: "Hi", chosen: "Hello", rejected: "No" },
    { prompt: [user("Hi")], chosen: [better], rejected: [worse] },
    { messages: [user("Hi")], chosen: [better], rejected: "No" },
    { chosen: [user("Hi"), better], rejected: [user("Hi"), worse] },
    // as ultrafeedback_binarized has it: the prompt again, and the chosen conversation as messages
    { prompt: "Hi", messages: [user("Hi"), better], chosen: [user("Hi"), better], rejected: [user("Hi"), worse] },
  ];
  for (const row of rows) assert.deepEqual(recordOfRow(row), expected);
});

test("what both sides have in common is no answer, and a system prompt and tools go with the question", () => {
  const shared = [user("Hi"), said("Hello"), user("And?")];
  const tool = { name: "look", parameters: {} };
  const row = {
    system: "Be kind.",
    tools: [tool],
    prompt: [user("Hi")],
    chosen: [said("Hello"), user("And?"), said("Well.")],
    rejected: [said("Hello"), user("And?"), said("What?")],
  };
  assert.deepEqual(recordOfRow(row), {
    prompt: [{ role: "system", content: "Be kind." }, ...shared],
    chosen: [said("Well.")],
    rejected: [said("What?")],
    tools: [{ type: "function", function: tool }],
  });
});

test("a marked answer has one side", () => {
  const good = { prompt: [user("Hi")], chosen: [said("Hello")] };
  assert.deepEqual(recordOfRow({ prompt: "Hi", completion: "Hello", label: true }), good);
  const bad = { prompt: [user("Hi")], rejected: [said("No")] };
  assert.deepEqual(recordOfRow({ messages: [user("Hi")], completion: [said("No")], label: 0 }), bad);
});

test("a person's mark: good, bad, or better so", () => {
  const messages = [user("Hi")];
  assert.deepEqual(recordOfRow({ messages, reply: "Hello", mark: "good" }), {
    prompt: messages,
    chosen: [said("Hello")],
  });
  assert.deepEqual(recordOfRow({ messages, reply: said("No"), mark: "bad" }), {
    prompt: messages,
    rejected: [said("No")],
  });
  const pair = { prompt: messages, chosen: [said("Hello")], rejected: [said("No")] };
  assert.deepEqual(recordOfRow({ messages, reply: "No", mark: "bad", rewrite: "Hello" }), pair);
});

test("a query with what belongs to it, under either name", () => {
  const record = { query: "cat", positive: "It purrs.", negative: "It barks." };
  assert.deepEqual(recordOfRow(record), record);
  assert.deepEqual(recordOfRow({ anchor: "cat", positive: "It purrs." }), { query: "cat", positive: "It purrs." });
});

test("says what is wrong with a row", () => {
  refuses({ prompt: "Hi", chosen: "Hello", rejected: "Hello" }, /chosen and rejected say the same/);
  refuses({ chosen: "Hello", rejected: "No" }, /nothing is asked before the answers/);
  refuses({ prompt: "Hi", chosen: [user("Hello")], rejected: "No" }, /chosen does not end with an assistant's message/);
  refuses({ prompt: "Hi", completion: "Hello", label: "yes" }, /field label is "yes", expected true or false/);
  refuses({ messages: [user("Hi")], reply: "Hello", mark: "fine" }, /field mark is "fine", expected good or bad/);
  refuses({ query: "cat", positive: 7 }, /field positive is 7, expected a text/);
});
