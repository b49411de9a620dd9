// No text may take long: 100 kB of one character and the like, on a tokenizer of every kind. What is asserted is that
// the ids stand for the text; a quadratic step anywhere shows as the time limit.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { tokenizerFromHuggingFace } from "../../src/text/from-huggingface.ts";

const FOLDER = new URL("../golden/text/", import.meta.url);
const BYTES = 100_000;
const TEXTS: readonly string[] = [
  ..."a A1!<'".split("").map((character) => character.repeat(BYTES)),
  "\n".repeat(BYTES),
  " \n".repeat(BYTES / 2),
  `${" ".repeat(BYTES)}a`,
  "中".repeat(BYTES / 3),
  "😀".repeat(BYTES / 4),
  `a${"\u0301".repeat(BYTES / 2)}`,
  "▁".repeat(BYTES / 3),
  Array.from({ length: BYTES / 3 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7919) % 20_000))).join(""),
];
/** These write every text back as it was. */
const LOSSLESS = new Set(["gpt2", "llama3", "deepseek3", "starcoder"]);

for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".json") && !file.startsWith("sp-"))) {
  const { tokenizer: json } = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as {
    tokenizer: Record<string, unknown>;
  };
  const kind = name.replace(".json", "");
  test(`${kind} takes 100 kB of anything`, { timeout: 30_000 }, () => {
    const tokenizer = tokenizerFromHuggingFace({ tokenizer: json });
    for (const text of TEXTS) {
      const ids = tokenizer.encode(text);
      assert.ok(ids.every((id) => id < tokenizer.vocabularySize));
      if (LOSSLESS.has(kind)) assert.ok(tokenizer.decode(ids) === text, `${text.slice(0, 3)}…`);
    }
  });
}
