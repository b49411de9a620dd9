import assert from "node:assert/strict";
import { test } from "node:test";
import { smooth } from "./smooth.ts";

const near = (found: readonly number[], expected: readonly number[]): void => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of found.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-12, `${i}: ${value}`);
};

test("each value is the mean of all, weighted by how near they are", () => {
  const values = [4, 1, 7, 2];
  const direct = values.map((_, at) => {
    const weights = values.map((__, i) => 0.5 ** Math.abs(i - at));
    const sum = weights.reduce((a, b) => a + b, 0);
    return values.reduce((a, value, i) => a + value * weights[i], 0) / sum;
  });
  near(smooth(values, 0.5), direct);
});

test("0 changes nothing, what is constant stays, and a straight line is not shifted in its middle", () => {
  near(smooth([3, 1, 4], 0), [3, 1, 4]);
  near(smooth([2, 2, 2], 0.9), [2, 2, 2]);
  near([smooth([1, 2, 3, 4, 5], 0.8)[2]], [3]);
  assert.deepEqual(smooth([], 0.5), []);
});
