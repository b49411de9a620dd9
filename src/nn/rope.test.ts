import assert from "node:assert/strict";
import { test } from "node:test";
import { ropeRows } from "./rope.ts";

const close = (found: ArrayLike<number>, expected: readonly number[]): void => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(found[i] / value - 1) < 1e-12, `${i}: ${found[i]}`);
};

test("rows hold cos and sin of position times frequency, times the magnitude, row after row", () => {
  const [cos, sin] = [new Float64Array(6), new Float64Array(6)];
  ropeRows({ frequencies: Float64Array.of(1, 0.5), magnitude: 2 }, [0, 3], cos, sin);
  close(cos.subarray(2, 4), [2 * Math.cos(3), 2 * Math.cos(1.5)]);
  close(sin.subarray(2, 4), [2 * Math.sin(3), 2 * Math.sin(1.5)]);
  assert.deepEqual(Array.from(cos.subarray(0, 2)), [2, 2]);
  assert.deepEqual(Array.from(sin), [0, 0, ...sin.subarray(2, 4), 0, 0]); // what no position asked for stays
});
