// A mixture of experts learns: DeepSeek V3's golden model is trained further. What only chooses experts has no gradient and
// stays as it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { weightState } from "../../src/models/index.ts";
import { initialiseWeights } from "../../src/train/initial-weights.ts";
import { adamW } from "../../src/train/optimizers/adamw.ts";
import { readWeights } from "../../src/train/saved-tensors.ts";
import { type MicroBatch, Trainer } from "../../src/train/trainer.ts";
import { openCase } from "../families/cases.ts";

const ROWS = 12;
const ids = Int32Array.from({ length: ROWS + 1 }, (_, i) => (37 * i) % 320);
const positions = Int32Array.from({ length: ROWS }, (_, i) => i);
const batch: MicroBatch = {
  ids: ids.subarray(0, ROWS),
  positions,
  starts: new Int32Array(ROWS),
  outputRows: positions,
  targets: ids.subarray(1),
  weights: new Float32Array(ROWS).fill(1),
};
const BIAS = "layers.1.experts.selectionBias";

test("deepseek_v3: the loss falls, and its selection bias stays; a new model's is 0", async () => {
  await using opened = await openCase("deepseek_v3");
  const { model, store } = opened;
  const optimizer = adamW();
  const bounds = { rows: ROWS, targets: ROWS, optimizerOf: () => optimizer };
  await using trainer = await Trainer.open(model, store, referenceExecutor, bounds);
  await readWeights(store, trainer.states);
  const bias = trainer.states[weightState(BIAS)];
  const before = bias.slice();
  assert.ok(before.some((value) => value !== 0));
  assert.ok(!trainer.trained.has(BIAS) && trainer.trained.has("layers.1.experts.router.weight"));

  const first = await trainer.accumulate([batch]);
  await trainer.apply(0.01);
  for (let step = 0; step < 3; step++) {
    await trainer.accumulate([batch]);
    await trainer.apply(0.01);
  }
  const { loss } = await trainer.accumulate([batch]);
  assert.ok(loss < first.loss - 1, `${loss} after ${first.loss}`);
  assert.deepEqual(bias, before);

  initialiseWeights(model, trainer.states, 1);
  assert.ok(bias.every((value) => value === 0));
});
