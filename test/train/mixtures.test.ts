// A mixture of experts learns: DeepSeek V3's golden model is trained further. What only chooses experts has no gradient and
// stays as it is, unless it is to keep experts evenly busy; the loss that does that is transformers'.
import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { weightState } from "../../src/models/index.ts";
import type { BalanceOptions } from "../../src/train/expert-balance.ts";
import { initialiseWeights } from "../../src/train/initial-weights.ts";
import { adamW } from "../../src/train/optimizers/adamw.ts";
import { gradientState } from "../../src/train/programs.ts";
import { readWeights } from "../../src/train/saved-tensors.ts";
import { type MicroBatch, Trainer } from "../../src/train/trainer.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { type OpenCase, openCase, readGolden } from "../families/cases.ts";

function batchOf(ids: Int32Array): MicroBatch {
  const rows = ids.length - 1;
  const positions = Int32Array.from({ length: rows }, (_, i) => i);
  return {
    ids: ids.subarray(0, rows),
    positions,
    starts: new Int32Array(rows),
    outputRows: positions,
    targets: ids.subarray(1),
    weights: new Float32Array(rows).fill(1),
  };
}

const ROWS = 12;
const batch = batchOf(Int32Array.from({ length: ROWS + 1 }, (_, i) => (37 * i) % 320));
const optimizer = adamW();
const bounds = { rows: ROWS, targets: ROWS, optimizerOf: () => optimizer };
const BIAS = "layers.1.experts.selectionBias";
const ROUTER = "layers.0.experts.router.weight";

test("deepseek_v3: the loss falls, and its selection bias stays; a new model's is 0", async () => {
  await using opened = await openCase("deepseek_v3");
  const { model, store } = opened;
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

test("deepseek_v3: a selection bias moves against how often its expert was chosen in the whole step", async () => {
  await using opened = await openCase("deepseek_v3");
  const { model, store } = opened;
  const balance = { balance: 0, biasRate: 0.25 };
  await using trainer = await Trainer.open(model, store, referenceExecutor, { ...bounds, balance });
  await readWeights(store, trainer.states);
  const bias = trainer.states[weightState(BIAS)];
  const before = bias.slice();
  await trainer.accumulate([batch, batch]);
  const load = trainer.states[gradientState(BIAS)].slice();
  const { chosen = 0 } = model.parameters.get("layers.1.experts.gate.weight")!;
  assert.equal(
    load.reduce((a, b) => a + b, 0),
    2 * ROWS * chosen,
  );
  await trainer.apply(0);
  const mean = (2 * ROWS * chosen) / bias.length;
  const moved = bias.map((value, expert) => value - before[expert]);
  assert.ok(new Set(load).size > 1, "an even load shows nothing");
  for (const [expert, by] of moved.entries()) {
    assert.ok(Math.abs(by - 0.25 * Math.sign(mean - load[expert])) < 1e-6, `expert ${expert} moved by ${by}`);
  }
  assert.ok(trainer.states[gradientState(BIAS)].every((value) => value === 0));
});

/** transformers 5.23 in f64 (`output_router_logits`): `aux_loss` of 40 rows, and how it changes with the first router's weights. */
const golden = {
  mixtral: {
    balance: 2.094825267791748,
    router: [-0.0035664949686071926, -0.0009979674742952437, 0.001265378858481216, 0.0010270408511570126],
  },
  qwen2_moe: {
    balance: 3.1129379272460938,
    router: [-0.004774009491685406, 0.009717741403988615, 0.006382192557159134, -0.005756592034678756],
  },
} as const;

for (const [name, expected] of Object.entries(golden) as [keyof typeof golden, (typeof golden)["mixtral"]][]) {
  test(`${name}: its balance is transformers', and is learnt beside the loss`, async () => {
    await using opened = await openCase(name);
    const { model, store } = opened;
    const { input_ids_a: ids } = (await readGolden(name)).i32;
    const whole = batchOf(Int32Array.of(...ids, 0)); // every one of the 40 is a row
    const asked = { rows: ids.length, targets: ids.length, optimizerOf: () => optimizer, precision: "f32" } as const;
    const gradientAt = async (weight: number) => {
      const balance = { balance: weight, biasRate: 0 };
      await using trainer = await Trainer.open(model, store, cpuTiers()[0], { ...asked, balance });
      await readWeights(store, trainer.states);
      const { loss, measures } = await trainer.accumulate([whole, whole]);
      return { loss, measures, router: trainer.states[gradientState(ROUTER)].map((value) => value / (2 * ids.length)) };
    };
    const [without, beside] = [await gradientAt(0), await gradientAt(0.5)];
    assert.deepEqual(without.measures, {});
    assert.equal(beside.loss, without.loss); // what is told is the stage's own
    assert.ok(Math.abs(beside.measures.balance - expected.balance) < 1e-5, `${beside.measures.balance}`);
    for (const [i, value] of expected.router.entries()) {
      const found = (beside.router[i] - without.router[i]) / 0.5;
      assert.ok(Math.abs(found - value) < 1e-5, `${found}, expected ${value}`);
    }
  });
}

test("a model without experts, or without such a bias, is refused by the recipe's field", async () => {
  await using llama = await openCase("llama");
  await using mixtral = await openCase("mixtral");
  const open = async ({ model, store }: OpenCase, balance: BalanceOptions): Promise<void> => {
    await using _ = await Trainer.open(model, store, referenceExecutor, { ...bounds, balance });
  };
  await assert.rejects(open(llama, { balance: 0.1, biasRate: 0 }), /llama\) has no experts/);
  await assert.rejects(open(mixtral, { balance: 0, biasRate: 0.1 }), /mixtral\) has no selection bias/);
});
