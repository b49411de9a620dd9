// Every kernel's machine code, for every x64 machine, in the emulator against the interpreter, byte by byte: ops, products
// by weights of every format, and whole models in the mixtures of formats that files have. No processor is asked, so
// tiles and AVX-512 are checked wherever this runs.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Executor, InputArray } from "../../src/device/executor.ts";
import { type ExtentValues, type Graph, graph, input, linear, parameter } from "../../src/graph/index.ts";
import type { X64Tier } from "../../src/lanes/x64/machines.ts";
import { type FormatName, formats } from "../../src/numeric/registry.ts";
import { mixture, trials as expertTrials } from "../cpu/expert-trials.ts";
import { attentionTrial, trials as allTrials, weights as opWeights } from "../cpu/op-trials.ts";
import { runGemm } from "../cpu/gemm-runner.ts";
import { roundedTrials, trainingTrials } from "../cpu/training-trials.ts";
import { interpreted } from "../cpu/machines.ts";
import { type TestParameter, memoryStore, randomFloats, randomParameter } from "../cpu/stores.ts";
import { createRunner } from "../families/runner.ts";
import { emulatedMachine } from "./emulated-machine.ts";
import { createLockstepExecutor } from "./lockstep.ts";
import { type MachineCode, allMachines } from "./machine-code.ts";
import { type FamilyName, smallModel } from "./models.ts";

/** Attention over keys enough for whole and broken blocks; the trials of all ops have more than is needed here. */
const attention = (["f32", "f16"] as const).flatMap((type) => [
  attentionTrial({ heads: 6, kvHeads: 2, headSize: 10, pageSize: 4, lengths: [19, 3, 8], type }),
  attentionTrial({ heads: 2, kvHeads: 1, headSize: 64, pageSize: 32, lengths: [37], type, window: 30 }),
  attentionTrial({ heads: 2, kvHeads: 2, headSize: 16, pageSize: 8, lengths: [21], type, softCap: 5, size: 4 }),
]);
const opTrials = {
  ...Object.fromEntries(Object.entries(allTrials).filter(([name]) => !name.startsWith("attention"))),
  attention,
};

/** All but the large ones, whose kernels small ones have too. */
const NUMBERS_MOST = 4000;
const small = <T extends Pick<Trial, "inputs">>(trials: readonly T[]): T[] =>
  trials.filter(({ inputs }) => Object.values(inputs).reduce((sum, { length }) => sum + length, 0) <= NUMBERS_MOST);
const training = Object.entries({ ...trainingTrials, "rounded to bf16": roundedTrials }).map(
  ([name, trials]) => [`training, ${name}`, small(trials)] as const,
);

/** Mixtures of experts: what they are made of, and each kind of product of a few rows and of many. */
const { "chosen experts": _, ...partsOfExperts } = expertTrials;
const experts = [
  ...small(Object.values(partsOfExperts).flat()),
  ...(["f32", "bf16", "q8_0"] as const).flatMap((format) =>
    [
      { bound: 8, rows: 3 },
      { bound: 40, rows: 10 },
    ].map((run) => mixture({ experts: 3, count: 2, width: 64, forward: 32, format, ...run }, true)),
  ),
];

interface Trial {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, InputArray>>;
  readonly extents: ExtentValues;
}

/** Runs trials over weights that they share. */
async function runAll(
  executor: Executor,
  weights: Readonly<Record<string, TestParameter>>,
  trials: readonly Trial[],
): Promise<void> {
  const graphs = Object.fromEntries(trials.map(({ graph }, i) => [`trial ${i}`, graph]));
  await using opened = await executor.open(memoryStore(weights), graphs);
  for (const [i, { inputs, extents }] of trials.entries()) {
    const program = opened.programs[`trial ${i}`];
    for (const [name, values] of Object.entries(program.inputs)) values.set(inputs[name]);
    await program.run(extents);
  }
}

