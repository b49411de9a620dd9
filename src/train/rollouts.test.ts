// Replies drawn inside a trainer, against the engine's over the same weights: the same ids.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCpuExecutor } from "../device/cpu/executor.ts";
import { referenceExecutor } from "../device/reference/executor.ts";
import type { Executor } from "../device/executor.ts";
import { openEngine } from "../engine/index.ts";
import { newModel } from "../models/index.ts";
import { initialiseWeights } from "./initial-weights.ts";
import { adamW } from "./optimizers/adamw.ts";
import type { RolloutBounds, RolloutPrompt } from "./rollouts.ts";
import { liveStore } from "./saved-tensors.ts";
import { Trainer } from "./trainer.ts";

const model = newModel({
  model_type: "llama",
  vocab_size: 40,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 96,
  tie_word_embeddings: true,
});
const noStore = { parameters: new Map(), readRows: () => Promise.reject(new Error("no weight is read")) };
const END = 7;

async function open(executor: Executor, rollouts: RolloutBounds, threads = 1): Promise<Trainer> {
  const optimizer = adamW();
  const trainer = await Trainer.open(model, noStore, executor, {
    rows: 16,
    targets: 16,
    optimizerOf: () => optimizer,
    rollouts,
    threads,
  });
  initialiseWeights(model, trainer.states, 3);
  // larger than at the start of training, so that what comes before decides what comes next
  for (const [name, values] of Object.entries(trainer.states)) {
    if (name.startsWith("weights.") && !name.includes("norm")) for (const i of values.keys()) values[i] *= 12;
  }
  return trainer;
}

/** Prompts of 1 to 30 tokens. */
const prompts: RolloutPrompt[] = Array.from({ length: 11 }, (_, p) => ({
  ids: Array.from({ length: 1 + ((p * 13) % 30) }, (_, i) => (p * 17 + i * 5) % 40),
  seed: 100 + p,
}));

for (const temperature of [0, 1]) {
  test(`are the engine's at temperature ${temperature}, whatever runs beside them`, async () => {
    // fewer sequences than prompts, and fewer rows than the longest prompt: some wait, some are read in parts
    await using trainer = await open(referenceExecutor, { window: 64, sequences: 4, rows: 9 });
    const settings = { temperature, tokens: 20, endIds: new Set([END]) };
    const drawn = await trainer.draw(prompts, settings);
    await using engine = await openEngine(model, liveStore(model, trainer.states, noStore), referenceExecutor, {
      window: 64,
    });
    let ended = 0;
    for (const [i, { ids, seed }] of prompts.entries()) {
      const expected: number[] = [];
      const sampling = { temperature, seed };
      for await (const event of engine.generate({ ids, maxTokens: 20, endIds: [END], sampling })) {
        if (event.type === "token") expected.push(event.id);
        if (event.type === "end" && event.endId !== undefined) expected.push(event.endId);
      }
      assert.deepEqual(drawn[i].ids, expected);
      assert.equal(drawn[i].ended, expected.at(-1) === END);
      ended += Number(drawn[i].ended);
    }
    if (temperature > 0) assert.ok(ended > 0 && ended < prompts.length, `${ended} ended`);
  });
}

test("do not depend on threads, nor on how many are drawn at once, and leave the weights as they are", async () => {
  const executor = createCpuExecutor();
  const settings = { temperature: 1, tokens: 30, endIds: new Set([END]) };
  await using one = await open(executor, { window: 64, sequences: 16 });
  await using two = await open(executor, { window: 64, sequences: 3 }, 2);
  const before = one.states["weights.embedding.weight"].slice();
  const drawn = await one.draw(prompts, settings);
  assert.deepEqual(await two.draw(prompts, settings), drawn);
  assert.deepEqual(await one.draw(prompts, settings), drawn);
  assert.deepEqual(one.states["weights.embedding.weight"], before);
  assert.ok(!Object.keys(one.states).some((name) => name.startsWith("kv.")), "keys and values are not saved");
});

test("a prompt without room for a reply is refused, and the trainer goes on", async () => {
  await using trainer = await open(referenceExecutor, { window: 16, sequences: 2 });
  const settings = { temperature: 1, tokens: 5, endIds: new Set<number>() };
  const long = { ids: Array.from({ length: 16 }, (_, i) => i), seed: 1 };
  await assert.rejects(trainer.draw([prompts[0], long], settings), /16/);
  const [reply] = await trainer.draw([{ ...long, ids: long.ids.slice(1) }], settings);
  assert.deepEqual([reply.ids.length, reply.ended], [1, false]);
});
