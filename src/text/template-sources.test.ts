import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../base/errors.ts";
import { ggufTemplates, hfTemplates } from "./template-sources.ts";

test("GGUF brings a main template and named ones", () => {
  const metadata = {
    "tokenizer.chat_template": "main",
    "tokenizer.chat_template.tool_use": "tools",
    "general.name": "x",
  };
  assert.deepEqual(ggufTemplates(metadata, "f"), { main: "main", named: { tool_use: "tools" } });
  assert.deepEqual(ggufTemplates({}, "f"), { main: undefined, named: {} });
  assert.throws(() => ggufTemplates({ "tokenizer.chat_template": 7 }, "f"), FormatError);
});

test("tokenizer_config.json brings one template or a list", () => {
  assert.deepEqual(hfTemplates({ chat_template: "main" }, undefined, "f"), { main: "main", named: {} });
  const list = [
    { name: "default", template: "d" },
    { name: "tool_use", template: "t" },
  ];
  assert.deepEqual(hfTemplates({ chat_template: list }, undefined, "f"), {
    main: undefined,
    named: { default: "d", tool_use: "t" },
  });
  assert.throws(() => hfTemplates({ chat_template: [{ name: "x" }] }, undefined, "f"), /chat_template\[0\]\.template/);
});

test("chat_template.jinja goes before tokenizer_config.json", () => {
  assert.equal(hfTemplates({ chat_template: "old" }, "new", "f").main, "new");
  assert.equal(hfTemplates(undefined, "new", "f").main, "new");
});
