// Lists of texts as bytes: what goes in comes out; texts that are no UTF-8 are found, also where they would join to some.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TextList, TextListBuilder, firstIllFormed } from "./text-list.ts";

const TEXTS = ["", "a", "量变引起质变", "\ufeffmark", "", "😀", "Ġthe", "x".repeat(1000)];

test("gives back every text, none outside", () => {
  const list = TextList.of(TEXTS);
  assert.equal(list.length, TEXTS.length);
  assert.deepEqual([...list], TEXTS);
  assert.equal(list.at(2), TEXTS[2]);
  for (const index of [-1, TEXTS.length, Number.NaN]) assert.equal(list.at(index), undefined);
});

test("forgets texts that are added a second time", () => {
  const builder = new TextListBuilder(3);
  const bytes = new TextEncoder().encode("abcdef");
  builder.append(bytes, 0, 2);
  builder.append(bytes, 0, 6);
  builder.truncate(1);
  builder.append(bytes, 2, 3);
  assert.equal(builder.length, 2);
  assert.deepEqual([...builder.finish()], ["ab", "c"]);
});

test("finds the first text that is no UTF-8, also where two halves make a character", () => {
  const listOf = (...texts: number[][]): TextList => {
    const builder = new TextListBuilder(texts.length);
    for (const text of texts) builder.append(Uint8Array.from(text), 0, text.length);
    return builder.finish();
  };
  assert.equal(firstIllFormed(TextList.of(TEXTS)), -1);
  assert.equal(firstIllFormed(listOf([0x61], [0xff])), 1);
  assert.equal(firstIllFormed(listOf([0x61], [0xc3], [0xa9])), 1);
  assert.equal(firstIllFormed(listOf([0xed, 0xa0, 0x80])), 0);
});
