import assert from "node:assert/strict";
import { test } from "node:test";
import { uniform } from "../../base/random.ts";
import { cutAtMass, kthLargest } from "./select.ts";

/** Numbers with many ties when `levels` is small. */
const numbers = (count: number, levels: number, stream: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.floor(uniform(1, stream, i) * levels));

for (const [count, levels] of [
  [1, 1],
  [2, 2],
  [50, 4],
  [1000, 1],
  [1000, 1e9],
  [5000, 40],
]) {
  test(`the k-th largest of ${count} numbers with ${levels} levels is where a sort puts it`, () => {
    const values = numbers(count, levels, 0);
    const sorted = values.toSorted().toReversed();
    for (const k of new Set([1, 2, Math.ceil(count / 3), count - 1, count])) {
      if (k < 1 || k > count) continue;
      assert.equal(kthLargest(values.slice(), count, k), sorted[k - 1], `k = ${k}`);
    }
  });

  test(`the cut of ${count} numbers with ${levels} levels is where a sorted running sum reaches the target`, () => {
    const keys = numbers(count, levels, 1);
    const weights = numbers(count, 16, 2); // whole numbers: sums are exact in any order
    const order = Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b]);
    const total = weights.reduce((a, b) => a + b, 0);
    for (const share of [0, 0.1, 0.5, 0.999, 1]) {
      let mass = 0;
      const cut = order.find((i) => (mass += weights[i]) >= share * total);
      assert.equal(
        cutAtMass(keys.slice(), weights.slice(), count, share * total),
        keys[cut as number],
        `share ${share}`,
      );
    }
  });
}

test("a target above the sum of all weights cuts nothing", () => {
  assert.equal(cutAtMass(Float64Array.of(3, 1, 2), Float64Array.of(1, 1, 1), 3, 4), 3);
});

test("sorted and reversed input of 200,000 takes linear time", () => {
  const ascending = Float64Array.from({ length: 200_000 }, (_, i) => i);
  const started = performance.now();
  assert.equal(kthLargest(ascending.slice(), ascending.length, 40), 199_960);
  assert.equal(kthLargest(ascending.toReversed(), ascending.length, 40), 199_960);
  assert.ok(performance.now() - started < 2000, "a quadratic selection takes minutes");
});
