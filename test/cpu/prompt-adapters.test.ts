// Adapters beside a prompt's products, with tiles and without: where all rows choose one, as where each row chooses for
// itself, but for what tiles round; and rows that choose none are as those of a model without adapters.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Executor } from "../../src/device/executor.ts";
import { type Graph, type Tensor, add, gatherMatmul, graph, input, linear, multiply } from "../../src/graph/index.ts";
import { parameter, rmsNorm, silu, state } from "../../src/graph/index.ts";
import { type TestParameter, memoryStore, randomFloats, randomParameter } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const [ADAPTERS, ROWS, BOUND] = [2, 37, 64];
/** Outputs and columns: two blocks of columns, outputs that leave tails, pairs of groups for the gate. */
const shapes = { query: [80, 288], key: [24, 288], value: [33, 288], gate: [64, 288], up: [64, 288], down: [288, 64] };
type Name = keyof typeof shapes;
const parameters: Record<string, TestParameter> = {
  gain: randomParameter(1, "f32", 1, 288),
  bias: randomParameter(2, "f32", 1, 80),
  ...Object.fromEntries(
    Object.entries(shapes).map(([name, [outer, inner]], i) => [name, randomParameter(3 + i, "q8_0", outer, inner)]),
  ),
};
const rows = { name: "rows", bound: BOUND };

/** Some products of one norm, and a feed-forward part; `choices`: how many there are, undefined: of a model without adapters. */
function layer(rank: number, choices: "one" | "each" | undefined): Graph {
  const chosen = input("choices", [choices === "one" ? 1 : rows], "i32");
  const product = (x: Tensor, name: Name, bias?: Tensor): Tensor => {
    const [outer, inner] = shapes[name];
    const y = linear(x, parameter(name, [outer, inner]), bias);
    if (choices === undefined) return y;
    const low = gatherMatmul(x, state(`${name}.a`, [ADAPTERS * inner, rank], "f32"), chosen);
    return gatherMatmul(low, state(`${name}.b`, [ADAPTERS * rank, outer], "f32"), chosen, y);
  };
  const h = input("h", [rows, 288], "f32");
  const gain = parameter("gain", [288]);
  const n = rmsNorm(h, gain, 1e-6);
  const [query, key, value] = [product(n, "query", parameter("bias", [80])), product(n, "key"), product(n, "value")];
  const m = rmsNorm(h, gain, 1e-5);
  const fed = multiply(silu(product(m, "gate")), product(m, "up"));
  return graph({ query, key, value, y: add(h, product(fed, "down")) });
}

type Outputs = Readonly<Record<string, Float32Array>>;

async function openLayer(executor: Executor, rank: number, threads: number) {
  const graphs = { one: layer(rank, "one"), each: layer(rank, "each"), none: layer(rank, undefined) };
  const opened = await executor.open(memoryStore(parameters), graphs, { threads, precision: "fast" });
  for (const [i, values] of Object.values(opened.states).entries()) {
    values.set(randomFloats(20 + i, values.length).map((value) => value / 4));
  }
  return {
    async run(name: keyof typeof graphs, choice: number): Promise<Outputs> {
      const program = opened.programs[name];
      const { inputs, outputs } = program;
      inputs.h.fill(0).set(randomFloats(9, ROWS * 288));
      inputs.choices?.fill(choice);
      await program.run({ rows: ROWS });
      const ofRun = Object.entries(outputs).map(([output, values]) => {
        return [output, values.slice(0, (values.length / BOUND) * ROWS)] as const;
      });
      return Object.fromEntries(ofRun);
    },
    [Symbol.asyncDispose]: () => opened.close(),
  };
}

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const farthest = (a: Float32Array, b: Float32Array): number => largest(a.map((value, i) => value - b[i])) / largest(b);

/** Tiles round both factors of each of an adapter's products to bf16; what is gated goes through two such products and a third. */
const rounding = (output: string): number => (output === "y" ? 2 ** -6 : 2 ** -7);

// the best has tiles where the machine does; the next has none
for (const executor of cpuTiers().slice(0, 2)) {
  describe(`adapters beside a prompt's products on ${executor.tier}`, () => {
    for (const rank of [16, 48]) {
      it(`of rank ${rank} are as those that each row chooses, and none is none`, async () => {
        await using opened = await openLayer(executor, rank, 1);
        await using others = await openLayer(executor, rank, 3);
        const none = await opened.run("none", 0);
        const chosenNone = await opened.run("one", 0);
        for (const name of Object.keys(none)) {
          const apart = farthest(chosenNone[name], none[name]);
          assert.ok(apart < rounding(name), `${name} with no adapter differs by ${apart}`);
        }
        for (const choice of [1, 2]) {
          const [one, each] = [await opened.run("one", choice), await opened.run("each", choice)];
          const shared = await others.run("one", choice);
          for (const name of Object.keys(none)) {
            const [apart, changed] = [farthest(one[name], each[name]), farthest(none[name], each[name])];
            assert.equal(farthest(shared[name], one[name]), 0, `${name} with 1 and 3 threads`);
            assert.ok(changed > 0.05, `adapter ${choice} changes ${name} by ${changed}`);
            assert.ok(
              apart < rounding(name) * Math.min(1, changed),
              `${name} with adapter ${choice} differs by ${apart}`,
            );
          }
        }
      });
    }
  });
}
