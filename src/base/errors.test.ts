import assert from "node:assert/strict";
import { test } from "node:test";
import { ContextLengthError, FormatError, show } from "./errors.ts";

test("show quotes text and cuts what is long", () => {
  assert.equal(show('a "b"'), '"a \\"b\\""');
  assert.equal(show("x".repeat(100)).length, 82);
  assert.equal(show([1, "a", [2n]]), '[1, "a", [2]]');
  assert.equal(show(undefined), "undefined");
  assert.equal(show(new Error("why")), "Error: why");
});

test("show stays short for lists of millions, typed ones too", () => {
  assert.equal(show(Array.from({ length: 3_000_000 }, () => 7)), "[7, 7, 7, 7, 7, 7, 7, 7, ... 3000000 in all]");
  assert.equal(show(new Uint8Array(3)), "[0, 0, 0]");
  assert.ok(show(new BigUint64Array(100_000)).length < 60);
  const nested = (depth: number): unknown => Array.from({ length: 8 }, () => (depth === 0 ? 7 : nested(depth - 1)));
  assert.ok(show(nested(4)).length < 210);
});

test("objects of files are shown whatever fields they have", () => {
  const hostile = JSON.parse('{ "toString": 1, "valueOf": 2 }') as unknown;
  assert.equal(show(hostile), "an object");
  assert.equal(show(Object.create(null)), "an object");
  assert.match(new FormatError("config.json", "hidden_size", hostile, "a number").message, /hidden_size is an object/);
});

test("a prompt too long, and one that just fills the window, are told apart with the numbers", () => {
  assert.match(new ContextLengthError(65, 64).message, /has 65 tokens and exceeds the available context size of 64 /);
  const full = new ContextLengthError(64, 64);
  assert.match(full.message, /has 64 tokens and leaves no room for a reply/);
  assert.deepEqual([full.code, full.promptTokens, full.window], ["context_length_exceeded", 64, 64]);
});
