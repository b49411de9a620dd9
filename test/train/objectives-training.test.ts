// Every objective on a tiny model: its first loss, and that steps make it smaller (objectives-cpu.test.ts holds the executor's
// numbers against the reference's).
import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/base/errors.ts";
import { contrastive, dpo, ppo, reward } from "../../src/train/objectives/index.ts";
import { logProbabilities } from "../../src/train/scorer.ts";
import type { MicroBatch, Trainer } from "../../src/train/trainer.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { PAIRS, ask, batchOf, cases, drawn, open, pairBatch, withReference } from "./objectives-cases.ts";

const tiny = tinyExecutor();

for (const [name, { objective, batch, first, below }] of Object.entries(cases)) {
  test(`${name}: its first loss, and that it falls`, async () => {
    await using trainer = await open(objective, undefined, tiny);
    const given = await batch();
    const before = await trainer.accumulate([given]);
    if (first !== undefined) assert.ok(Math.abs(before.loss - first) < 1e-4, `first ${before.loss}, expected ${first}`);
    assert.ok(before.loss > below && before.norm > 0, `${before.loss} before, gradient ${before.norm}`);
    const losses = await meanLoss(trainer, given);
    assert.ok(Math.abs(losses - before.loss) < 1e-5, `looked at: ${losses}`);
    await trainer.apply(0.01);
    let { loss, measures } = before;
    for (let step = 0; step < 20; step++) {
      ({ loss, measures } = await trainer.accumulate([given]));
      await trainer.apply(0.01);
    }
    assert.ok(loss < below, `${loss} after ${before.loss}, ${JSON.stringify(measures)}`);
    if ("accuracy" in measures) assert.equal(measures.accuracy, 1);
  });
}

/** The mean by weight of the losses that the trainer tells. */
async function meanLoss(trainer: Trainer, batch: MicroBatch): Promise<number> {
  const losses = await trainer.losses(batch);
  const weight = batch.weights.reduce((a, b) => a + b, 0);
  return losses.reduce((sum, loss, i) => sum + loss * batch.weights[i], 0) / weight;
}

test("pairs in micro-batches of their own make the step of one batch", async () => {
  await using whole = await open(dpo());
  await using parts = await open(dpo());
  const one = await whole.accumulate([await withReference(pairBatch(PAIRS))]);
  const each = await Promise.all(PAIRS.map((pair) => withReference(pairBatch([pair]))));
  const two = await parts.accumulate(each);
  assert.ok(Math.abs(one.loss - two.loss) < 1e-6 && Math.abs(one.norm - two.norm) < 1e-5 * one.norm);
});

test("rows are told before the objective's own inputs are there: what answers' log-probabilities were", async () => {
  await using trainer = await open(ppo());
  const { batch } = batchOf(drawn);
  const { logProbabilities: found, values } = await trainer.rows(batch);
  const expected = await ask(logProbabilities, batch);
  assert.equal(values.length, batch.outputRows.length);
  assert.ok(found.every((value, i) => Math.abs(value - expected[i]) < 1e-6));
});

test("a head that the loss does not reach is not trained, and a head of the objective's own is", async () => {
  await using trainer = await open(reward());
  assert.deepEqual(trainer.trained.get("reward.weight"), [1, 16]);
  assert.ok(trainer.trained.has("embedding.weight") && !trainer.trained.has("head.weight"));
  assert.equal(trainer.states["weights.head.weight"], undefined);
});

test("a batch without what the objective reads is refused, and one of another number of pairs", async () => {
  await using trainer = await open(dpo());
  await assert.rejects(
    trainer.accumulate([pairBatch(PAIRS)]),
    (error) => error instanceof UsageError && /no input reference/.test(error.message),
  );
  await using embedder = await open(contrastive({ pairs: 2 }));
  await assert.rejects(
    embedder.accumulate([pairBatch(PAIRS.slice(1))]),
    (error) => error instanceof UsageError && /1 .* expected 2/.test(error.message),
  );
});
