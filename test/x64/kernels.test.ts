// Every kernel's machine code, for every x64 machine, in the emulator against the interpreter, byte by byte: ops, products
// by weights of every format, and whole models in the mixtures of formats that files have. No processor is asked, so
// tiles and AVX-512 are checked wherever this runs.
import { describe, it } from "node:test";
import type { Executor, InputArray } from "../../src/device/executor.ts";
import { type ExtentValues, type Graph, graph, input, linear, parameter } from "../../src/graph/index.ts";
import { x64Machines } from "../../src/lanes/x64/machines.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { cpuFeatures } from "../../src/platform/native.ts";
import { trials as opTrials, weights as opWeights } from "../cpu/op-trials.ts";
import { type TestParameter, memoryStore, randomFloats, randomParameter } from "../cpu/stores.ts";
import { createRunner } from "../families/runner.ts";
import { createLockstepExecutor } from "./lockstep.ts";
import { type FamilyName, smallModel } from "./models.ts";

interface Trial {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, InputArray>>;
  readonly extents: ExtentValues;
}

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

const formats = ["f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k"] as const;

/** Outputs and columns that leave tails; few rows (decode) and many (prompt), with and without a bias. */
function productsBy(format: FormatName): { weights: Record<string, TestParameter>; trials: Trial[] } {
  const columns = format.endsWith("_k") ? 512 : format.startsWith("q") ? 96 : 70;
  const outer = 37;
  const weights = {
    weight: randomParameter(3, format, outer, columns),
    bias: randomParameter(4, "f32", 1, outer),
  };
  const trials = [
    { bound: 8, rows: 3, bias: true },
    { bound: 40, rows: 19, bias: false },
  ].map(({ bound, rows, bias }) => {
    const x = input("x", [{ name: "rows", bound }, columns], "f32");
    const y = linear(x, parameter("weight", [outer, columns]), bias ? parameter("bias", [outer]) : undefined);
    return { graph: graph({ y }), inputs: { x: randomFloats(5, rows * columns) }, extents: { rows } };
  });
  return { weights, trials };
}

/** Which formats the matrices of a file have: as in files of their kind, where some layers' are finer. */
const mixtures: Readonly<Record<string, { family: FamilyName; formatOf: (matrix: string) => FormatName }>> = {
  "qwen2, Q4_K_M": {
    family: "qwen2",
    formatOf: (name) => (/v_proj|down_proj|embed/.test(name) ? "q6_k" : "q4_k"),
  },
  "gemma3, Q5_0 and Q8_0": {
    family: "gemma3_text",
    formatOf: (name) => (/v_proj|embed/.test(name) ? "q8_0" : name.includes("down") ? "q4_k" : "q5_0"),
  },
  "qwen2, bf16": { family: "qwen2", formatOf: () => "bf16" },
};

async function runModel(executor: Executor, name: string, kvType: "f32" | "f16"): Promise<void> {
  const { family, formatOf } = mixtures[name];
  const { model, store } = smallModel(family, formatOf);
  const ids = Array.from({ length: 11 }, (_, i) => (i * 29 + 3) % model.vocabularySize);
  const prompt = await createRunner(executor, store, model, { rows: 32, kvType });
  await prompt.run([
    { sequence: 0, ids },
    { sequence: 1, ids: ids.slice(4, 9) },
  ]);
  const decode = await createRunner(executor, store, model, { rows: 4, kvType });
  for (const id of [7, 8]) {
    await decode.run([
      { sequence: 0, ids: [id] },
      { sequence: 1, ids: [id + 1] },
    ]);
  }
}

/** What a tier's instructions may need: the features without which it is not there, and avx, which avx2 is more of. */
function featuresOf(tier: string): Set<string> {
  return new Set(
    cpuFeatures.filter((feature) => {
      if (feature === "avx") return true;
      const others = new Set<string>(cpuFeatures.filter((other) => other !== feature));
      return ![...x64Machines(others).keys()].some((name) => name === tier);
    }),
  );
}

const machines = [...x64Machines(new Set(cpuFeatures))].map(([tier, machine]) => ({
  tier,
  fast: createLockstepExecutor(machine, featuresOf(tier), "fast"),
  exact: createLockstepExecutor(machine, featuresOf(tier), "f32"),
}));

for (const { tier, fast, exact } of machines) {
  describe(`machine code of ${tier} equals the interpreter`, () => {
    for (const [name, trials] of Object.entries(opTrials)) {
      it(name, () =>
        runAll(
          fast,
          opWeights,
          trials.map(({ outputs, ...trial }) => ({ ...trial, graph: graph(outputs) })),
        ),
      );
    }
    for (const format of formats) {
      const { weights, trials } = productsBy(format);
      it(`products by ${format} of f32 activations`, () => runAll(exact, weights, trials));
      if (format.startsWith("q"))
        it(`products by ${format} of rounded activations`, () => runAll(fast, weights, trials));
    }
    for (const name of Object.keys(mixtures)) {
      it(`a whole model, ${name}`, () => runModel(fast, name, name.includes("bf16") ? "f32" : "f16"));
    }
  });
}
