import assert from "node:assert/strict";
import { test } from "node:test";
import { simplified } from "./simplified.ts";

test("characters become their simplified forms, and what has none stays", () => {
  assert.equal(simplified("聞道收宗廟，鳴鑾自陝歸。abc 一"), "闻道收宗庙，鸣銮自陕归。abc 一");
  assert.equal(simplified("衆鳥高飛盡，孤雲獨去閒。"), "众鸟高飞尽，孤云独去闲。");
  assert.equal(simplified(""), "");
});

test("a phrase keeps the form that its characters alone would lose", () => {
  assert.equal(simplified("乾坤日夜浮"), "乾坤日夜浮");
  assert.equal(simplified("口乾"), "口干");
});

test("simplified text is left as it is, and code points stay as many", () => {
  const poem = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。";
  assert.equal(simplified(poem), poem);
  const rare = "㗲𡄔鶒"; // the second lies outside the basic plane
  assert.equal(Array.from(simplified(rare)).length, 3);
});
