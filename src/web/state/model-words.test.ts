import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoadedModel, ModelEntry } from "../../server/api-types.ts";
import { shortName, wordsFor } from "./model-words.ts";

const entry = (id: string, more: Partial<ModelEntry> = {}): ModelEntry => ({
  id,
  path: "",
  bytes: null,
  builtIn: false,
  state: "unloaded",
  ...more,
});
const about = (id: string, more?: Partial<ModelEntry>): string => wordsFor(entry(id, more)).about;

test("built-in models are said to do what they were made for, whatever their size", () => {
  assert.equal(about("stories260K", { builtIn: true }), "aboutStory");
  assert.equal(about("liang-shi", { builtIn: true }), "aboutPoet");
});

test("size is taken from the file when it is loaded, else from the name, else from the bytes", () => {
  const info = { parameters: 8e9, template: "file" } as LoadedModel;
  assert.equal(about("some-0.5B", { info }), "aboutMiddle");
  assert.equal(about("Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M"), "aboutSmall");
  assert.equal(about("gemma-3-270m-it"), "aboutTiny");
  assert.equal(about("Llama-3.3-70B"), "aboutLarge");
  assert.equal(about("unnamed", { bytes: 5_200_000_000 }), "aboutMiddle");
});

test("code models and models without a template get sentences of their own", () => {
  assert.equal(about("qwen2.5-coder-1.5b-instruct-q4_k_m"), "aboutCode");
  assert.equal(about("gpt2", { info: { parameters: 124e6, template: "none" } as LoadedModel }), "aboutPlain");
});

test("a file without a template of its own is doubted, unless its name says that it was taught to answer", () => {
  const info = { parameters: 0.27e9, template: "built-in" } as LoadedModel;
  assert.equal(about("gemma-3-270m-q4_k_m", { info }), "aboutUnsure");
  assert.equal(about("gemma-3-270m-it-q4_k_m", { info }), "aboutTiny");
});

test("every model has three starters, none has none", () => {
  assert.equal(wordsFor(entry("x")).starters.length, 3);
  assert.deepEqual(wordsFor(undefined), { about: "aboutNone", starters: [] });
});

test("a hub name is shortened to the model's own name and its variant", () => {
  assert.deepEqual(shortName("Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M"), {
    name: "Qwen2.5-1.5B-Instruct",
    variant: "Q4_K_M",
  });
  assert.deepEqual(shortName("gemma-3-270m-q4_k_m"), { name: "gemma-3-270m", variant: "Q4_K_M" });
  assert.deepEqual(shortName("Phi-3.Q8_0.gguf"), { name: "Phi-3", variant: "Q8_0" });
  assert.deepEqual(shortName("stories260K"), { name: "stories260K", variant: "" });
});
