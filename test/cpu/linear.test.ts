// Matrix products by weights of every format, on every tier, against plain sums over the formats' own decoders: shapes
// that meet every edge, thread counts and company that must not change a byte.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Executor, OpenOptions } from "../../src/device/executor.ts";
import { type Graph, graph, input, linear, parameter } from "../../src/graph/index.ts";
import { type FormatName, formats } from "../../src/numeric/registry.ts";
import { type TestParameter, memoryStore, randomFloats, randomParameter } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const names = Object.keys(formats) as FormatName[];
const isFloat = (format: FormatName): boolean => formats[format].blockSize === 1;

interface Case {
  readonly outer: number;
  readonly columns: number;
  /** Bound of the rows: up to 8 the decode kernels, above the prompt kernels. */
  readonly bound: number;
  readonly rows: number;
  readonly bias: boolean;
}

/** Outputs, columns in blocks and rows that leave tails everywhere. */
function casesOf(format: FormatName): Case[] {
  const { blockSize } = formats[format];
  const shapes = isFloat(format)
    ? [
        [1, 1],
        [5, 7],
        [16, 64],
        [33, 30],
        [70, 257],
      ]
    : [
        [1, 1],
        [19, 3],
        [48, 2],
        [66, 10],
      ];
  const runs = [
    { bound: 1, rows: 1, bias: false },
    { bound: 8, rows: 3, bias: true },
    { bound: 64, rows: 1, bias: true },
    { bound: 64, rows: 21, bias: false },
  ];
  return shapes.flatMap(([outer, blocks]) => runs.map((run) => ({ outer, columns: blocks * blockSize, ...run })));
}

const SEED = 7;
const weightsOf = (format: FormatName, { outer, columns }: Case): TestParameter =>
  randomParameter(SEED, format, outer, columns);
const biasOf = ({ outer }: Case): TestParameter => randomParameter(SEED + 1, "f32", 1, outer);

/** y of each case, all in one open model. */
async function compute(
  executor: Executor,
  format: FormatName,
  cases: readonly Case[],
  inputs: readonly Float32Array[],
  options: OpenOptions,
): Promise<Float32Array[]> {
  const parameters: Record<string, TestParameter> = {};
  const graphs: Record<string, Graph> = {};
  for (const [i, what] of cases.entries()) {
    parameters[`w${i}`] = weightsOf(format, what);
    if (what.bias) parameters[`b${i}`] = biasOf(what);
    const x = input("x", [{ name: "rows", bound: what.bound }, what.columns], "f32");
    const bias = what.bias ? parameter(`b${i}`, [what.outer]) : undefined;
    graphs[i] = graph({ y: linear(x, parameter(`w${i}`, [what.outer, what.columns]), bias) });
  }
  await using opened = await executor.open(memoryStore(parameters), graphs, { threads: 1, ...options });
  const results: Float32Array[] = [];
  for (const [i, { rows, outer }] of cases.entries()) {
    const program = opened.programs[i];
    program.inputs.x.set(inputs[i]);
    await program.run({ rows });
    results.push(program.outputs.y.slice(0, rows * outer));
  }
  return results;
}

/** Checks outputs against f64 sums; each may be off by a share of the sum of the absolute products. */
function assertNear(format: FormatName, what: Case, x: Float32Array, y: Float32Array, share: number): void {
  const { outer, columns, rows, bias } = what;
  const weights = formats[format].decode(weightsOf(format, what).bytes, outer * columns);
  const added = bias ? new Float32Array(biasOf(what).bytes.buffer) : new Float32Array(outer);
  for (let at = 0; at < rows * outer; at++) {
    const [row, m] = [Math.floor(at / outer), at % outer];
    let sum = added[m];
    let size = Math.abs(sum);
    for (let i = 0; i < columns; i++) {
      const product = x[row * columns + i] * weights[m * columns + i];
      sum += product;
      size += Math.abs(product);
    }
    const off = Math.abs(y[at] - sum);
    assert.ok(
      off <= share * size,
      `${JSON.stringify(what)} output ${at}: ${y[at]}, expected ${sum}, off ${off / size}`,
    );
  }
}

async function check(
  executor: Executor,
  format: FormatName,
  options: OpenOptions,
  makeInput: (rows: number, columns: number) => Float32Array,
  share: (what: Case) => number,
): Promise<void> {
  const cases = casesOf(format);
  const inputs = cases.map(({ rows, columns }) => makeInput(rows, columns));
  const results = await compute(executor, format, cases, inputs, options);
  for (const [i, what] of cases.entries()) assertNear(format, what, inputs[i], results[i], share(what));
}

// one rounding an addition: in the worst case they grow with the columns, as a rule with their root
const f32Share = ({ columns }: Case): number => 2 ** -23 * (4 + 2 * Math.sqrt(columns));
/** Prompts in tiles: weights, and activations that need it, are rounded to bf16. */
const tileShare = (what: Case): number => (what.bound > 8 ? 2 ** -8 : f32Share(what));
// half a step of 1/127 of a block's largest number, which is about thrice the mean
const int8Share = (): number => (0.5 / 127) * 3;

const random = (rows: number, columns: number): Float32Array => randomFloats(rows, rows * columns);
/** Whole numbers up to 127 with a 127 in every block of 32: int8 blocks hold them exactly. */
const wholeNumbers = (rows: number, columns: number): Float32Array =>
  randomFloats(rows, rows * columns, 40).map((x, i) => (i % 32 === 5 ? 127 : Math.round(x)));

for (const executor of cpuTiers()) {
  describe(`linear on ${executor.tier}`, () => {
    for (const format of names) {
      it(`by ${format} weights and f32 activations is a f32 sum over the decoded weights`, () =>
        check(executor, format, { precision: "f32" }, random, f32Share));
      if (isFloat(format)) continue;
      it(`by ${format} weights and rounded activations is as near as the rounding allows`, () =>
        check(executor, format, {}, random, int8Share));
      it(`by ${format} weights and activations that int8 holds is exact but for f32 sums`, () =>
        check(executor, format, {}, wholeNumbers, executor.tier === "amx" ? tileShare : f32Share));
    }

    for (const format of ["f32", "q4_0", "q4_k", "q5_0", "q6_k", "q8_0"] as const) {
      it(`by ${format} gives the same bytes for any number of threads and any company`, async () => {
        const shape = { outer: 1000, columns: 512, bias: true };
        const cases = [
          { ...shape, bound: 8, rows: 5 },
          { ...shape, bound: 64, rows: 23 },
        ];
        const inputs = cases.map(({ rows, columns }) => random(rows, columns));
        const one = await compute(executor, format, cases, inputs, { threads: 1 });
        for (const threads of [2, 3]) {
          assert.deepEqual(await compute(executor, format, cases, inputs, { threads }), one);
        }
        const row = 4;
        const alone = await compute(
          executor,
          format,
          cases.map((what) => ({ ...what, rows: 1 })),
          inputs.map((x) => x.subarray(row * shape.columns, (row + 1) * shape.columns)),
          {},
        );
        const expected = one.map((y) => y.subarray(row * shape.outer, (row + 1) * shape.outer));
        assert.deepEqual(alone, expected);
      });
    }
  });
}