const names = [
  ...(["f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "mxfp4"] as const),
  ...(["q4_k", "q5_k", "q6_k", "iq4_xs"] as const),
];

/** Outputs and columns that leave tails; few rows (decode) and many (prompt), with and without a bias. */
function productsBy(format: FormatName): { weights: Record<string, TestParameter>; trials: Trial[] } {
  const { blockSize } = formats[format];
  const columns = blockSize === 256 ? 512 : blockSize > 1 ? 96 : 70;
  const outer = 21;
  const weights = {
    weight: randomParameter(3, format, outer, columns),
    bias: randomParameter(4, "f32", 1, outer),
  };
  const trials = [
    { bound: 8, rows: 3, bias: true },
    { bound: 40, rows: 10, bias: false },
  ].map(({ bound, rows, bias }) => {
    const x = input("x", [{ name: "rows", bound }, columns], "f32");
    const y = linear(x, parameter("weight", [outer, columns]), bias ? parameter("bias", [outer]) : undefined);
    return { graph: graph({ y }), inputs: { x: randomFloats(5, rows * columns) }, extents: { rows } };
  });
  return { weights, trials };
}

interface Mixture {
  readonly family: FamilyName;
  readonly kvType: "f32" | "f16";
  /** Of a matrix, by its name. */
  readonly formatOf: (matrix: string) => FormatName;
  /** Tiers that run it: what is put together differs by tier, kernels of each format do not need a whole model. */
  readonly tiers: RegExp;
}

/** Formats as in files of their kind, where some layers' are finer. */
const mixtures: Readonly<Record<string, Mixture>> = {
  "qwen2, Q4_K_M": {
    family: "qwen2",
    kvType: "f16",
    formatOf: (name) => (/v_proj|down_proj|embed/.test(name) ? "q6_k" : "q4_k"),
    tiers: /./,
  },
  "gemma3, Q5_0 and Q8_0": {
    family: "gemma3_text",
    kvType: "f16",
    formatOf: (name) => (/v_proj|embed/.test(name) ? "q8_0" : name.includes("down") ? "q4_k" : "q5_0"),
    tiers: /^(amx|avxvnni)$/,
  },
  "qwen2, bf16": { family: "qwen2", kvType: "f32", formatOf: () => "bf16", tiers: /^(amx|avx2)$/ },
};

async function runModel(executor: Executor, { family, formatOf, kvType }: Mixture): Promise<void> {
  const { model, store } = smallModel(family, formatOf);
  const ids = Array.from({ length: 7 }, (_, i) => (i * 29 + 3) % model.vocabularySize);
  const prompt = await createRunner(executor, store, model, { rows: 32, kvType });
  await prompt.run([
    { sequence: 0, ids },
    { sequence: 1, ids: ids.slice(4) },
  ]);
  const decode = await createRunner(executor, store, model, { rows: 4, kvType });
  await decode.run([
    { sequence: 0, ids: [7] },
    { sequence: 1, ids: [8] },
  ]);
}

const done = new Map<string, Set<string>>();
/** What machines have done of a task. */
function doneBy(task: string): Set<string> {
  const known = done.get(task) ?? new Set();
  done.set(task, known);
  return known;
}

interface Task {
  readonly name: string;
  readonly precision: "f32" | "fast";
  readonly tiers?: RegExp;
  readonly run: (executor: Executor) => Promise<void>;
}

/** What is run with the same data by every machine. */
const tasks: Task[] = [
  ...[...Object.entries(opTrials), ...training].map(([name, trials]): Task => {
    const all = trials.map(({ outputs, inputs, extents }) => ({ graph: graph(outputs), inputs, extents }));
    return { name, precision: "fast", run: (executor) => runAll(executor, opWeights, all) };
  }),
  ...(["f32", "fast"] as const).map((precision): Task => ({
    name: `mixtures of experts, ${precision === "f32" ? "f32" : "rounded"} activations`,
    precision,
    run: (executor) =>
      runAll(
        executor,
        opWeights,
        experts.map(({ outputs, inputs, extents }) => ({ graph: graph(outputs), inputs, extents })),
      ),
  })),
  ...names.flatMap((format) => {
    const { weights, trials } = productsBy(format);
    return (["f32", "fast"] as const).map((precision): Task => {
      const name = `products by ${format}, ${precision === "f32" ? "f32" : "rounded"} activations`;
      return { name, precision, run: (executor) => runAll(executor, weights, trials) };
    });
  }),
  ...Object.entries(mixtures).map(([name, mixture]): Task => ({
    name: `a whole model, ${name}`,
    precision: "fast",
    tiers: mixture.tiers,
    run: (executor) => runModel(executor, mixture),
  })),
];

/** Products of two matrices in each transposition, which no graph is lowered to: with a tail in every dimension. */
function compareGemms(code: MachineCode): void {
  const [rows, columns, outer] = [13, 35, 37];
  const tensors = { a: randomFloats(6, rows * columns), b: randomFloats(7, columns * outer) };
  const sums = { bias: randomFloats(8, outer), residual: randomFloats(9, rows * outer) };
  for (const rounding of ["f32", "bf16"] as const) {
    for (const transposed of [undefined, "a", "b"] as const) {
      const task = { rows, columns, outer, ...tensors, ...sums, rounding, transposed, activation: "silu" } as const;
      const [expected, found] = [interpreted(code.machine), emulatedMachine(code)].map((machine) =>
        runGemm(machine, task, rows * outer),
      );
      assert.deepEqual(found, expected, `${rounding}, transposed: ${transposed}`);
    }
  }
}

/** Every task on the machines of these tiers, and some of them as code for Windows on the first; gives the machines. */
export function kernelSuite(tiers: readonly X64Tier[]): MachineCode[] {
  const machines = allMachines().filter(({ tier }) => tiers.includes(tier as X64Tier));
  assert.equal(machines.length, tiers.length);
  for (const code of machines) {
    describe(`machine code of ${code.tier} equals the interpreter`, () => {
      it("products of two matrices", () => compareGemms(code));
      for (const { name, precision, tiers, run } of tasks) {
        if (tiers?.test(code.tier) === false) continue;
        it(name, () => run(createLockstepExecutor(code, { precision, done: doneBy(name) })));
      }
    });
  }
  const [windows] = allMachines("windows").filter(({ tier }) => tier === tiers[0]);
  describe(`machine code of ${windows.tier} for Windows equals the interpreter and gives registers back`, () => {
    for (const { name, precision, run } of tasks.filter(({ name }) => /q6_k|^attention/.test(name))) {
      it(name, () => run(createLockstepExecutor(windows, { precision, done: new Set() })));
    }
  });
  return machines;
}
