import assert from "node:assert/strict";
import { test } from "node:test";
import { addMetrics, emptyCurves } from "./run-curves.ts";

test("lines become columns, also when they come in parts", () => {
  const curves = emptyCurves();
  addMetrics(curves, [
    { type: "step", step: 1, loss: 5, norm: 2, rate: 0.5, tokens: 100, ms: 50 },
    { type: "validation", step: 1, tokens: 9, nats_per_token: 4.5, perplexity: 90, bits_per_byte: 2 },
    { type: "sample", step: 1, prompt: "a", text: "b" },
  ]);
  addMetrics(curves, [
    { type: "sample", step: 1, prompt: "c", text: "d" },
    { type: "left-out", step: 2, loss: "NaN", norm: 1, reason: "its loss is no number" },
    { type: "step", step: 3, loss: 4, norm: 1, rate: 1, tokens: 300, ms: 100 },
    { type: "validation", step: 3, tokens: 9, nats_per_token: 4, perplexity: 55 },
    { type: "checkpoint", step: 3, path: "/c" },
  ]);
  assert.deepEqual(curves.loss, { places: { step: [1, 3], tokens: [100, 400], ms: [50, 150] }, values: [5, 4] });
  assert.deepEqual(curves.speed.values, [2000, 3000]);
  assert.equal(curves.norm.places, curves.loss.places);
  assert.deepEqual(curves.validation, {
    places: { step: [1, 3], tokens: [100, 400], ms: [50, 150] },
    values: [4.5, 4],
  });
  assert.deepEqual(curves.bitsPerByte.values, [2]);
  assert.deepEqual(curves.leftOut, [2]);
  assert.deepEqual(
    curves.samples.map(({ step, samples }) => [step, samples.map(({ text }) => text)]),
    [[1, ["b", "d"]]],
  );
});
