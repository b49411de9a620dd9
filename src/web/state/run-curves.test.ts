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

test("an objective's own measures become columns by their names, of steps and of what is held out", () => {
  const curves = emptyCurves();
  addMetrics(curves, [
    { type: "step", step: 1, loss: 5, norm: 2, rate: 0.5, tokens: 100, ms: 50, measures: { accuracy: 0.5 } },
    { type: "validation", step: 1, elements: 3, loss: 0.6, measures: { accuracy: 0.7, margin: 1 } },
  ]);
  assert.deepEqual(curves.validation.values, [0.6]);
  const told = [...curves.measures].map(([name, { train, held }]) => [name, train.values, held.values]);
  assert.deepEqual(told, [
    ["accuracy", [0.5], [0.7]],
    ["margin", [], [1]],
  ]);
});

test("of a look's samples the longest copied span counts", () => {
  const curves = emptyCurves();
  const copied = (characters: number) => ({ text: "a", characters, occurrences: 1, from: "a:1" });
  const sample = { type: "sample", prompt: "", text: "a" } as const;
  addMetrics(curves, [
    { ...sample, step: 1, copied: copied(3) },
    { ...sample, step: 1, copied: null },
    { ...sample, step: 2, copied: null },
    { ...sample, step: 3 },
    { type: "probes", step: 3, right: 3, questions: 4, nats_per_token: 1 },
  ]);
  assert.deepEqual(
    [curves.copied.places.step, curves.copied.values],
    [
      [1, 2],
      [3, 0],
    ],
  );
  assert.deepEqual(curves.probes.values, [0.75]);
});
