// Speed of products of two computed matrices (src/device/cpu/gemm.ts), random data: 10^9 operations a second of the product
// alone and with the packing of both operands, and the share of what the machine does at most, measured beside it. Other
// work shares the cores, so every number is the best of many short runs. With --python, also the ratio to torch.matmul
// on as many threads, the two sides alternating: ours from f32 with packing, theirs of bf16 from and to bf16.
// Run: node bench/gemm.ts [--tiers amx,avx2] [--roundings f32,bf16] [--threads 2] [--ms 400] [--transposed a|b]
//      [--python PYTHON, which has torch] [--shapes 512x512x512,4096x768x3072] (M x K x N)
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Gemm, gemmSteps } from "../src/device/cpu/gemm.ts";
import { KernelRun, type KernelStep } from "../src/device/cpu/kernel-run.ts";
import { type Place, type Step, valueOf } from "../src/device/cpu/step.ts";
import { type Tier, findTier, parseTier, tierNames } from "../src/device/cpu/tiers.ts";
import { type Peaks, measurePeaks } from "../src/eval/machine-speed.ts";

const { values } = parseArgs({
  options: {
    tiers: { type: "string" },
    roundings: { type: "string", default: "f32,bf16" },
    shapes: { type: "string", default: "512x512x512,1024x1024x1024,2048x2048x2048,4096x768x3072,4096x3072x768" },
    transposed: { type: "string" },
    python: { type: "string" },
    threads: { type: "string", default: "2" },
    ms: { type: "string", default: "400" },
  },
});
const threads = Number(values.threads);
const transpositions = values.transposed === undefined ? [undefined, "a", "b"] : [values.transposed];
const ALIGNMENT = 64;

/** The other side, gemm-torch.py: gives the milliseconds of one product. */
interface Peer {
  readonly version: string;
  run(task: string): Promise<number>;
  close(): void;
}

async function startTorch(python: string): Promise<Peer> {
  const child = spawn(python, [`${import.meta.dirname}/gemm-torch.py`], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line: string | number): Promise<string> => {
    child.stdin.write(`${line}\n`);
    const answer = await answers.next();
    if (answer.done) throw new Error(`torch ended: is it installed for ${python}?`);
    return answer.value;
  };
  const version = await ask(threads);
  return { version, run: async (task) => Number(await ask(task)), close: () => void child.stdin.end() };
}

const place = (name: string): Place => ({ kind: "plain", name });

/** The first runs wait for threads to start and for code. */
const RUNS_LEAST = 5;
/** A side's runs before the other's turn: the first ones find the caches as the other left them. */
const TURN_RUNS = 3;

/** Milliseconds of the fastest of as many runs as fit the time. */
async function best(run: () => Promise<void>): Promise<number> {
  let least = Infinity;
  const until = performance.now() + Number(values.ms);
  for (let i = 0; i < RUNS_LEAST || performance.now() < until; i++) {
    const from = performance.now();
    await run();
    least = Math.min(least, performance.now() - from);
  }
  return least;
}

/** Numbers in (-1, 1), no two alike: zeros are multiplied at less cost. */
function fill(floats: Float32Array): void {
  let state = 1;
  for (let i = 0; i < floats.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    floats[i] = state / 2 ** 31;
  }
}

/** Of as many rounds as fit the time: the fastest of both sides. */
async function compare(run: () => Promise<void>, peer: Peer, task: string): Promise<string> {
  let [ours, theirs] = [Infinity, Infinity];
  const until = performance.now() + 2 * Number(values.ms);
  for (let i = 0; i < RUNS_LEAST || performance.now() < until; i++) {
    for (let turn = 0; turn < TURN_RUNS; turn++) {
      const from = performance.now();
      await run();
      ours = Math.min(ours, performance.now() - from);
    }
    for (let turn = 0; turn < TURN_RUNS; turn++) theirs = Math.min(theirs, await peer.run(task));
  }
  return `${ours.toFixed(2)} ms, torch ${peer.version} ${theirs.toFixed(2)} ms, ratio ${(theirs / ours).toFixed(2)}`;
}

