import assert from "node:assert/strict";
import { test } from "node:test";
import { expectedLoss } from "./scaling.ts";

const law = (flops: number): number => 20 * flops ** -0.05;
const run = (flops: number, error = 0) => ({ flops, nats: law(flops) * (1 + error) });
const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9;

test("runs that follow a power law say what follows it too", () => {
  const found = expectedLoss(1e15, [run(1e12), run(1e13), run(1e14)])!;
  assert.ok(near(found.nats, law(1e15)) && near(found.low, found.nats) && near(found.high, found.nats));
  assert.deepEqual([found.runs, Math.round(found.beyond)], [3, 10]);
  assert.equal(expectedLoss(5e12, [run(1e12), run(1e13), run(1e14)])!.beyond, 1);
});

test("the range is wider where runs disagree, are few, or are far", () => {
  const width = (flops: number, runs: readonly ReturnType<typeof run>[]): number => {
    const { low, high, nats } = expectedLoss(flops, runs)!;
    assert.ok(low < nats && nats < high);
    return high - low;
  };
  const few = [run(1e12, 0.01), run(1e13, -0.01), run(1e14, 0.01)];
  const many = [...few, run(3e12, -0.01), run(3e13, 0.01), run(6e13, -0.01)];
  assert.ok(width(1e15, many) < width(1e15, few));
  assert.ok(width(1e15, few) < width(1e17, few));
  const wild = few.map(({ flops }, i) => run(flops, i % 2 === 0 ? 0.05 : -0.05));
  assert.ok(width(1e15, few) < width(1e15, wild));
});

test("nine of ten runs like the others lie in the range", () => {
  // Park-Miller numbers, summed to something near a normal distribution
  let seed = 7;
  const uniform = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const normal = (): number => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b, -6);
  let inside = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const runs = [1e12, 3e12, 1e13, 3e13, 1e14].map((flops) => run(flops, Math.exp(0.02 * normal()) - 1));
    const { low, high } = expectedLoss(3e14, runs)!;
    const nats = law(3e14) * Math.exp(0.02 * normal());
    if (nats > low && nats < high) inside++;
  }
  assert.ok(inside > 0.87 * 2000 && inside < 0.93 * 2000, `${inside} of 2000`);
});

test("too few runs, or runs of one length, say nothing", () => {
  assert.equal(expectedLoss(1e15, []), undefined);
  assert.equal(expectedLoss(1e15, [run(1e12), run(1e14)]), undefined);
  assert.equal(expectedLoss(1e15, [run(1e12), run(1.1e12), run(1.2e12)]), undefined);
});
