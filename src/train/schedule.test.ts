import assert from "node:assert/strict";
import { test } from "node:test";
import { type Schedule, rateAt } from "./schedule.ts";

const rates = (schedule: Schedule): number[] =>
  Array.from({ length: schedule.steps + 1 }, (_, step) => Math.round(1e4 * rateAt(schedule, step)) / 1e4);

test("warms up, and decays by each form to what is to be left", () => {
  assert.deepEqual(rates({ steps: 6, warmup: 2, decay: "linear" }), [0.5, 1, 1, 0.75, 0.5, 0.25, 0]);
  assert.deepEqual(rates({ steps: 6, warmup: 2, decay: "linear", least: 0.2 }), [0.5, 1, 1, 0.8, 0.6, 0.4, 0.2]);
  assert.deepEqual(rates({ steps: 4, decay: "cosine" }), [1, 0.8536, 0.5, 0.1464, 0]);
  assert.deepEqual(rates({ steps: 3, warmup: 1, decay: "constant" }), [1, 1, 1, 1]);
  assert.deepEqual(rates({ steps: 5, warmup: 4, decay: "inverseSqrt" }), [0.25, 0.5, 0.75, 1, 0.8944, 0.8165]);
});

test("a trapezoid is flat until its decay begins", () => {
  assert.deepEqual(rates({ steps: 6, warmup: 2, decay: "linear", decaySteps: 2 }), [0.5, 1, 1, 1, 1, 0.5, 0]);
  assert.deepEqual(rates({ steps: 6, decay: "sqrt", decaySteps: 4 }), [1, 1, 1, 0.5, 0.2929, 0.134, 0]);
});

test("refuses parts that do not fit", () => {
  const schedule = { steps: 4, warmup: 3, decay: "linear", decaySteps: 2 } as const;
  assert.throws(() => rateAt(schedule, 1), /4 steps has 3 of warm-up and 2/);
});