async function measure(tier: Tier, gemm: Gemm, peak: number, peer: Peer | undefined): Promise<void> {
  const [rows, columns, outer] = [gemm.rows, gemm.columns, gemm.outer] as number[];
  let bytes = 0;
  const offsets = new Map<string | number, number>();
  const reserve = (name: string | number, size: number): void => {
    offsets.set(name, bytes);
    bytes = Math.ceil((bytes + size + ALIGNMENT) / ALIGNMENT) * ALIGNMENT;
  };
  reserve("a", rows * columns * 4);
  reserve("b", columns * outer * 4);
  const inputBytes = bytes;
  reserve("out", rows * outer * 4);
  let temporaries = 0;
  const steps = gemmSteps(gemm, tier.machine, (size) => {
    reserve(temporaries, size);
    return { place: { kind: "arena", index: temporaries++ }, isNew: true };
  });
  const kernels = [...new Set(steps.map(({ kernel }) => kernel))];
  await using block = new KernelRun({ tier, kernels, threads, bytes });
  fill(new Float32Array(block.data.buffer, block.data.byteOffset, inputBytes / 4));
  const stepOf = ({ kernel, words, parts }: Step): KernelStep => {
    const record = Object.entries(words).map(([name, word]) => {
      if (typeof word === "number") return [name, word];
      if (!("kind" in word)) return [name, valueOf(word, {})];
      return [name, block.address + offsets.get(word.kind === "arena" ? word.index : word.name)!];
    });
    return { kernel, values: Object.fromEntries(record), parts: parts({}) };
  };
  const program = steps.map(stepOf);
  const times: number[] = [];
  for (const step of program) times.push(await best(() => block.runSteps([step])));
  const allMs = await best(() => block.runSteps(program));
  const show = (ms: number): string => {
    const speed = (2 * rows * columns * outer) / ms / 1e6;
    return `${speed.toFixed(0)} = ${((100 * speed) / peak).toFixed(0)} %`;
  };
  const which = `${tier.name} ${gemm.rounding} ${rows}x${columns}x${outer} ${gemm.transposed ?? "-"}`;
  const packing = times.slice(0, 2).map((ms) => ms.toFixed(2));
  console.log(`${which}: GOP/s ${show(times[2])}, with packing: ${show(allMs)} (${packing.join(" + ")} ms)`);
  if (peer === undefined) return;
  const task = `${gemm.rounding} ${rows} ${columns} ${outer} ${gemm.transposed ?? "-"}`;
  console.log(`${which}, packed and multiplied: ${await compare(() => block.runSteps(program), peer, task)}`);
}

const peer = values.python === undefined ? undefined : await startTorch(values.python);
for (const name of values.tiers?.split(",").map((name) => parseTier(name, "--tiers")) ?? tierNames) {
  const tier = findTier(name);
  if (typeof tier === "string") {
    console.log(`${name}: ${tier}`);
    continue;
  }
  const peaks: Peaks = await measurePeaks(tier, threads);
  console.log(`${name}: at most f32 ${peaks.f32}, bf16 ${peaks.bf16 ?? "-"} GOP/s`);
  for (const rounding of values.roundings.split(",") as Gemm["rounding"][]) {
    const peak = (rounding === "bf16" ? peaks.bf16 : undefined) ?? peaks.f32;
    for (const shape of values.shapes.split(",")) {
      const [rows, columns, outer] = shape.split("x").map(Number);
      for (const transposed of transpositions as Gemm["transposed"][]) {
        const places = { a: place("a"), b: place("b"), out: place("out") };
        await measure(tier, { rows, columns, outer, ...places, transposed, rounding }, peak, peer);
      }
    }
  }
}
peer?.close();
