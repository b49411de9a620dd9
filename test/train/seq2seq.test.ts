// What the stage seq2seq learns: its loss is what transformers' logits say of the same replies, sources in one batch do not
// meet, and steps make it smaller, on the reference and on the cpu executor.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Executor } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { nextToken } from "../../src/train/objectives/index.ts";
import { adamW } from "../../src/train/optimizers/adamw.ts";
import { type Translation, translationBatch } from "../../src/train/stages/seq2seq.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { type Golden, openCase, readGolden } from "../families/cases.ts";

/** The golden replies are inputs: each id but the first is the target of the row before it. */
function translationOf({ i32 }: Golden, name: "a" | "b"): Translation {
  return { source: i32[`input_ids_${name}`], target: i32[`decoder_input_ids_${name}`].subarray(1) };
}

function goldenLosses({ f32, i32 }: Golden, name: "a" | "b"): number[] {
  const targets = i32[`decoder_input_ids_${name}`].subarray(1);
  const logits = f32[`logits_${name}`];
  const vocabularySize = logits.length / (targets.length + 1);
  return Array.from(targets, (target, row) => {
    const all = Array.from(logits.subarray(row * vocabularySize, (row + 1) * vocabularySize));
    const largest = all.reduce((a, b) => Math.max(a, b));
    return largest + Math.log(all.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)) - all[target];
  });
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

async function check(executor: Executor, name: "marian" | "t5", tolerance: number): Promise<void> {
  const golden = await readGolden(name);
  await using opened = await openCase(name);
  const optimizer = adamW();
  const options = { rows: 64, targets: 64, objective: nextToken(), precision: "f32" } as const;
  await using trainer = await Trainer.open(opened.model, opened.store, executor, {
    ...options,
    // what is trained begins at zero: the decoder's first queries alone, so that the golden weights stay beside them
    optimizerOf: (parameter) => (parameter === "layers.0.cross.query.weight" ? optimizer : undefined),
  });
  const stored = opened.store.parameters.get("layers.0.cross.query.weight")!;
  const bytes = new Uint8Array(stored.byteLength);
  await opened.store.readRows(stored.name, 0, bytes);
  trainer.states[`weights.${stored.name}`].set(new Float32Array(bytes.buffer));
  const startId = golden.i32.decoder_input_ids_a[0];
  assert.equal(startId, opened.model.encoder!.startId);
  const both = translationBatch([translationOf(golden, "b"), translationOf(golden, "a")], startId);
  const expected = mean([...goldenLosses(golden, "b"), ...goldenLosses(golden, "a")]);
  const first = await trainer.accumulate([both]);
  assert.ok(Math.abs(first.loss - expected) < tolerance, `${first.loss}, expected ${expected}`);
  trainer.discard();
  let last = first.loss;
  for (let step = 0; step < 3; step++) {
    last = (await trainer.accumulate([both])).loss;
    await trainer.apply(0.01);
  }
  assert.ok(last < first.loss - 0.001, `${last} after ${first.loss}`);
}

for (const executor of [referenceExecutor, cpuTiers()[0]]) {
  describe(`seq2seq on ${executor.name} (${executor.tier})`, () => {
    for (const name of ["marian", "t5"] as const) {
      test(`the loss of ${name} is what its golden logits say, and falls`, () => check(executor, name, 1e-5));
    }
  });
}
