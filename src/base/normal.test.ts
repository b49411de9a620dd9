import assert from "node:assert/strict";
import { test } from "node:test";
import { normalCdf, normalDensity } from "./normal.ts";

test("Φ has its known values on both sides, and in the tails", () => {
  // 50 digits by erfc of mpmath, cut
  const known: readonly (readonly [x: number, probability: number])[] = [
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1, 0.15865525393145705],
    [2.999, 0.9986456634662729],
    [3.001, 0.998654527174915],
    [-5, 2.8665157187919391e-7],
    [-12, 1.776482112077679e-33],
    [40, 1],
    [-Infinity, 0],
  ];
  for (const [x, probability] of known) {
    const difference = Math.abs(normalCdf(x) - probability);
    assert.ok(difference <= 4e-16 * Math.max(probability, x < -3 ? 0 : 1), `Φ(${x}) is ${normalCdf(x)}`);
  }
  assert.ok(Number.isNaN(normalCdf(NaN)));
});

test("the density is Φ's slope, where series and fraction meet too", () => {
  for (const x of [-4, -3, -0.3, 0, 1.7, 3]) {
    const slope = (normalCdf(x + 1e-5) - normalCdf(x - 1e-5)) / 2e-5;
    assert.ok(Math.abs(slope - normalDensity(x)) < 1e-9, `at ${x}`);
  }
});
