import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defineCommand, helpOf, parseWords } from "./command.ts";

const sample = defineCommand({
  summary: "Does things.",
  usage: "MODEL [PROMPT]",
  words: { least: 1, most: 2 },
  options: {
    temperature: { type: "number", short: "t", help: "randomness" },
    stop: {
      type: "string",
      multiple: true,
      help: "end before this text, which may be a long one that needs more room",
    },
    json: { type: "boolean", help: "print JSON" },
  },
  async run() {},
});

describe("a command's words", () => {
  test("options keep their types, words their order", () => {
    const { options, words } = parseWords(sample, ["m", "-t", "0.5", "--stop", "a", "hello", "--stop=b", "--json"]);
    assert.deepEqual({ ...options }, { temperature: 0.5, stop: ["a", "b"], json: true });
    assert.deepEqual(words, ["m", "hello"]);
  });

  test("an unknown option is an error that names it", () => {
    assert.throws(() => parseWords(sample, ["m", "--tempreature", "1"]), /--tempreature/);
  });

  test("a number that is none is an error that names the option", () => {
    assert.throws(() => parseWords(sample, ["m", "--temperature", "hot"]), /--temperature is "hot"/);
    assert.throws(() => parseWords(sample, ["m", "--temperature", ""]), /expected a number/);
  });

  test("too few or too many words are an error that shows the usage", () => {
    assert.throws(() => parseWords(sample, []), /MODEL \[PROMPT\]/);
    assert.throws(() => parseWords(sample, ["a", "b", "c"]), /Found 3 words/);
  });

  test("help fits 80 columns and names every option", () => {
    const help = helpOf("sample", sample);
    for (const line of help.split("\n")) assert.ok(line.length <= 80, line);
    for (const name of ["--temperature", "--stop", "--json"]) assert.ok(help.includes(name));
  });
});
