import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { trainingTables } from "./training.ts";
import { systemLanguage, tables, translate } from "./translate.ts";

type Tables = Readonly<Record<"en" | "zh", Readonly<Record<string, string>>>>;
const all: readonly Tables[] = [tables, trainingTables];
const namesIn = (sentence: string): string[] => [...sentence.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

test("both tables have the same keys in the same order, and no empty sentence", () => {
  for (const { en, zh } of all) {
    assert.deepEqual(Object.keys(zh), Object.keys(en));
    for (const table of [en, zh]) {
      assert.deepEqual(
        Object.entries(table).filter(([, sentence]) => sentence.trim() === ""),
        [],
      );
    }
  }
});

test("a sentence asks for the same facts in both languages", () => {
  for (const { en, zh } of all)
    for (const key of Object.keys(en)) assert.deepEqual(namesIn(zh[key]), namesIn(en[key]), key);
});

test("no sentence shouts, and none says 您", () => {
  for (const [language, table] of all.flatMap((one) => Object.entries(one))) {
    for (const [key, sentence] of Object.entries(table)) {
      assert.doesNotMatch(sentence, /[!！您]/, `${language}.${key}`);
    }
  }
});

test("Chinese sentences use Chinese punctuation beside Chinese characters", () => {
  for (const [key, sentence] of all.flatMap(({ zh }) => Object.entries(zh)))
    assert.doesNotMatch(sentence, /\p{Script=Han}[,;:?.](\s|$|\p{Script=Han})/u, key);
});

test("facts are filled in, also twice, and an absent one stays visible", () => {
  assert.equal(translate("en", "bytesOf", { done: "1 MB", total: "2 MB" }), "1 MB of 2 MB");
  assert.equal(translate("zh", "bytesOf", { done: "1 MB" }), "1 MB / {total}");
});

test("any Chinese system gets Chinese, all others English", () => {
  assert.deepEqual([["zh-CN"], ["zh-Hant-TW"], ["de", "zh"], ["en-GB"], []].map(systemLanguage), [
    "zh",
    "zh",
    "en",
    "en",
    "en",
  ]);
});

test("every sentence is used somewhere on the page", () => {
  const root = new URL("..", import.meta.url);
  const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !/i18n\/|\.test\.ts$/.test(path))
    .map((path) => readFileSync(new URL(path, root), "utf8"))
    .join("\n");
  assert.deepEqual(
    all.flatMap(({ en }) => Object.keys(en)).filter((key) => !sources.includes(`"${key}"`)),
    [],
  );
});
