// Matrix products by weights of every format, on every tier, against plain sums over the formats' own decoders: shapes
// that meet every edge, thread counts and company that must not change a byte.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layouts } from "../../src/device/cpu/packed-layouts.ts";
import type { Executor, OpenOptions } from "../../src/device/executor.ts";
import { type Graph, graph, input, linear, parameter } from "../../src/graph/index.ts";
import { type FormatName, formats } from "../../src/numeric/registry.ts";
import { type TestParameter, memoryStore, randomFloats, randomParameter } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

/** Formats that have kernels, and one that is kept as another: recode.test.ts has the rest of those. */
const names: readonly FormatName[] = [...(Object.keys(layouts) as (keyof typeof layouts)[]), "f64"];
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
const weights = new Map<string, TestParameter>();
function weightsOf(format: FormatName, { outer, columns }: Case): TestParameter {
  const key = `${format} ${outer} ${columns}`;
  const made = weights.get(key) ?? randomParameter(SEED, format, outer, columns);
  weights.set(key, made);
  return made;
}
const biasOf = ({ outer }: Case): TestParameter => randomParameter(SEED + 1, "f32", 1, outer);

/** A case by weights of a format, over one input. */
interface Product extends Case {
  readonly format: FormatName;
  readonly x: Float32Array;
}

/** Programs of products in one open model, so that each kernel is emitted once and threads start once. */
async function openProducts(executor: Executor, products: readonly Product[], options: OpenOptions) {
  const parameters: Record<string, TestParameter> = {};
  const graphs: Record<string, Graph> = {};
  for (const [i, what] of products.entries()) {
    parameters[`w${i}`] = weightsOf(what.format, what);
    if (what.bias) parameters[`b${i}`] = biasOf(what);
    const x = input("x", [{ name: "rows", bound: what.bound }, what.columns], "f32");
    const bias = what.bias ? parameter(`b${i}`, [what.outer]) : undefined;
    graphs[i] = graph({ y: linear(x, parameter(`w${i}`, [what.outer, what.columns]), bias) });
  }
  const opened = await executor.open(memoryStore(parameters), graphs, { threads: 1, ...options });
  return {
    /** y of the product with this number over inputs of any rows. */
    async run(number: number, x: Float32Array): Promise<Float32Array> {
      const { columns, outer } = products[number];
      const program = opened.programs[number];
      const rows = x.length / columns;
      program.inputs.x.set(x);
      await program.run({ rows });
      return program.outputs.y.slice(0, rows * outer);
    },
    [Symbol.asyncDispose]: () => opened.close(),
  };
}

/** Sums in f64 and the sums of absolute products, of each output. */
interface Sums {
  readonly sums: Float64Array;
  readonly sizes: Float64Array;
}

function sumsOf(what: Product): Sums {
  const { format, outer, columns, rows, bias, x } = what;
  const weights = formats[format].decode(weightsOf(format, what).bytes, outer * columns);
  const added = bias ? new Float32Array(biasOf(what).bytes.buffer) : new Float32Array(outer);
  const [sums, sizes] = [new Float64Array(rows * outer), new Float64Array(rows * outer)];
  for (let at = 0; at < rows * outer; at++) {
    const [row, m] = [Math.floor(at / outer), at % outer];
    let sum = added[m];
    let size = Math.abs(sum);
    for (let i = 0; i < columns; i++) {
      const product = x[row * columns + i] * weights[m * columns + i];
      sum += product;
      size += Math.abs(product);
    }
    [sums[at], sizes[at]] = [sum, size];
  }
  return { sums, sizes };
}

/** The same for every tier: summed once. */
const known = new Map<Product, Sums>();

/** Checks outputs against f64 sums; each may be off by a share of the sum of the absolute products. */
function assertNear(what: Product, y: Float32Array, share: number): void {
  const { sums, sizes } = known.get(what) ?? sumsOf(what);
  known.set(what, { sums, sizes });
  assert.equal(y.length, sums.length);
  for (const [at, value] of y.entries()) {
    const off = Math.abs(value - sums[at]);
    if (off <= share * sizes[at]) continue;
    const { x: _, ...shown } = what;
    assert.fail(
      `${JSON.stringify(shown)} output ${at}: ${value}, expected ${sums[at]}, off by a share of ${off / sizes[at]}, not ${share}`,
    );
  }
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

const productsOf = (makeInput: typeof random, which: readonly FormatName[]): Product[] =>
  which.flatMap((format) =>
    casesOf(format).map((what) => ({ ...what, format, x: makeInput(what.rows, what.columns) })),
  );
const ofRandom = productsOf(random, names);
const ofWhole = productsOf(wholeNumbers, names);

/** y of all products over each of some inputs, by programs of one model. */
async function resultsOf(executor: Executor, options: OpenOptions, ...inputs: readonly Product[][]) {
  await using opened = await openProducts(executor, inputs[0], options);
  const results: Float32Array[][] = [];
  for (const products of inputs) {
    const found: Float32Array[] = [];
    for (const [i, { x }] of products.entries()) found.push(await opened.run(i, x));
    results.push(found);
  }
  return results;
}

function check(
  format: FormatName,
  products: readonly Product[],
  results: readonly Float32Array[],
  share: (what: Case) => number,
): void {
  for (const [i, what] of products.entries()) {
    if (what.format === format) assertNear(what, results[i], share(what));
  }
}

const companyFormats = ["f32", "q4_0", "q4_k", "q5_0", "q6_k", "q8_0", "iq4_xs", "mxfp4"] as const;
const company: Product[] = companyFormats.flatMap((format) =>
  [
    { bound: 8, rows: 5 },
    { bound: 64, rows: 23 },
  ].map((run) => ({ outer: 1000, columns: 512, bias: true, ...run, format, x: random(run.rows, 512) })),
);

for (const executor of cpuTiers()) {
  describe(`linear on ${executor.tier}`, async () => {
    const [exact] = await resultsOf(executor, { precision: "f32" }, ofRandom);
    const [fast, whole] = await resultsOf(executor, {}, ofRandom, ofWhole);
    for (const format of names) {
      it(`by ${format} weights and f32 activations is a f32 sum over the decoded weights`, () =>
        check(format, ofRandom, exact, f32Share));
      if (isFloat(format)) continue;
      it(`by ${format} weights and rounded activations is as near as the rounding allows`, () =>
        check(format, ofRandom, fast, int8Share));
      it(`by ${format} weights and activations that int8 holds is exact but for f32 sums`, () =>
        check(format, ofWhole, whole, executor.tier === "amx" ? tileShare : f32Share));
    }

    const outputs: Float32Array[][] = [];
    const alone: Float32Array[] = [];
    const ROW = 4;
    for (const threads of [1, 2, 3]) {
      await using opened = await openProducts(executor, company, { threads });
      const found: Float32Array[] = [];
      for (const [i, { x, columns }] of company.entries()) {
        found.push(await opened.run(i, x));
        if (threads === 1) alone.push(await opened.run(i, x.subarray(ROW * columns, (ROW + 1) * columns)));
      }
      outputs.push(found);
    }
    for (const format of companyFormats) {
      it(`by ${format} gives the same bytes for any number of threads and any company`, () => {
        for (const [i, what] of company.entries()) {
          if (what.format !== format) continue;
          const [one, ...others] = outputs.map((found) => found[i]);
          for (const other of others) assert.deepEqual(other, one);
          assert.deepEqual(alone[i], one.subarray(ROW * what.outer, (ROW + 1) * what.outer));
        }
      });
    }
  });
}
