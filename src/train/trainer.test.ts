// Steps of a tiny model on the reference executor: what accumulation, discarding and frozen weights must mean.
import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceExecutor } from "../device/reference/executor.ts";
import { newModel } from "../models/index.ts";
import { initialiseWeights } from "./initial-weights.ts";
import { adamW } from "./optimizers/adamw.ts";
import { type MicroBatch, Trainer } from "./trainer.ts";

const model = newModel({
  model_type: "llama",
  vocab_size: 24,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 16,
  tie_word_embeddings: true,
});
const noStore = { parameters: new Map(), readRows: () => Promise.reject(new Error("no weight is read")) };

async function open(trains: (name: string) => boolean = () => true): Promise<Trainer> {
  const optimizer = adamW();
  const optimizerOf = (name: string) => (trains(name) ? optimizer : undefined);
  const trainer = await Trainer.open(model, noStore, referenceExecutor, { rows: 16, targets: 16, optimizerOf });
  initialiseWeights(model, trainer.states, 7);
  return trainer;
}

/** Documents of the given lengths, whose ids count up from different numbers. */
function batchOf(...lengths: number[]): MicroBatch {
  const rows = lengths.flatMap((length, d) =>
    Array.from({ length }, (_, i) => ({ id: (5 * d + i) % 24, position: i, document: d })),
  );
  const starts = rows.map(({ document }) => lengths.slice(0, document).reduce((a, b) => a + b, 0));
  return {
    ids: Int32Array.from(rows, ({ id }) => id),
    positions: Int32Array.from(rows, ({ position }) => position),
    starts: Int32Array.from(starts),
    outputRows: Int32Array.from(rows.keys()),
    targets: Int32Array.from(rows, ({ id }) => (id + 1) % 24),
    weights: new Float32Array(rows.length).fill(1),
  };
}

const weightsOf = ({ states }: Trainer): Float32Array => states["weights.layers.0.mlp.up.weight"].slice();

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
}

test("starts near an even guess and learns what follows what", async () => {
  await using trainer = await open();
  const batch = batchOf(9, 7);
  const first = await trainer.accumulate([batch]);
  assert.ok(Math.abs(first.loss - Math.log(24)) < 0.1, String(first.loss));
  await trainer.apply(0.01);
  let loss = first.loss;
  for (let step = 0; step < 40; step++) {
    ({ loss } = await trainer.accumulate([batch]));
    await trainer.apply(0.01);
  }
  assert.ok(loss < 0.5, String(loss));
});

test("many micro-batches make the step of one large batch, and documents do not see each other", async () => {
  await using whole = await open();
  await using parts = await open();
  const one = await whole.accumulate([batchOf(9, 7)]);
  const [long, both] = [batchOf(9), batchOf(9, 7)];
  const short = Object.fromEntries(Object.entries(both).map(([name, all]) => [name, all.slice(9)])) as unknown;
  const alone = {
    ...(short as MicroBatch),
    starts: new Int32Array(7),
    outputRows: Int32Array.from(long.outputRows.keys()).slice(0, 7),
  };
  const two = await parts.accumulate([long, alone]);
  assert.ok(Math.abs(one.loss - two.loss) < 1e-6);
  assert.ok(Math.abs(one.norm - two.norm) < 1e-5 * one.norm);
  const before = weightsOf(whole);
  await whole.apply(0.01);
  await parts.apply(0.01);
  assert.ok(largestDifference(before, weightsOf(whole)) > 0.005);
  assert.ok(largestDifference(weightsOf(parts), weightsOf(whole)) < 1e-4);
});

test("what is discarded changes nothing, not even when it is no number", async () => {
  await using trainer = await open();
  await using other = await open();
  const batch = batchOf(5);
  await trainer.accumulate([{ ...batch, weights: new Float32Array(5).fill(Infinity) }]);
  await assert.rejects(trainer.accumulate([batch]), /Apply or discard/);
  trainer.discard();
  for (const each of [trainer, other]) {
    await each.accumulate([batch]);
    await each.apply(0.01);
  }
  assert.deepEqual(weightsOf(trainer), weightsOf(other));
});
