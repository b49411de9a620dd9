// Training against traces that PyTorch left (test/golden/train): a tiny llama's losses, gradients and weights over six
// steps of each optimizer, accumulation, optimizers on fixed gradients, schedules. On the reference executor.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { graph, input, state } from "../../src/graph/index.ts";
import { newModel } from "../../src/models/index.ts";
import { adafactor } from "../../src/train/optimizers/adafactor.ts";
import { adamW } from "../../src/train/optimizers/adamw.ts";
import { lion } from "../../src/train/optimizers/lion.ts";
import { muon, orthogonal } from "../../src/train/optimizers/muon.ts";
import type { Optimizer } from "../../src/train/optimizers/optimizer.ts";
import { sgd } from "../../src/train/optimizers/sgd.ts";
import { type Schedule, rateAt } from "../../src/train/schedule.ts";
import { type MicroBatch, Trainer } from "../../src/train/trainer.ts";
import { type DataTensor, readData } from "../safetensors-data.ts";

const data = (name: string): Promise<Record<string, DataTensor>> =>
  readData(join(import.meta.dirname, `../golden/train/${name}.safetensors`));

const [V, T, B, STEPS] = [64, 16, 4, 6];
const model = newModel({
  model_type: "llama",
  vocab_size: V,
  hidden_size: 32,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: T,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
});
const noStore = { parameters: new Map(), readRows: () => Promise.reject(new Error("no weight is read")) };

const parts: Readonly<Record<string, string>> = {
  "attention.query": "wq",
  "attention.key": "wk",
  "attention.value": "wv",
  "attention.output": "wo",
  attentionNorm: "attn_norm",
  mlpNorm: "mlp_norm",
  "mlp.gate": "w_gate",
  "mlp.up": "w_up",
  "mlp.down": "w_down",
};
/** The trace's name of a parameter. */
function nameInTrace(name: string): string {
  const [, layer, part] = /^layers\.(\d)\.(.*)\.weight$/.exec(name) ?? [];
  if (part !== undefined) return `layers.${layer}.${parts[part]}.weight`;
  return { "embedding.weight": "embed.weight", "head.weight": "lm_head.weight" }[name] ?? name;
}

async function open(
  optimizerOf: (name: string, isMatrix: boolean) => Optimizer,
  rows = B * T,
  init?: Record<string, DataTensor>,
): Promise<Trainer> {
  const trainer = await Trainer.open(model, noStore, referenceExecutor, {
    rows,
    targets: rows,
    optimizerOf: (name, shape) => optimizerOf(name, shape.length === 2),
  });
  const start = init ?? (await data("adamw"));
  for (const name of model.parameters.keys()) {
    trainer.states[`weights.${name}`].set(start[`init.${nameInTrace(name)}`].f32);
  }
  return trainer;
}

/** Rows of T + 1 tokens: inputs are all but the last, targets all but the first. */
function batchOf(tokens: Int32Array): MicroBatch {
  const rows = Array.from({ length: B * T }, (_, i) => ({ row: Math.floor(i / T), at: i % T }));
  const pick = (of: (place: { row: number; at: number }) => number) => Int32Array.from(rows, of);
  return {
    ids: pick(({ row, at }) => tokens[row * (T + 1) + at]),
    positions: pick(({ at }) => at),
    starts: pick(({ row }) => row * T),
    outputRows: Int32Array.from(rows.keys()),
    targets: pick(({ row, at }) => tokens[row * (T + 1) + at + 1]),
    weights: new Float32Array(B * T).fill(1),
  };
}

function assertClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
  but = 0,
): void {
  assert.equal(found.length, expected.length, what);
  const far = Array.from(found, (x, i) => Math.abs(x - expected[i])).filter((d) => !(d <= tolerance));
  assert.ok(
    far.length <= but,
    `${what}: ${far.length} of ${found.length} differ by more than ${tolerance}, up to ${Math.max(...far)}`,
  );
}

