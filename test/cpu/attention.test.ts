// Attention with all that prepares it (rotations, writing the cache) against the reference: prompts, then decoding over
// what they left, several sequences at once, on every tier; the same bytes for any number of threads and any company.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Executor, OpenModel, Program } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import {
  type Extent,
  type Graph,
  type StateType,
  type Tensor,
  attention,
  graph,
  input,
  isQuantized,
  rope,
  state,
  writeRows,
} from "../../src/graph/index.ts";
import { memoryStore, randomBits, randomFloats } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

interface Case {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly type: StateType;
  readonly pageSize?: number;
  /** Tokens of each sequence: read as prompts, but for the last `decoded`. */
  readonly lengths: readonly number[];
  readonly decoded?: number;
  readonly window?: number;
  readonly softCap?: number;
  /** Whether scores have a bias by distance, and heads have sinks. */
  readonly bias?: boolean;
  readonly sinks?: boolean;
  /** Pairs that are rotated; default half the head, 0: no rotation. */
  readonly half?: number;
  /** The size of queries, keys and so of scores. */
  readonly size?: number;
  /** Whether keys are the values too. */
  readonly valuesAreKeys?: boolean;
}

const valuesAreKeys = true;
const cases: Readonly<Record<string, Case>> = {
  "one head, one key": { heads: 1, kvHeads: 1, headSize: 4, type: "f32", lengths: [1, 2], decoded: 1 },
  "grouped heads over f16": { heads: 6, kvHeads: 2, headSize: 64, type: "f16", lengths: [70, 33, 9] },
  "one group of all heads": { heads: 4, kvHeads: 1, headSize: 32, type: "f16", lengths: [130, 40] },
  "a head for each key-value head": { heads: 3, kvHeads: 3, headSize: 48, type: "f32", lengths: [65, 17] },
  "many heads of a group": { heads: 26, kvHeads: 2, headSize: 16, type: "f16", lengths: [50] },
  "wide heads": { heads: 2, kvHeads: 1, headSize: 256, type: "f16", lengths: [45, 80], size: 0.5 },
  "heads of no whole register": { heads: 4, kvHeads: 2, headSize: 36, type: "f16", lengths: [40, 67] },
  "heads of odd sizes": { heads: 2, kvHeads: 1, headSize: 10, type: "f32", lengths: [21, 35], half: 3 },
  "pages of 4": { heads: 4, kvHeads: 2, headSize: 20, type: "f16", pageSize: 4, lengths: [37, 14] },
  "pages of 6": { heads: 2, kvHeads: 2, headSize: 8, type: "f32", pageSize: 6, lengths: [27, 50] },
  "pages of 48": { heads: 4, kvHeads: 2, headSize: 16, type: "f16", pageSize: 48, lengths: [137, 95] },
  "no rotation": { heads: 4, kvHeads: 2, headSize: 24, type: "f16", lengths: [30, 33], half: 0 },
  "a window": { heads: 4, kvHeads: 2, headSize: 32, type: "f16", lengths: [150, 70, 5], window: 40 },
  "a window of one": { heads: 2, kvHeads: 1, headSize: 12, type: "f32", lengths: [70], window: 1 },
  "a window longer than the text": { heads: 2, kvHeads: 2, headSize: 16, type: "f16", lengths: [50, 20], window: 64 },
  "capped scores": { heads: 4, kvHeads: 2, headSize: 16, type: "f16", lengths: [40, 90], softCap: 5, size: 2 },
  "scores far apart": { heads: 2, kvHeads: 1, headSize: 16, type: "f32", lengths: [70], size: 6 },
  "several ranges of keys": { heads: 4, kvHeads: 2, headSize: 16, type: "f16", lengths: [700, 129, 128, 260] },
  "values that are the keys": { heads: 4, kvHeads: 1, headSize: 36, type: "f16", lengths: [150, 33], valuesAreKeys },
  "values that are the keys, in pages of 6": {
    heads: 4,
    kvHeads: 2,
    headSize: 16,
    type: "f32",
    pageSize: 6,
    lengths: [40, 67],
    valuesAreKeys,
  },
  "a group that is cut, as scratch does not hold its heads": {
    heads: 128,
    kvHeads: 1,
    headSize: 576,
    half: 32,
    type: "f16",
    lengths: [9],
    decoded: 2,
    valuesAreKeys,
    size: 0.3,
  },
  "a bias by distance": { heads: 6, kvHeads: 2, headSize: 32, type: "f16", lengths: [150, 37, 70], bias: true },
  "a bias over ranges of keys": { heads: 2, kvHeads: 1, headSize: 12, type: "f32", lengths: [700, 129], bias: true },
  sinks: { heads: 6, kvHeads: 2, headSize: 16, type: "f16", lengths: [150, 3, 70], sinks: true },
  "sinks over ranges of a window, and a bias": {
    heads: 4,
    kvHeads: 2,
    headSize: 16,
    type: "f16",
    lengths: [600, 290],
    window: 200,
    bias: true,
    sinks: true,
  },
  "sinks beside capped scores": {
    heads: 2,
    kvHeads: 1,
    headSize: 16,
    type: "f16",
    lengths: [140, 5],
    softCap: 5,
    sinks: true,
    size: 2,
  },
  "keys and values of q8_0": { heads: 12, kvHeads: 2, headSize: 64, type: "q8_0", lengths: [70, 33, 9] },
  "keys and values of q4_0": { heads: 4, kvHeads: 1, headSize: 96, type: "q4_0", lengths: [70, 33, 9] },
  "q8_0 in pages of 6": { heads: 2, kvHeads: 2, headSize: 32, type: "q8_0", pageSize: 6, lengths: [40, 27] },
  "q4_0 in pages of 4": { heads: 2, kvHeads: 1, headSize: 64, type: "q4_0", pageSize: 4, lengths: [37, 14] },
  "ranges of q8_0": { heads: 3, kvHeads: 1, headSize: 32, type: "q8_0", lengths: [700, 129], half: 0 },
  "ranges of a window of q4_0": { heads: 2, kvHeads: 1, headSize: 32, type: "q4_0", lengths: [600], window: 200 },
  "a bias and sinks over q8_0": {
    heads: 2,
    kvHeads: 1,
    headSize: 32,
    type: "q8_0",
    lengths: [140, 5],
    bias: true,
    sinks: true,
  },
  "capped scores of q4_0": { heads: 2, kvHeads: 1, headSize: 32, type: "q4_0", lengths: [40, 90], softCap: 5 },
  "values of q8_0 that are the keys": {
    heads: 26,
    kvHeads: 1,
    headSize: 64,
    type: "q8_0",
    lengths: [50, 9],
    valuesAreKeys,
  },
  "values of q4_0 that are the keys": {
    heads: 2,
    kvHeads: 2,
    headSize: 32,
    type: "q4_0",
    lengths: [40],
    valuesAreKeys,
  },
  "ranges of a window": { heads: 2, kvHeads: 1, headSize: 16, type: "f16", lengths: [600, 290], window: 200 },
};

