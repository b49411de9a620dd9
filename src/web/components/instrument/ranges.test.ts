import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSetting, ranges } from "./ranges.ts";

const range = (name: string) => ranges.find((one) => one.name === name)!;

test("an empty field is the model's default", () => {
  for (const one of ranges) assert.equal(parseSetting("  ", one), null);
});

test("what is out of bounds or no number is refused, not bent into shape", () => {
  assert.equal(parseSetting("5.1", range("temperature")), undefined);
  assert.equal(parseSetting("-1", range("temperature")), undefined);
  assert.equal(parseSetting("0", range("topP")), undefined);
  assert.equal(parseSetting("1.5", range("topK")), undefined);
  assert.equal(parseSetting("two", range("seed")), undefined);
});

test("bounds themselves are allowed, also the greedy zero", () => {
  for (const one of ranges) {
    assert.equal(parseSetting(String(one.low), one), one.low);
    assert.equal(parseSetting(String(one.high), one), one.high);
  }
  assert.equal(parseSetting("0", range("temperature")), 0);
});

test("every slider lies within its bounds and holds its resting place", () => {
  for (const { low, high, slider } of ranges) {
    if (slider === undefined) continue;
    assert.ok(slider.low >= low && slider.high <= high);
    assert.ok(slider.rest >= slider.low && slider.rest <= slider.high);
  }
});