const matrices = (optimizer: Optimizer, others: Optimizer) => (_: string, isMatrix: boolean) =>
  isMatrix ? optimizer : others;
const betas = { beta1: 0.9, beta2: 0.95 };
const isInBlock = (name: string): boolean => name.startsWith("layers.");
const vectors = adamW(betas);
const decayed = adamW({ ...betas, weightDecay: 0.1 });
const block = muon({ rate: 2, weightDecay: 0.1 });

// natural tolerances (five of them are allowed): of losses, of norms, of weights; the last: how many elements of a weight may differ, where one sign that turns moves one by twice the rate
const runs: [string, [number, number, number], (name: string, isMatrix: boolean) => Optimizer, number][] = [
  ["adamw", [4.9e-7, 1.2e-7, 1.6e-5], matrices(decayed, vectors), 0],
  ["muon", [4.9e-7, 1.8e-7, 1.2e-6], (name, isMatrix) => (!isMatrix ? vectors : isInBlock(name) ? block : decayed), 0],
  ["lion", [2.9e-6, 6.3e-6, 1e-6], matrices(lion({ weightDecay: 0.1 }), lion()), 4],
];
for (const [name, [ofLoss, ofNorm, ofWeights], optimizerOf, but] of runs) {
  test(`${name}: losses, norms and weights of six steps`, async () => {
    const trace = await data(name);
    await using trainer = await open(optimizerOf);
    for (let step = 0; step < STEPS; step++) {
      const batch = batchOf(trace.tokens.i32.subarray(step * B * (T + 1)));
      const { loss, norm } = await trainer.accumulate([batch]);
      assertClose([loss], [trace.loss.f32[step]], 5 * ofLoss, `loss ${step}`);
      assertClose([norm / trace.grad_norm.f32[step]], [1], 5 * ofNorm, `norm ${step}`);
      if (name === "adamw" && step === 0) {
        for (const parameter of model.parameters.keys()) {
          const mean = trainer.states[`gradient.${parameter}`].map((sum) => sum / (B * T));
          assertClose(mean, trace[`grad1.${nameInTrace(parameter)}`].f32, 5 * 8.6e-8, `gradient of ${parameter}`);
        }
      }
      await trainer.apply(trace.lr.f32[step], Math.min(1, 1 / (norm + 1e-6)));
    }
    for (const parameter of model.parameters.keys()) {
      const expected = trace[`final.${nameInTrace(parameter)}`].f32;
      assertClose(trainer.states[`weights.${parameter}`], expected, 5 * ofWeights, parameter, but);
    }
    const last = batchOf(trace.tokens.i32.subarray((STEPS - 1) * B * (T + 1)));
    const { loss } = await trainer.accumulate([last]);
    assertClose([loss], [trace.loss_after.f32[0]], 5 * ofLoss, "loss after");
  });
}

test("accumulated micro-batches are normalised by the targets of all of them", async () => {
  const trace = await data("grad_accumulation");
  const [batches, rows] = [4, 2 * T];
  await using trainer = await open(() => vectors, rows);
  const { loss } = await trainer.accumulate(
    Array.from({ length: batches }, (_, n): MicroBatch => {
      const labels = trace.labels.i32.subarray(n * rows, (n + 1) * rows);
      const outputs = [...labels.keys()].filter((i) => labels[i] >= 0);
      return {
        ids: trace.tokens.i32.subarray(n * rows, (n + 1) * rows),
        positions: Int32Array.from({ length: rows }, (_, i) => i % T),
        starts: Int32Array.from({ length: rows }, (_, i) => i - (i % T)),
        outputRows: Int32Array.from(outputs),
        targets: Int32Array.from(outputs, (i) => labels[i]),
        weights: new Float32Array(outputs.length).fill(1),
      };
    }),
  );
  assertClose([loss], [trace.loss.f32[0]], 5 * 1.6e-7, "loss");
  assert.ok(Math.abs(loss - trace.mean_of_means.f32[0]) > 1e-3, "the wrong normalisation must differ");
  const count = trace.micro_count.i32.reduce((a, b) => a + b);
  for (const parameter of model.parameters.keys()) {
    const mean = trainer.states[`gradient.${parameter}`].map((sum) => sum / count);
    assertClose(mean, trace[`grad.${nameInTrace(parameter)}`].f32, 5 * 7.9e-8, `gradient of ${parameter}`);
  }
});

