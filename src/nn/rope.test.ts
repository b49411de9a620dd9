import assert from "node:assert/strict";
import { test } from "node:test";
import { ShapeError } from "../base/errors.ts";
import { ropeFrequencies, ropeRows } from "./rope.ts";

const close = (found: ArrayLike<number>, expected: readonly number[]): void => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(found[i] / value - 1) < 1e-12, `${i}: ${found[i]}`);
};

test("frequencies fall from 1 by equal ratios", () => {
  close(ropeFrequencies(10_000, 8, { type: "none" }), [1, 0.1, 0.01, 0.001]);
});

test("linear scaling divides all frequencies, divisors each by its own", () => {
  close(ropeFrequencies(10_000, 8, { type: "linear", factor: 8 }), [1 / 8, 0.1 / 8, 0.01 / 8, 0.001 / 8]);
  close(ropeFrequencies(10_000, 8, { type: "divided", divisors: [1, 2, 4, 8] }), [1, 0.05, 0.0025, 0.000125]);
  assert.throws(() => ropeFrequencies(10_000, 8, { type: "divided", divisors: [1, 2] }), ShapeError);
});

test("llama3 scaling keeps short waves, stretches long ones, and mixes those between", () => {
  const settings = { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4 };
  // waves of 2π, 20π, 200π and 2000π positions; O / high = 62.8 < 62.83 and O / low = 251
  const found = ropeFrequencies(10_000, 8, { type: "llama3", ...settings, originalWindow: 251.2 });
  const between = (251.2 / (20 * Math.PI) - 1) / 3;
  assert.ok(between < 1 && between > 0.99);
  close(found, [1, 0.1 * ((1 - between) / 8 + between), 0.01 / 8, 0.001 / 8]);
});

test("rows hold cos and sin of position times frequency, times the magnitude, row after row", () => {
  const [cos, sin] = [new Float64Array(6), new Float64Array(6)];
  ropeRows({ frequencies: Float64Array.of(1, 0.5), magnitude: 2 }, [0, 3], cos, sin);
  close(cos.subarray(2, 4), [2 * Math.cos(3), 2 * Math.cos(1.5)]);
  close(sin.subarray(2, 4), [2 * Math.sin(3), 2 * Math.sin(1.5)]);
  assert.deepEqual(Array.from(cos.subarray(0, 2)), [2, 2]);
  assert.deepEqual(Array.from(sin), [0, 0, ...sin.subarray(2, 4), 0, 0]); // what no position asked for stays
});
