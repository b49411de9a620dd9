// Texts that nobody has read, however like a known one, are not vetted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isVettedText } from "./template-vetted.ts";

test("a text that nobody has read is not vetted, the first time and later", async () => {
  for (const source of ["", "{{ messages }}", "{%- if tools %}", "x".repeat(100_000)]) {
    assert.equal(await isVettedText(source), false);
    assert.equal(await isVettedText(source), false);
  }
});