const slow = adafactor({ weightDecay: 0.1 });
const fixed: readonly [string, Optimizer, number, (readonly number[])?][] = [
  ["sgd", sgd(), 0.1],
  ["sgd_momentum", sgd({ momentum: 0.9, weightDecay: 0.01 }), 0.05],
  ["sgd_nesterov", sgd({ momentum: 0.9, nesterov: true }), 0.05],
  ["sgd_dampening", sgd({ momentum: 0.9, dampening: 0.5 }), 0.05],
  ["adamw", adamW({ ...betas, weightDecay: 0.1 }), 0.01],
  ["adafactor_matrix", slow, 0.5],
  ["adafactor_vector", slow, 0.5, [15]],
];
for (const [name, optimizer, rate, shape = [5, 3]] of fixed) {
  test(`${name} on fixed gradients`, async () => {
    const trace = { ...(await data("optimizers")), ...(await data("adafactor")) };
    const weight = state("w", shape, "f32");
    const effects = optimizer.update({
      name: "w",
      weight,
      gradient: input("g", shape, "f32"),
      moment: (part, its = shape) => moments.get(part) ?? moments.set(part, state(part, its, "f32")).get(part)!,
      scalar: (part) => scalars.get(part) ?? scalars.set(part, input(part, [1], "f32")).get(part)!,
    });
    await using opened = await referenceExecutor.open(noStore, { update: graph({}, effects) });
    opened.states.w.set(trace.p0.f32);
    const { update } = opened.programs;
    for (let step = 1; step <= 8; step++) {
      update.inputs.g.set(trace.grads.f32.subarray((step - 1) * 15, step * 15));
      for (const [part, value] of Object.entries(optimizer.scalars(step, rate))) update.inputs[part][0] = value;
      await update.run({});
      assertClose(
        opened.states.w,
        trace[`p.${name}`].f32.subarray((step - 1) * 15, step * 15),
        5 * 9.2e-7,
        `step ${step}`,
      );
    }
  });
  const [moments, scalars] = [new Map<string, ReturnType<typeof state>>(), new Map<string, ReturnType<typeof input>>()];
}

for (const form of ["square", "tall", "wide"]) {
  test(`Muon's iteration of a ${form} matrix`, async () => {
    const trace = await data("optimizers");
    const given = trace[`ns_in.${form}`];
    const x = input("x", [...given.shape], "f32");
    await using opened = await referenceExecutor.open(noStore, { go: graph({ y: orthogonal(x, 5) }) });
    opened.programs.go.inputs.x.set(given.f32);
    await opened.programs.go.run({});
    assertClose(opened.programs.go.outputs.y, trace[`ns_out.${form}`].f32, 5e-6, form);
  });
}

const schedules: Readonly<Record<string, [Schedule, number]>> = {
  cosine: [{ steps: 100, warmup: 10, decay: "cosine", least: 0.1 }, 1],
  constant_warmup: [{ steps: 100, warmup: 10, decay: "constant" }, 1],
  wsd: [{ steps: 100, warmup: 10, decay: "linear", decaySteps: 20 }, 1],
  noam: [{ steps: 100, warmup: 10, decay: "inverseSqrt" }, Math.sqrt(10)], // ours peaks at 1
};
for (const [name, [schedule, peak]] of Object.entries(schedules)) {
  test(`the schedule ${name}`, async () => {
    const { [name]: trace } = await data("schedules");
    const found = Array.from(trace.f32, (_, step) => rateAt(schedule, step) / peak);
    assertClose(found, trace.f32, 2e-7, name);
  });
}
