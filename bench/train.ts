// Speed of training: whole steps (forward, backward, AdamW) of a GPT of 13.9 million parameters (V 8192, C 384, 6 layers, 6
// heads, 16 documents of 256 tokens) on random ids. Prints one line of JSON; gflops is 6 x parameters x tokens a second,
// a tied table once, attention not counted, as of the peak measured in the same run. With --profile also where the time
// of a step goes, by kernel, on one thread (step-profile.ts). With --python also the same model in PyTorch, in each mode of
// train-torch.py that is asked for, and the ratio.
// Run: node bench/train.ts [--tier amx] [--precision fast|f32] [--threads 2] [--steps 5] [--batch 16] [--profile]
//      [--python PYTHON, which has torch] [--modes f32,bf16,compiled]
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { createCpuExecutor } from "../src/device/cpu/executor.ts";
import { openModel } from "../src/device/cpu/open-model.ts";
import { chooseTier, parseTier } from "../src/device/cpu/tiers.ts";
import type { Executor, Program } from "../src/device/executor.ts";
import { measurePeaks } from "../src/eval/machine-speed.ts";
import { newModel } from "../src/models/index.ts";
import { initialiseWeights } from "../src/train/initial-weights.ts";
import { adamW } from "../src/train/optimizers/adamw.ts";
import { type MicroBatch, Trainer } from "../src/train/trainer.ts";
import { showProfile, spyOn } from "./step-profile.ts";

const { values } = parseArgs({
  options: {
    tier: { type: "string" },
    precision: { type: "string", default: "fast" },
    threads: { type: "string", default: "2" },
    steps: { type: "string", default: "5" },
    batch: { type: "string", default: "16" },
    rounds: { type: "string", default: "2" },
    profile: { type: "boolean", default: false },
    python: { type: "string" },
    modes: { type: "string", default: "compiled" },
  },
});
const VOCABULARY = 8192;
const LENGTH = 256;
const LEARNING_RATE = 3e-4;
const precision = values.precision as "fast" | "f32";
const [threads, steps, batch] = [values.threads, values.steps, values.batch].map(Number);
const rows = batch * LENGTH;

const model = newModel({
  model_type: "gpt2",
  vocab_size: VOCABULARY,
  n_positions: LENGTH,
  n_embd: 384,
  n_layer: 6,
  n_head: 6,
  tie_word_embeddings: true,
});
const chosen = values.tier === undefined ? undefined : parseTier(values.tier, "--tier");
const tier = chooseTier(chosen);
const spy = spyOn(tier);
let gradient: Program | undefined;
const executor: Executor = {
  ...createCpuExecutor({ tier: chosen }),
  async open(store, graphs, options) {
    const opened = await openModel(spy.tier, store, graphs, options);
    gradient = (opened.programs as Record<string, Program>).gradient;
    return opened;
  },
};

let state = 1;
const randomId = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 8) % VOCABULARY;
};

function randomBatch(): MicroBatch {
  const ids = Int32Array.from({ length: rows }, randomId);
  const positions = Int32Array.from({ length: rows }, (_, row) => row % LENGTH);
  return {
    ids,
    positions,
    starts: positions.map((position, row) => row - position),
    outputRows: Int32Array.from({ length: rows }, (_, row) => row),
    targets: Int32Array.from(ids, (_, row) => ids[(row + 1) % rows]),
    weights: new Float32Array(rows).fill(1),
  };
}

const noStore = { parameters: new Map(), readRows: () => Promise.reject(new Error("every weight is trained")) };
const optimizer = adamW({ weightDecay: 0.1 });
const options = { rows, targets: rows, optimizerOf: () => optimizer, threads, precision };
await using trainer = await Trainer.open(model, noStore, executor, options);
initialiseWeights(model, trainer.states, 1);
const params = [...model.parameters.values()].reduce((sum, weight) => sum + weight.rows * weight.columns, 0);

const losses: number[] = [];
let best = Infinity;
const data = randomBatch(); // the same again and again, so that the loss falls
for (let step = 0; step <= steps; step++) {
  const from = performance.now();
  const { loss } = await trainer.accumulate([data]);
  await trainer.apply(LEARNING_RATE);
  if (step > 0) best = Math.min(best, performance.now() - from);
  losses.push(loss);
}
const tokens = (1000 * rows) / best;
const peaks = await measurePeaks(tier, threads);
const isRounded = precision === "fast" && tier.machine.tiles;
const peak = (isRounded ? peaks.bf16 : undefined) ?? peaks.f32;
const gflops = (6 * params * tokens) / 1e9;
console.log(
  JSON.stringify({
    params,
    tokens_per_s: Math.round(tokens),
    gflops: Math.round(gflops),
    peak_gflops: peak,
    f32_peak_gflops: peaks.f32,
    precision: isRounded ? "bf16" : "f32",
    tier: tier.name,
    threads,
    loss_first: losses[0],
    loss_last: losses.at(-1),
  }),
);
for (const mode of values.python === undefined ? [] : values.modes.split(",")) {
  const program = [`${import.meta.dirname}/train-torch.py`, ...[threads, steps, batch].map(String), mode];
  const peer = JSON.parse(execFileSync(values.python as string, program, { encoding: "utf8" })) as {
    tokens_per_s: number;
  };
  console.log(JSON.stringify({ peer: "torch", ...peer, ratio: Number((tokens / peer.tokens_per_s).toFixed(2)) }));
}
if (values.profile) {
  await trainer.accumulate([data]);
  await trainer.apply(LEARNING_RATE);
  const rounds = Number(values.rounds);
  showProfile(`${tier.name} update`, spy.profile(rounds));
  await gradient?.run({ rows, outputRows: rows });
  showProfile(`${tier.name} gradient`, spy.profile(rounds));
}
