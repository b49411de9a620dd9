import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../base/errors.ts";
import { openExecutor } from "../chat/executors.ts";
import { measureTraining } from "./training-speed.ts";

test("training is measured over steps that learn", async () => {
  const executor = await openExecutor("cpu");
  const steps: number[] = [];
  const onStep = (done: number): void => void steps.push(done);
  const speed = await measureTraining({ executor, threads: 1, precision: "fast", steps: 2, documents: 1, onStep });
  assert.deepEqual(steps, [0, 1, 2]);
  const layer = 12 * 384 ** 2 + (3 + 1 + 4 + 1) * 384 + 4 * 384; // matrices, their biases, two norms
  assert.equal(speed.params, (8192 + 256) * 384 + 6 * layer + 2 * 384);
  assert.ok(Math.abs(speed.gflops - (6 * speed.params * speed.tokens_per_s) / 1e9) <= 1);
  assert.ok(Math.abs(speed.loss_first - Math.log(8192)) < 0.5, `a new model knows nothing: ${speed.loss_first}`);
  assert.ok(speed.loss_last < speed.loss_first);
});

test("a measurement of no step is refused", async () => {
  const executor = await openExecutor("cpu");
  const options = { executor, threads: 1, precision: "fast", documents: 1 } as const;
  await assert.rejects(measureTraining({ ...options, steps: 0 }), UsageError);
});
