import assert from "node:assert/strict";
import { test } from "node:test";
import { uniform } from "../base/random.ts";
import { real, shortestDecimal } from "./entries.ts";

test("a setting that went through f32 comes back as people wrote it", () => {
  for (const value of [1e-6, 1e-5, 0.1, 10_000, 500_000, 1_000_000, 5_000_000, 0.95, 1.05, 8, 32]) {
    assert.equal(shortestDecimal(real(value).value as number), value);
  }
});

test("the shortest decimal is always the same f32", () => {
  for (let i = 0; i < 1000; i++) {
    const value = Math.fround(uniform(1, 0, i) * 10 ** (10 * uniform(1, 1, i) - 5));
    assert.equal(Math.fround(shortestDecimal(value)), value);
  }
});
