// Random graphs of products, gates, norms and sums, some of whose values are outputs: what the lowering computes together
// gives what the reference executor gives for each op by itself. A seed is one graph, run as a decode class and as a prompt.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DECODE_ROWS } from "../../src/device/cpu/lowering.ts";
import type { Executor, OpenOptions } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import {
  type Tensor,
  add,
  geluTanh,
  graph,
  input,
  linear,
  multiply,
  parameter,
  rmsNorm,
  silu,
} from "../../src/graph/index.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { type TestParameter, memoryStore, randomBits, randomFloats, randomParameter } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const SEEDS = 6;
const WIDTHS = [256, 512];
const FORMATS: readonly FormatName[] = ["f32", "f16", "q8_0", "q4_k"];
/** Of a prompt: more than a block of rows. */
const PROMPT_ROWS = 40;
/** Root mean square of the differences over that of the values: int8 activations lose some bits in each of many products. */
const TOLERANCE = { f32: 1e-3, fast: 0.15 };

interface RandomGraph {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly stored: Readonly<Record<string, TestParameter>>;
  readonly steps: readonly string[];
}

function randomGraph(seed: number, bound: number): RandomGraph {
  const bits = randomBits(seed);
  for (let i = 0; i < 8; i++) bits(); // the first ones of small seeds are alike
  const below = (n: number): number => bits() % n;
  const one = <T>(list: readonly T[]): T => list[below(list.length)];
  const stored: Record<string, TestParameter> = {};
  const steps: string[] = [];
  const rows = { name: "rows", bound };
  const values = WIDTHS.map((width) => input(`x${width}`, [rows, width], "f32"));

  const weight = (format: FormatName, shape: readonly number[]): Tensor => {
    const name = `w${Object.keys(stored).length}`;
    const [outer, columns] = shape.length === 1 ? [1, shape[0]] : shape;
    stored[name] = randomParameter(seed + Object.keys(stored).length, format, outer, columns);
    return parameter(name, shape);
  };
  const widthOf = (x: Tensor): number => x.shape[1] as number;
  const product = (x: Tensor, width = one(WIDTHS), format = one(FORMATS)): Tensor => {
    const biases = below(4) === 0 ? [weight("f32", [width])] : [];
    return linear(x, weight(format, [width, widthOf(x)]), ...biases);
  };
  const norm = (x: Tensor): Tensor => rmsNorm(x, weight("f32", [widthOf(x)]), 1e-5);
  const activation = (x: Tensor): Tensor => one([silu, geluTanh])(x);
  const another = (x: Tensor): Tensor => one(values.filter((value) => widthOf(value) === widthOf(x)));
  const gated = (x: Tensor): Tensor => {
    const [width, format] = [one(WIDTHS), one(FORMATS)];
    const other = one([format, one(FORMATS)]);
    return multiply(activation(product(x, width, format)), product(x, width, other));
  };
  const kinds: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    product,
    activation,
    norm,
    gated,
    activated: (x) => activation(product(x)),
    multiplied: (x) => norm(multiply(x, another(x))), // a norm, so that numbers stay near 1
    sum: (x) => add(x, another(x)),
  };
  for (let step = 6 + below(10); step > 0; step--) {
    const at = below(3) === 0 ? below(values.length) : Math.max(0, values.length - 1 - below(4));
    const kind = one(Object.keys(kinds));
    values.push(kinds[kind](values[at]));
    steps.push(`${values.length - 1} = ${kind} of ${at}`);
  }
  const isOutput = (_: Tensor, i: number): boolean => i === values.length - 1 || (i >= WIDTHS.length && below(6) === 0);
  const outputs = Object.fromEntries(values.filter(isOutput).map((value) => [`v${values.indexOf(value)}`, value]));
  return { outputs, stored, steps };
}

async function run(executor: Executor, seed: number, bound: number, rows: number, options: OpenOptions) {
  const { outputs, stored, steps } = randomGraph(seed, bound);
  await using opened = await executor.open(memoryStore(stored), { graph: graph(outputs) }, options);
  const program = opened.programs.graph;
  for (const values of Object.values(program.inputs)) values.set(randomFloats(seed, values.length));
  await program.run({ rows });
  const results = Object.entries(program.outputs).map(
    ([name, values]) => [name, values.slice(0, (values.length / bound) * rows)] as const,
  );
  return { results, steps };
}

const squares = (values: Float32Array, less?: Float32Array): number =>
  values.reduce((sum, value, i) => sum + (value - (less?.[i] ?? 0)) ** 2, 0);

describe("random graphs", () => {
  const tiers = cpuTiers();
  const executors = [...new Set([tiers[0], tiers.at(-1)!])];
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const bound of [DECODE_ROWS, PROMPT_ROWS]) {
      it(`seed ${seed} of ${bound} rows at most gives what the reference gives`, async () => {
        const rows = 1 + (seed % bound);
        const expected = await run(referenceExecutor, seed, bound, rows, {});
        for (const executor of executors) {
          for (const precision of ["f32", "fast"] as const) {
            const { results } = await run(executor, seed, bound, rows, { threads: 1, precision });
            for (const [i, [name, values]] of results.entries()) {
              const [, wanted] = expected.results[i];
              const away = Math.sqrt(squares(values, wanted) / squares(wanted));
              const what = `${executor.tier} ${precision} ${name}: ${away}; ${expected.steps.join(", ")}`;
              assert.ok(away < TOLERANCE[precision], what); // not so where it is NaN
            }
          }
        }
      });
    }
  }
});
