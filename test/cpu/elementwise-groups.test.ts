// Values that are computed element by element in one step: random graphs of functions, sums and states, whose steps give
// what the reference gives for each op by itself; and that what should be one step is one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lower } from "../../src/device/cpu/lower.ts";
import type { Executor } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import {
  type Graph,
  type Tensor,
  add,
  assign,
  gradients,
  graph,
  input,
  linear,
  maximum,
  minimum,
  multiply,
  sameShape,
  scale,
  sigmoid,
  state,
  subtract,
  sumAll,
  sumColumns,
  sumRows,
  tanh,
} from "../../src/graph/index.ts";
import { wasmMachine } from "../../src/lanes/index.ts";
import { newModel } from "../../src/models/index.ts";
import { adamW } from "../../src/train/optimizers/adamw.ts";
import { trainingPrograms } from "../../src/train/programs.ts";
import { memoryStore, randomBits, randomFloats } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const SEEDS = 20;
const COLUMNS = 37;
const ROWS = { name: "rows", bound: 20 };
/** Of numbers that many sums of f32 have gone into, as a share of the largest. */
const TOLERANCE = 1e-4;

/** A graph of values of all shapes that repeat into (rows, columns); states are read, assigned, and read again. */
function randomGraph(seed: number): Graph {
  const bits = randomBits(seed);
  for (let i = 0; i < 8; i++) bits(); // the first ones of small seeds are alike
  const below = (n: number): number => bits() % n;
  const one = <T>(list: readonly T[]): T => list[below(list.length)];
  const wide = ["a", "b"].map((name) => input(name, [ROWS, COLUMNS], "f32"));
  const values: Record<"wide" | "row" | "column" | "one", Tensor[]> = {
    wide,
    row: [input("row", [COLUMNS], "f32"), state("s", [COLUMNS], "f32"), state("t", [COLUMNS], "f32")],
    column: [input("column", [ROWS, 1], "f32")],
    one: [input("one", [1], "f32")],
  };
  const shapes = Object.keys(values) as (keyof typeof values)[];
  const effects: Tensor[] = [];
  const fresh = (): Tensor[] => Object.values(values).flatMap((list) => list.filter(({ op }) => op.result === "fresh"));
  for (let turn = 12 + below(12); turn > 0; turn--) {
    const shape = one(shapes);
    const [x, y] = [one(values[shape]), one(values[shape])];
    const kinds: (() => Tensor)[] = [
      () => one([sigmoid, tanh, (it: Tensor) => scale(it, 0.7)])(x),
      () => one([add, subtract, multiply, maximum, minimum])(x, y),
      () => one([add, subtract, multiply])(one(wide), one(values[one(shapes)])),
      () => one([sumRows, sumColumns, sumAll])(tanh(one(values.wide))),
    ];
    const value = one(kinds)();
    const list = values[shapes.find((name) => sameShape(values[name][0].shape, value.shape)) as keyof typeof values];
    list.push(value);
    if (list !== values.row || below(2) === 0) continue;
    const at = values.row.findIndex(({ op }) => op.result !== "fresh" && op.name !== "input");
    const place = values.row[at];
    values.row.splice(at, 1); // what was overwritten cannot be read
    const written = assign(place, value);
    values.row.push(written);
    effects.push(written);
  }
  const chosen = fresh().filter((_, i, all) => i === all.length - 1 || below(4) === 0);
  return graph(Object.fromEntries(chosen.map((value, i) => [`v${i}`, value])), effects);
}

async function run(executor: Executor, program: Graph, threads: number): Promise<Map<string, Float32Array>> {
  await using opened = await executor.open(memoryStore({}), { program }, { threads });
  const { inputs, outputs } = opened.programs.program;
  for (const [i, values] of Object.values(inputs).entries()) values.set(randomFloats(i, values.length));
  for (const [i, values] of Object.values(opened.states).entries()) values.set(randomFloats(9 + i, values.length));
  for (let turn = 0; turn < 2; turn++) await opened.programs.program.run({ rows: ROWS.bound });
  return new Map([...Object.entries(outputs), ...Object.entries(opened.states)].map(([name, x]) => [name, x.slice()]));
}

describe("values computed element by element", () => {
  const tiers = cpuTiers();
  const executors = [...new Set([tiers[0], tiers.at(-1)!])];
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`of random graph ${seed} are what the reference gives`, async () => {
      const program = randomGraph(seed);
      const expected = await run(referenceExecutor, program, 1);
      for (const executor of executors) {
        const found = await run(executor, program, 2);
        for (const [name, values] of expected) {
          const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
          for (const [i, value] of values.entries()) {
            const got = found.get(name)![i];
            assert.ok(
              Math.abs(got - value) <= TOLERANCE * most,
              `${executor.tier} ${name}[${i}]: ${got}, not ${value}`,
            );
          }
        }
      }
    });
  }
});

describe("steps of training", () => {
  const stepsOf = async (program: Graph) =>
    (await lower(program, { machine: wasmMachine, parameters: new Map(), precision: "f32" })).steps;
  const rows = { name: "rows", bound: 30 };

  it("an AdamW update of a weight is one, which also empties its gradient", async () => {
    const model = newModel({
      model_type: "llama",
      vocab_size: 24,
      hidden_size: 16,
      intermediate_size: 24,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      max_position_embeddings: 16,
    });
    const optimizer = adamW();
    const { graphs } = trainingPrograms(model, { rows: 8, targets: 8, optimizerOf: () => optimizer });
    const updates = await stepsOf(graphs.update);
    assert.equal(updates.length, model.parameters.size + 1); // and the loss is emptied
    for (const { kernel } of updates) assert.match(kernel.name, /^map /);
  });

  it("a weight's gradient is added to what the state has by the product that makes it, where it arises", async () => {
    const [x, w, v] = [input("x", [rows, 12], "f32"), state("w", [5, 12], "f32"), state("v", [7, 5], "f32")];
    const loss = sumAll(linear(tanh(linear(x, w)), v));
    const effects = gradients(loss, [w, v]).map((gradient, i) => {
      const sum = state(`sum${i}`, gradient.shape, "f32");
      return assign(sum, add(sum, gradient));
    });
    const products = (await stepsOf(graph({}, effects))).filter(({ kernel }) => kernel.name.startsWith("gemm.f32"));
    const taken = products.filter(({ words }) => words.residual !== 0);
    assert.equal(taken.length, 2);
    for (const { words } of taken) assert.equal(words.out, words.residual);
    assert.ok(products.indexOf(taken[0]) < products.length - 1, "the first is there before the last product");
  });

  it("what several products read is packed once", async () => {
    const [x, w, v] = [input("x", [rows, 12], "f32"), state("w", [5, 12], "f32"), state("v", [7, 12], "f32")];
    const names = (await stepsOf(graph({ y: linear(x, w), z: linear(x, v) }))).map(({ kernel }) => kernel.name);
    assert.equal(names.filter((name) => name.startsWith("gemm.pack")).length, 3);
  });
});
