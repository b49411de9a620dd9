// A tiny model that learns on the cpu executor: gradients of every weight and steps of AdamW as on the reference, on every
// tier, and the same bytes however many threads there are.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CpuTier, findTier } from "../../src/device/cpu/tiers.ts";
import type { Executor } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { newModel } from "../../src/models/index.ts";
import { initialiseWeights } from "../../src/train/initial-weights.ts";
import { adafactor } from "../../src/train/optimizers/adafactor.ts";
import { adamW } from "../../src/train/optimizers/adamw.ts";
import type { Optimizer } from "../../src/train/optimizers/optimizer.ts";
import { gradientState } from "../../src/train/programs.ts";
import { type MicroBatch, Trainer } from "../../src/train/trainer.ts";
import { memoryStore, randomBits } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const VOCABULARY = 50;
const models = {
  llama: newModel({
    model_type: "llama",
    vocab_size: VOCABULARY,
    hidden_size: 32,
    intermediate_size: 40,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 32,
    tie_word_embeddings: false,
  }),
  gpt2: newModel({
    model_type: "gpt2",
    vocab_size: VOCABULARY,
    n_positions: 32,
    n_embd: 24,
    n_layer: 2,
    n_head: 3,
    tie_word_embeddings: true,
  }),
  mixture: newModel({
    model_type: "deepseek_v3",
    vocab_size: VOCABULARY,
    hidden_size: 24,
    intermediate_size: 40,
    moe_intermediate_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    q_lora_rank: null,
    kv_lora_rank: 16,
    qk_nope_head_dim: 8,
    qk_rope_head_dim: 4,
    v_head_dim: 8,
    first_k_dense_replace: 1,
    n_routed_experts: 4,
    n_shared_experts: 1,
    n_group: 2,
    topk_group: 1,
    num_experts_per_tok: 2,
    max_position_embeddings: 32,
    tie_word_embeddings: false,
    scoring_func: "sigmoid",
    topk_method: "noaux_tc",
    rms_norm_eps: 1e-6,
  }),
};
const LENGTHS = [19, 7, 30];
const STEPS = 4;

function batchOf(seed: number): MicroBatch {
  const next = randomBits(seed);
  const positions = LENGTHS.flatMap((length) => Array.from({ length }, (_, i) => i));
  const ids = Int32Array.from(positions, () => next() % VOCABULARY);
  return {
    ids,
    positions: Int32Array.from(positions),
    starts: Int32Array.from(positions, (position, row) => row - position),
    outputRows: Int32Array.from(positions.keys()),
    targets: Int32Array.from(positions, () => (next() % (VOCABULARY + 5)) - 5).map((id) => Math.max(id, -1)),
    weights: new Float32Array(positions.length).fill(1),
  };
}

/** Two that differ in their ops: chains element by element, and sums by row and column. */
const optimizers: Readonly<Record<keyof typeof models, Optimizer>> = {
  llama: adamW({ weightDecay: 0.1 }),
  gpt2: adafactor({ weightDecay: 0.1 }),
  mixture: adamW({ weightDecay: 0.1 }),
};

interface Trained {
  readonly gradients: Readonly<Record<string, Float32Array>>;
  readonly states: Readonly<Record<string, Float32Array>>;
  readonly losses: readonly number[];
}

/** A step's gradients of two micro-batches, then some steps. */
async function train(
  executor: Executor,
  name: keyof typeof models,
  threads: number,
  precision: "f32" | "fast" = "f32",
): Promise<Trained> {
  const model = models[name];
  const rows = LENGTHS.reduce((a, b) => a + b);
  const optimizer = optimizers[name];
  const options = { rows, targets: rows, optimizerOf: () => optimizer, threads, precision };
  await using trainer = await Trainer.open(model, memoryStore({}), executor, options);
  initialiseWeights(model, trainer.states, 3);
  const copy = (select: (name: string) => boolean): Record<string, Float32Array> =>
    Object.fromEntries(
      Object.entries(trainer.states).flatMap(([key, values]) => (select(key) ? [[key, values.slice()]] : [])),
    );
  const losses: number[] = [];
  let gradients: Record<string, Float32Array> = {};
  for (let step = 0; step < STEPS; step++) {
    const { loss } = await trainer.accumulate([batchOf(2 * step), batchOf(2 * step + 1)]);
    losses.push(loss);
    if (step === 0) gradients = copy((key) => key.startsWith(gradientState("")));
    await trainer.apply(1e-3);
  }
  return { gradients, states: copy(() => true), losses };
}

/** Root mean square of the differences over that of the values. */
function away(found: Float32Array, expected: Float32Array): number {
  const squares = (values: Float32Array, less?: Float32Array): number =>
    values.reduce((sum, value, i) => sum + (value - (less?.[i] ?? 0)) ** 2, 0);
  return Math.sqrt(squares(found, expected) / squares(expected));
}

function hasTiles({ tier }: Executor): boolean {
  const found = findTier(tier as CpuTier);
  return typeof found !== "string" && found.machine.tiles;
}

for (const name of Object.keys(models) as (keyof typeof models)[]) {
  describe(`a tiny ${name} learns`, async () => {
    const expected = await train(referenceExecutor, name, 1);

    it("with gradients of every weight", () => {
      const parts = Object.keys(expected.gradients);
      // what only decides who is chosen changes by jumps
      const jumping = [...models[name].parameters.keys()].filter((part) => part.endsWith("selectionBias"));
      assert.equal(parts.length, models[name].parameters.size - jumping.length);
      for (const part of parts)
        assert.ok(
          expected.gradients[part].some((value) => value !== 0),
          part,
        );
    });

    for (const executor of cpuTiers()) {
      it(`on ${executor.tier} as on the reference, the same bytes with 1 and 2 threads`, async () => {
        const found = await train(executor, name, 1);
        for (const [part, values] of Object.entries(expected.gradients)) {
          const isCancelled = part.endsWith("attention.key.bias"); // softmax does not see it: what is left is rounding
          if (!isCancelled)
            assert.ok(away(found.gradients[part], values) < 1e-4, `${part}: ${away(found.gradients[part], values)}`);
        }
        for (const [step, loss] of expected.losses.entries()) assert.ok(Math.abs(found.losses[step] - loss) < 1e-5);
        for (const gradient of Object.keys(expected.gradients)) {
          const part = gradient.slice(gradientState("").length);
          const key = `weights.${part}`;
          if (part.endsWith("attention.key.bias")) continue;
          assert.ok(
            away(found.states[key], expected.states[key]) < 1e-3,
            `${key}: ${away(found.states[key], expected.states[key])}`,
          );
        }
        assert.deepEqual(await train(executor, name, 2), found);
      });

      if (!hasTiles(executor)) continue;
      it(`on ${executor.tier} in bf16 near the reference, the same bytes with 1 and 2 threads`, async () => {
        const found = await train(executor, name, 1, "fast");
        for (const [part, values] of Object.entries(expected.gradients)) {
          if (part.endsWith("attention.key.bias")) continue;
          const difference = away(found.gradients[part], values);
          assert.ok(difference > 1e-5 && difference < 0.03, `${part}: ${difference}`); // a product's numbers keep 8 bits
        }
        for (const [step, loss] of expected.losses.entries()) assert.ok(Math.abs(found.losses[step] - loss) < 2e-3);
        assert.deepEqual(await train(executor, name, 2, "fast"), found);
      });
    }
  });
}
