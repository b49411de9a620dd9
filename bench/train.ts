// Speed of training (src/train/training-speed.ts, `liang bench --train`). Prints one line of JSON. With --profile also where the
// time of a step goes, by kernel, on one thread (step-profile.ts). With --python also the same model in PyTorch, in each mode
// of train-torch.py that is asked for, and the ratio. LIANG_CPU forces a tier.
// Run: node bench/train.ts [--precision fast|f32] [--threads 2] [--steps 5] [--batch 16] [--profile]
//      [--python PYTHON, which has torch] [--modes f32,bf16,compiled]
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { createCpuExecutor } from "../src/device/cpu/executor.ts";
import { openModel } from "../src/device/cpu/open-model.ts";
import { tierInUse } from "../src/device/cpu/tiers.ts";
import type { Executor } from "../src/device/executor.ts";
import { measureTraining } from "../src/train/training-speed.ts";
import { showProfile, spyOn } from "./step-profile.ts";

const { values } = parseArgs({
  options: {
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
const [threads, steps, documents] = [values.threads, values.steps, values.batch].map(Number);
const spy = spyOn(tierInUse());
const executor: Executor = {
  ...createCpuExecutor({}),
  open: async (store, graphs, options) => spy.watch(await openModel(spy.tier, store, graphs, options)),
};
const speed = await measureTraining({
  executor,
  threads,
  precision: values.precision as "fast" | "f32",
  steps,
  documents,
  onMeasured() {
    if (!values.profile) return;
    for (const [name, times] of spy.profile(Number(values.rounds))) showProfile(`${executor.tier} ${name}`, times);
  },
});
console.log(JSON.stringify(speed));
for (const mode of values.python === undefined ? [] : values.modes.split(",")) {
  const program = [`${import.meta.dirname}/train-torch.py`, ...[threads, steps, documents].map(String), mode];
  const peer = JSON.parse(execFileSync(values.python as string, program, { encoding: "utf8" })) as {
    tokens_per_s: number;
  };
  console.log(
    JSON.stringify({ peer: "torch", ...peer, ratio: Number((speed.tokens_per_s / peer.tokens_per_s).toFixed(2)) }),
  );
}