const DECODE_ROWS = 8;

/** Everything a case's runs are made from. */
function setUp(name: string, one: Case) {
  const { heads, kvHeads, headSize, type, pageSize = 32, lengths, window, softCap, half = headSize / 2 } = one;
  const sequences = lengths.length;
  const perSequence = Math.ceil(Math.max(...lengths) / pageSize);
  const columns = kvHeads * headSize;
  const graphOf = (bound: number): Graph => {
    const rows: Extent = { name: "rows", bound };
    const matrix = (name: string, columns: number): Tensor => input(name, [rows, columns], "f32");
    const numbers = (name: string): Tensor => input(name, [rows], "i32");
    const cached = (part: string): Tensor =>
      state(`${name}.${part}`, [sequences * perSequence * pageSize, columns], type);
    const angles = half === 0 ? [] : [matrix("cos", half), matrix("sin", half)];
    const turn = (x: Tensor): Tensor =>
      half === 0 ? x : rope(x, angles[0], angles[1], { headSize, layout: "halves" });
    const slots = numbers("slots");
    const keys = writeRows(cached("keys"), slots, turn(matrix("k", columns)));
    const y = attention(
      {
        q: turn(matrix("q", heads * headSize)),
        keys,
        values: one.valuesAreKeys === true ? keys : writeRows(cached("values"), slots, matrix("v", columns)),
        pages: input(
          "pages",
          [
            { name: "sequences", bound: sequences },
            { name: "pages", bound: perSequence },
          ],
          "i32",
        ),
        positions: numbers("positions"),
        sequences: numbers("sequences"),
        ...(one.bias === true && { bias: input("bias", [heads, perSequence * pageSize], "f32") }),
        ...(one.sinks === true && { sinks: input("sinks", [heads], "f32") }),
      },
      { heads, kvHeads, scale: headSize ** -0.5, pageSize, ...(window && { window }), ...(softCap && { softCap }) },
    );
    return graph({ y });
  };
  const { prompt, decodes } = runsOf(one);
  return {
    ...one,
    name,
    graphs: {
      [`${name}.prompt`]: graphOf(Math.max(prompt.length, DECODE_ROWS + 1)),
      [`${name}.decode`]: graphOf(DECODE_ROWS),
    },
    prompt,
    decodes,
    order: scrambled(sequences * perSequence),
    perSequence,
    pageSize,
  };
}

