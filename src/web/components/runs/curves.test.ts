import assert from "node:assert/strict";
import { test } from "node:test";
import { addMetrics, emptyCurves } from "../../state/run-curves.ts";
import { chartKinds, linesOf, valueAt } from "./curves.ts";

const curves = emptyCurves();
addMetrics(curves, [
  { type: "step", step: 1, loss: 4, norm: 2, rate: 0.5, tokens: 100, ms: 30_000 },
  { type: "step", step: 2, loss: 2, norm: 1, rate: 1, tokens: 100, ms: 30_000 },
  { type: "validation", step: 2, tokens: 9, nats_per_token: 3, perplexity: 20 },
]);
const run = { name: "a", slot: 3, curves };
const kind = (name: string) => chartKinds.find((one) => one.name === name)!;

test("what is measured at each step is drawn as it is, faintly, and smoothed", () => {
  const lines = linesOf(kind("loss"), [run], "step", 0.5);
  assert.deepEqual(
    lines.map(({ looks, x, quantity }) => [looks, x, quantity]),
    [
      ["faint", [1, 2], 0],
      ["line", [1, 2], 0],
      ["dots", [2], 1],
    ],
  );
  assert.deepEqual(
    linesOf(kind("loss"), [run], "step", 0).map(({ looks }) => looks),
    ["line", "dots"],
  );
  assert.deepEqual(
    linesOf(kind("rate"), [run], "step", 0.9).map(({ y }) => y),
    [[0.5, 1]],
  );
});

test("the x axis is steps, tokens or minutes, and what was never measured has no line", () => {
  assert.deepEqual(linesOf(kind("norm"), [run], "tokens", 0)[0].x, [100, 200]);
  assert.deepEqual(linesOf(kind("norm"), [run], "ms", 0)[0].x, [0.5, 1]);
  assert.deepEqual(linesOf(kind("bits"), [run], "step", 0), []);
});

test("between two values it is the earlier one", () => {
  const line = { x: [1, 5, 9], y: [10, 50, 90] };
  assert.deepEqual(
    [undefined, 0, 1, 4, 5, 100].map((x) => valueAt(line, x)),
    [90, undefined, 10, 10, 50, 90],
  );
});
