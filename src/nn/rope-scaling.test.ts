import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../base/errors.ts";
import { anglesAt, longropeMagnitude, ropeReach, ropeStage, scaledRope, yarnMagnitude } from "./rope-scaling.ts";

const close = (found: ArrayLike<number>, expected: readonly number[], tolerance = 1e-12): void => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(found[i] / value - 1) < tolerance, `${i}: ${found[i]}`);
};

describe("frequencies", () => {
  test("fall from 1 by equal ratios", () => {
    close(scaledRope(10_000, 8, { type: "none" }).frequencies, [1, 0.1, 0.01, 0.001]);
  });

  test("are all divided by a linear factor, or each by its own divisor", () => {
    close(scaledRope(10_000, 8, { type: "linear", factor: 8 }).frequencies, [1 / 8, 0.1 / 8, 0.01 / 8, 0.001 / 8]);
    const divided = scaledRope(10_000, 8, { type: "divided", divisors: [1, 2, 4, 8] });
    close(divided.frequencies, [1, 0.05, 0.0025, 0.000125]);
    assert.throws(() => scaledRope(10_000, 8, { type: "divided", divisors: [1, 2] }), ShapeError);
  });

  test("of llama3: short waves stay, long ones are stretched, those between are a mixture", () => {
    const settings = { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4 };
    // waves of 2π, 20π, 200π and 2000π positions; O / high = 62.8 < 62.83 and O / low = 251
    const found = scaledRope(10_000, 8, { type: "llama3", ...settings, originalWindow: 251.2 });
    const between = (251.2 / (20 * Math.PI) - 1) / 3;
    assert.ok(between < 1 && between > 0.99);
    close(found.frequencies, [1, 0.1 * ((1 - between) / 8 + between), 0.01 / 8, 0.001 / 8]);
  });

  test("of yarn: the pair that turns betaFast times in the old window stays, the one that turns betaSlow times is divided", () => {
    const bounds = { factor: 4, originalWindow: 2000 * Math.PI, betaFast: 99, betaSlow: 1.01, truncate: true };
    // pair i turns 1000 * 10^-i times: 99 is just beyond pair 1, 1.01 just before pair 3; pair 2 lies half way between
    const found = scaledRope(10_000, 8, { type: "yarn", ...bounds }).frequencies;
    close(found, [1, 0.1, 0.01 * (0.5 / 4 + 0.5), 0.001 / 4], 1e-9);
  });

  test("of yarn, not truncated: its bounds may lie between pairs", () => {
    const bounds = {
      factor: 4,
      originalWindow: 2000 * Math.PI,
      betaFast: 100 * Math.sqrt(10),
      betaSlow: Math.sqrt(0.1),
    };
    const ramp = [0, 0.5 / 3, 1.5 / 3, 2.5 / 3]; // from pair 0.5 to pair 3.5
    const expected = ramp.map((stretched, i) => 0.1 ** i * (stretched / 4 + 1 - stretched));
    close(scaledRope(10_000, 8, { type: "yarn", ...bounds, truncate: false }).frequencies, expected, 1e-9);
    const truncated = [0, 1 / 4, 2 / 4, 3 / 4].map((stretched, i) => 0.1 ** i * (stretched / 4 + 1 - stretched));
    close(scaledRope(10_000, 8, { type: "yarn", ...bounds, truncate: true }).frequencies, truncated, 1e-9);
  });

  test("of alpha: the base alone grows", () => {
    const base = 10_000 * 16 ** (8 / 6);
    close(scaledRope(10_000, 8, { type: "alpha", alpha: 16 }).frequencies, [
      1,
      base ** -0.25,
      base ** -0.5,
      base ** -0.75,
    ]);
  });
});

describe("angles that depend on the length", () => {
  test("of longrope: short divisors up to the original window, long ones beyond, both with the magnitude", () => {
    const rope = scaledRope(100, 4, {
      type: "longrope",
      short: [1, 2],
      long: [4, 8],
      originalWindow: 32,
      magnitude: 1.5,
    });
    const at = (length: number) => anglesAt(rope, ropeStage([rope], length));
    close(at(32).frequencies, [1, 0.05]);
    close(at(33).frequencies, [1 / 4, 0.1 / 8]);
    assert.deepEqual([at(32).magnitude, at(33).magnitude], [1.5, 1.5]);
  });

  test("of dynamic: plain up to the window, then the base of the length at the end of each doubling", () => {
    const rope = scaledRope(10_000, 8, { type: "dynamic", factor: 3, originalWindow: 100 });
    const firstOf = (length: number): number => anglesAt(rope, ropeStage([rope], length)).frequencies[1];
    const atLength = (length: number): number => (10_000 * ((3 * length) / 100 - 2) ** (8 / 6)) ** -0.25;
    close([firstOf(100), firstOf(101), firstOf(200), firstOf(201)], [0.1, atLength(200), atLength(200), atLength(300)]);
    assert.equal(ropeReach({ type: "dynamic", factor: 3, originalWindow: 100 }), 300);
  });

  test("a sequence's stage is that of all its ropes together", () => {
    const [one, other] = [32, 64].map((originalWindow) =>
      scaledRope(100, 2, { type: "longrope", short: [1], long: [2], originalWindow }),
    );
    assert.deepEqual(
      [32, 33, 64, 65].map((length) => ropeStage([one, other], length)),
      [0, 32, 32, 64],
    );
    assert.equal(anglesAt(one, 64).frequencies[0], 0.5);
    assert.equal(anglesAt(other, 32).frequencies[0], 1);
  });
});

test("magnitudes by default are those of the papers, and 1 where nothing is stretched", () => {
  close([yarnMagnitude(4), yarnMagnitude(40, 0.707)], [1.138629436111989, 1.2608037774059]);
  close([longropeMagnitude(32, 4096)], [Math.sqrt(1 + 5 / 12)]);
  assert.deepEqual([yarnMagnitude(1), longropeMagnitude(0.5, 4096)], [1, 1]);
});
