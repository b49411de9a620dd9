import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../base/errors.ts";
import { answerBatch, packAnswers } from "./answers.ts";

const answers = [
  { prompt: [1, 2, 3], reply: [4, 5] },
  { prompt: [6], reply: [7, 8, 9] },
];

test("every token of a reply is a target, each where its last one before it is read", () => {
  const batch = answerBatch(answers, "rows");
  assert.deepEqual([...batch.ids], [1, 2, 3, 4, 6, 7, 8]);
  assert.deepEqual([...batch.positions], [0, 1, 2, 3, 0, 1, 2]);
  assert.deepEqual([...batch.starts], [0, 0, 0, 0, 4, 4, 4]);
  assert.deepEqual([...batch.outputRows], [2, 3, 4, 5, 6]);
  assert.deepEqual([...batch.targets], [4, 5, 7, 8, 9]);
  assert.deepEqual([...batch.weights], [1, 1, 1, 1, 1]);
  assert.ok(!("elements" in batch));
});

test("what an objective is told lies by token or by answer", () => {
  const rows = answerBatch(answers, "rows", [
    { weight: 0.5, rows: { advantages: [1, 2] } },
    { weight: 0.25, rows: { advantages: [3, 4, 5] } },
  ]);
  assert.deepEqual([...rows.weights], [0.5, 0.5, 0.25, 0.25, 0.25]);
  assert.deepEqual([...rows.advantages], [1, 2, 3, 4, 5]);
  const each = answerBatch(answers, "answers", [
    { weight: 1, each: { advantages: -1 }, rows: { old: [1, 2] } },
    { weight: 1, each: { advantages: 2 }, rows: { old: [3, 4, 5] } },
  ]);
  assert.deepEqual([...each.elements], [0, 0, 1, 1, 1]);
  assert.deepEqual([...each.advantages], [-1, 2]);
  assert.deepEqual([...each.old], [1, 2, 3, 4, 5]);
  assert.deepEqual([...each.weights], [1, 1]);
});

test("answers lie in batches that have room for them, in order, each once", () => {
  const of = (length: number) => ({ prompt: [1], reply: Array<number>(length).fill(2) });
  assert.deepEqual(packAnswers([5, 6, 3, 4, 2].map(of), 8), [[0, 2], [1, 4], [3]]);
  assert.throws(
    () => packAnswers([of(9)], 8),
    (error) => error instanceof UsageError && error.field === "batch.rows",
  );
});
