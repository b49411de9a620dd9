import assert from "node:assert/strict";
import { test } from "node:test";
import { uniform } from "./random.ts";
import { shortestDecimal, shortestDecimals } from "./shortest-decimal.ts";

test("a setting that went through f32 comes back as people wrote it", () => {
  for (const value of [1e-6, 1e-5, 0.1, 10_000, 500_000, 1_000_000, 5_000_000, 0.95, 1.05, 8, 32, 0, -0.25]) {
    assert.equal(shortestDecimal(Math.fround(value)), value);
  }
});

test("the shortest decimal is the same f32, and with a digit less it is another", () => {
  const bits = new Uint32Array(1);
  const single = new Float32Array(bits.buffer);
  for (let i = 0; i < 2000; i++) {
    bits[0] = uniform(1, 0, i) * 2 ** 32;
    if (!Number.isFinite(single[0])) continue;
    const [value, found] = [single[0], shortestDecimal(single[0])];
    assert.equal(Math.fround(found), value);
    const digits = found.toExponential().replace(/e.*|\D/g, "").length;
    if (digits > 1) assert.notEqual(Math.fround(Number(value.toPrecision(digits - 1))), value, String(value));
  }
});

test("a vector is written with the digits that f32 has", () => {
  assert.equal(JSON.stringify(shortestDecimals(Float32Array.of(0.1, -1 / 3, 1e-8))), "[0.1,-0.33333334,1e-8]");
});
