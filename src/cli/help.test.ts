import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { type Command, helpOf } from "./command.ts";
import { HELP } from "./chat-session.ts";

const files = (await readdir(import.meta.dirname)).filter((name) => /^[a-z-]+\.ts$/.test(name) && name !== "main.ts");

describe("help", () => {
  for (const file of files) {
    const name = file.replace(".ts", "");
    test(`of ${name} fits 80 columns, if it is a command`, async () => {
      const { command } = (await import(`./${file}`)) as { command?: Command };
      if (command === undefined) return;
      for (const line of helpOf(name, command).split("\n")) assert.ok(line.length <= 80, line);
    });
  }

  test("inside the chat fits 80 columns", () => {
    for (const line of HELP.split("\n")) assert.ok(line.length <= 80, line);
  });
});