/** 0..count in an order of no meaning. */
function scrambled(count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  const next = randomBits(5);
  for (let i = count - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

interface Row {
  readonly sequence: number;
  readonly position: number;
}

/** Rows of the runs, in order: prompts of all sequences in one run, then the decoded rows, of all sequences at once. */
function runsOf({ lengths, decoded = 3 }: Case): { prompt: Row[]; decodes: Row[][] } {
  const prompts = lengths.map((length) => Math.max(0, length - decoded));
  return {
    prompt: prompts.flatMap((count, sequence) =>
      Array.from({ length: count }, (_, position) => ({ sequence, position })),
    ),
    decodes: Array.from({ length: decoded }, (_, i) =>
      lengths
        .map((length, sequence) => ({ sequence, position: length - decoded + i }))
        .filter(({ position }) => position >= 0),
    ),
  };
}

type Trial = ReturnType<typeof setUp>;

/** A number that rounding to int8 leaves as it is, as every block of 32 has one of magnitude 127 / 64, turned or not. */
const asCode = (value: number, column: number): number =>
  (column % 8 === 0 ? Math.sign(value) * 127 : Math.round(Math.max(-2, Math.min(2, value)) * 63)) / 64;

/** Runs a program over some rows, whose numbers depend on their sequence and position alone; its output rows. */
async function runRows(program: Program, rows: readonly Row[], trial: Trial): Promise<Float32Array[]> {
  const { inputs } = program;
  const { size = 1, lengths, order, perSequence, pageSize, half = trial.headSize / 2 } = trial;
  const width = trial.heads * trial.headSize;
  for (const name of ["bias", "sinks"]) inputs[name]?.set(randomFloats(17, inputs[name].length, 3));
  for (const [i, { sequence, position }] of rows.entries()) {
    const seed = 1000 * sequence + position;
    for (const [n, name] of ["q", "k", "v"].entries()) {
      const columns = name === "q" ? width : trial.kvHeads * trial.headSize;
      const numbers = randomFloats(seed + n * 7919, columns, name === "v" ? 1 : size);
      inputs[name]?.set(name === "q" && isQuantized(trial.type) ? numbers.map(asCode) : numbers, i * columns);
    }
    for (let j = 0; j < half; j++) {
      // a quarter turn or several are exact, so that no executor rounds a key to another code than the next
      const angle = isQuantized(trial.type) ? (Math.PI / 2) * (position + j) : position / 10 ** (j / half);
      const exact = (value: number): number => (isQuantized(trial.type) ? Math.round(value) : value);
      inputs.cos[i * half + j] = exact(Math.cos(angle));
      inputs.sin[i * half + j] = exact(Math.sin(angle));
    }
    const page = order[sequence * perSequence + Math.floor(position / pageSize)];
    inputs.slots[i] = page * pageSize + (position % pageSize);
    inputs.positions[i] = position;
    inputs.sequences[i] = sequence;
  }
  // a run's tables are as wide as its longest sequence
  const pages = 1 + Math.max(...rows.map(({ position }) => Math.floor(position / pageSize)));
  for (let s = 0; s < lengths.length; s++) {
    for (let p = 0; p < pages; p++) inputs.pages[s * pages + p] = order[s * perSequence + p];
  }
  await program.run({ rows: rows.length, sequences: lengths.length, pages });
  return rows.map((_, i) => program.outputs.y.slice(i * width, (i + 1) * width));
}

const allTrials = Object.entries(cases).map(([name, one]) => setUp(name, one));

type Precision = "f32" | "fast";

/** Programs of trials in one open model. */
function openTrials(
  executor: Executor,
  trials: readonly Trial[],
  threads: number,
  precision: Precision,
): Promise<OpenModel> {
  const graphs = Object.assign({}, ...trials.map((trial) => trial.graphs)) as Record<string, Graph>;
  return executor.open(memoryStore({}), graphs, { threads, precision });
}

/** Output rows of all runs of every trial, by its name. */
async function outputsOf(opened: OpenModel, trials: readonly Trial[]): Promise<Record<string, Float32Array[]>> {
  const outputs: Record<string, Float32Array[]> = {};
  for (const trial of trials) {
    const { name, prompt, decodes } = trial;
    const rows = prompt.length === 0 ? [] : await runRows(opened.programs[`${name}.prompt`], prompt, trial);
    for (const run of decodes) rows.push(...(await runRows(opened.programs[`${name}.decode`], run, trial)));
    outputs[name] = rows;
  }
  return outputs;
}

/** The same rows, each sequence alone, prompts in runs of 37 rows and decoded rows one by one. */
async function aloneOf(opened: OpenModel, trial: Trial): Promise<Float32Array[]> {
  const { name, lengths, prompt, decodes } = trial;
  const outputs: Float32Array[] = [];
  for (const [sequence] of lengths.entries()) {
    const rows = prompt.filter((row) => row.sequence === sequence);
    for (let at = 0; at < rows.length; at += 37) {
      outputs.push(...(await runRows(opened.programs[`${name}.prompt`], rows.slice(at, at + 37), trial)));
    }
  }
  for (const row of decodes.flat()) {
    outputs.push(...(await runRows(opened.programs[`${name}.decode`], [row], trial)));
  }
  return outputs;
}

/**
 * What an output may be off by, as a share of the largest: scores are sums of f32 that go through exp, and where keys are
 * f16 a rotated number may have been rounded the other way. In tiles queries, keys, values and weights have 8 bits.
 */
const toleranceOf = ({ type, size = 1 }: Case, inTiles: boolean): number =>
  (inTiles && type !== "f32" ? 2 ** -6 : type === "f16" ? 2 ** -14 : 2 ** -19) * Math.max(1, size ** 2);

async function outputsOnce(executor: Executor, trials: readonly Trial[], precision: Precision) {
  await using opened = await openTrials(executor, trials, 1, precision);
  return await outputsOf(opened, trials);
}
const expected = await outputsOnce(referenceExecutor, allTrials, "f32");

function suite(executor: Executor, precision: Precision): void {
  const inTiles = precision === "fast" && executor.tier === "amx";
  // without tiles only byte products of quantized keys are otherwise than in f32
  const trials = precision === "f32" || inTiles ? allTrials : allTrials.filter(({ type }) => isQuantized(type));
  describe(`attention on ${executor.tier} in ${precision}`, async () => {
    const found = await outputsOnce(executor, trials, precision);

    for (const trial of trials) {
      it(`${trial.name}: equals the reference`, () => {
        const [rows, theirs] = [found[trial.name], expected[trial.name]];
        const largest = theirs.reduce((most, row) => row.reduce((a, b) => Math.max(a, Math.abs(b)), most), 1e-30);
        for (const [r, row] of theirs.entries()) {
          for (const [i, value] of row.entries()) {
            const error = Math.abs(rows[r][i] - value);
            assert.ok(error <= toleranceOf(trial, inTiles) * largest, `row ${r} [${i}]: ${rows[r][i]}, not ${value}`);
          }
        }
      });
    }

    let three: OpenModel;
    before(async () => (three = await openTrials(executor, trials, 3, precision)));
    after(() => three.close());

    it("gives the same bytes with 3 threads", async () => {
      assert.deepEqual(await outputsOf(three, trials), found);
    });

    const several = [
      "several ranges of keys",
      "a window",
      "pages of 4",
      "ranges of q8_0",
      "ranges of a window of q4_0",
    ];
    for (const name of several) {
      const trial = trials.find((known) => known.name === name);
      if (trial === undefined) continue;
      it(`${name}: a row's bytes are the same in company and alone, in one run and in several`, async () => {
        assert.deepEqual(await aloneOf(three, trial), found[name]);
      });
    }
  });
}

for (const executor of cpuTiers()) {
  suite(executor, "f32");
  suite(executor, "fast");
}
