// The frame of the decode class: y = epilogue(x Wᵀ + b) for up to 8 rows of activations and one or several weights that
// read the same x. A unit is 16 outputs, or 32 where they are rounded for their readers; its sums are left in scratch by
// a core (core.ts), and finished there. A part is a share of all weights' units, so one step does queries, keys and
// values, or gate and up with the activation between them; what is asked for ahead of a part's end is another thread's, so
// parts are as long as they can be.
import { getOrMake } from "../../../base/collections.ts";
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import type { ActivationName } from "../../../graph/index.ts";
import { DECODE_ROWS } from "../lowering.ts";
import { GROUP_ROWS, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { type Core, type Tile, groupRegisters } from "./core.ts";
import { unary } from "./elementwise.ts";
import { FLOAT_BYTES, ceilDiv } from "./loops.ts";
import { storeUpTo } from "./outputs.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, quantizeBlock } from "./quantize.ts";

/** What becomes of the sums; "gate": f(first weight's) * second weight's. */
export type Epilogue =
  { readonly kind: "none" | "add" } | { readonly kind: "map" | "gate"; readonly by: ActivationName };

export interface DecodeStep {
  /** One for each weight. */
  readonly cores: readonly Core[];
  readonly epilogue: Epilogue;
  /** Whether results are stored as f32, and as int8 blocks; then outputs are whole blocks of 32. */
  readonly floats: boolean;
  readonly rounded: boolean;
}

// Scratch: 64 bytes for tails, then by weight and row what a unit's sums are.
const RESULTS = 64;
const RESULT_BYTES = ACTIVATION_COLUMNS * FLOAT_BYTES;
const WEIGHT_BYTES = DECODE_ROWS * RESULT_BYTES;

const kernels = new Map<string, Kernel>();

export const labelOf = ({ cores, epilogue, floats, rounded }: DecodeStep): string => {
  const by = "by" in epilogue ? `.${epilogue.by}` : "";
  const forms = `${floats ? "" : ".only"}${rounded ? ".rounded" : ""}`;
  return `linear.${cores.map(({ label }) => label).join("+")}.${epilogue.kind}${by}${forms}`;
};

/**
 * The kernel, one for each kind of step. Words: x, rows, columns; weightN, biasN (f32, or address 0) for each weight N;
 * outerN, outN, roundedN for each result N; other: what is added, rows of f32 as the result.
 */
export function decodeKernel(step: DecodeStep): Kernel {
  const label = labelOf(step);
  return getOrMake(kernels, label, () => defineKernel(label, wordsOf(step), (k, words) => body(k, step, words)));
}

const resultsOf = ({ cores, epilogue }: DecodeStep): number => (epilogue.kind === "gate" ? 1 : cores.length);

function wordsOf(step: DecodeStep): string[] {
  const { cores, epilogue, floats, rounded } = step;
  const words = ["x", "rows", "columns"];
  for (const n of cores.keys()) words.push(`weight${n}`, `bias${n}`);
  for (let n = 0; n < resultsOf(step); n++) {
    words.push(`outer${n}`);
    if (floats) words.push(`out${n}`);
    if (rounded) words.push(`rounded${n}`);
  }
  if (epilogue.kind === "add") words.push("other");
  return words;
}

export type Words = Readonly<Record<string, Int>>;

/** The rows that a unit multiplies: which rows of x they are, and which of the results. */
export interface UnitRows {
  readonly count: Int;
  readonly source: (row: Int) => Int;
  readonly target: (row: Int) => Int;
}

/** Outputs of a unit. */
export const unitOutputs = ({ rounded }: DecodeStep): number => (rounded ? ACTIVATION_COLUMNS : GROUP_ROWS);

function body(k: KernelBuilder, step: DecodeStep, words: Words): void {
  const unitRows = unitOutputs(step);
  const rows: UnitRows = { count: words.rows, source: (row) => row, target: (row) => row };
  const results = Array.from({ length: resultsOf(step) }, (_, n) => n);
  const units = results.map((n) => ceilDiv(words[`outer${n}`], unitRows));
  const ends = units.map((_, n) => units.slice(0, n + 1).reduce((a, b) => a.add(b)));
  k.shareTapering(ends[ends.length - 1], (first, end) => {
    for (const run of sameCores(step)) {
      // results of one format are a loop, so that its code is there once
      k.range(run[0], run[0] + run.length, 1, (n) => {
        const pick = (of: (n: number) => Int): Int =>
          run.slice(1).reduce((picked, other) => n.equals(other).select(of(other), picked), of(run[0]));
        const pickWord = (name: string): Int => pick((n) => words[name + n]);
        const start = pick((n) => (n === 0 ? k.int(0) : ends[n - 1]));
        k.range(first.max(start), end.min(pick((n) => ends[n])), 1, (unit) => {
          computeUnit(k, step, step.cores[run[0]], { words, rows, pick: pickWord }, unit.sub(start).mul(unitRows));
        });
      });
    }
  });
}

/** Neighbouring results that the same core computes; a gate's two weights are one result. */
function sameCores(step: DecodeStep): number[][] {
  if (step.epilogue.kind === "gate") return [[0]];
  const runs: number[][] = [];
  for (const [n, core] of step.cores.entries()) {
    if (n > 0 && step.cores[n - 1] === core) runs[runs.length - 1].push(n);
    else runs.push([n]);
  }
  return runs;
}

/** The outputs from `output` on of one result. `pick`: a word of that result or of its weight. */
export function computeUnit(
  k: KernelBuilder,
  step: DecodeStep,
  core: Core,
  { words, rows, pick }: { readonly words: Words; readonly rows: UnitRows; readonly pick: (name: string) => Int },
  output: Int,
): void {
  const { cores, epilogue, floats, rounded } = step;
  const groups = rounded ? 2 : 1;
  const multiply = (core: Core, weight: Int, to: Int): void => {
    const groupBytes = words.columns.div(layouts[core.format].columns).mul(groupBlockBytes(core.format));
    k.range(0, groups, 1, (group) => {
      const at = weight.add(output.div(GROUP_ROWS).add(group).mul(groupBytes));
      multiplyGroup(k, core, at, words, rows, to.add(group.mul(GROUP_ROWS * FLOAT_BYTES)));
    });
  };
  if (epilogue.kind !== "gate") multiply(core, pick("weight"), k.scratch.add(RESULTS));
  else if (cores[0] === cores[1]) {
    k.range(0, 2, 1, (n) => {
      const weight = n.select(words.weight1, words.weight0);
      multiply(core, weight, k.scratch.add(n.mul(WEIGHT_BYTES)).add(RESULTS));
    });
  } else {
    for (const [n, core] of cores.entries()) {
      multiply(core, words[`weight${n}`], k.scratch.add(RESULTS + n * WEIGHT_BYTES));
    }
  }
  const outer = pick("outer");
  const biases = epilogue.kind === "gate" ? [words.bias0, words.bias1] : [pick("bias")];
  const [out, roundedOut] = [floats ? pick("out") : undefined, rounded ? pick("rounded") : undefined];
  k.range(0, rows.count, 1, (row) => {
    const results = k.scratch.add(row.mul(RESULT_BYTES));
    const target = rows.target(row);
    k.range(0, groups * GROUP_ROWS, k.lanes, (i) => {
      const at = results.add(i.mul(FLOAT_BYTES));
      const column = output.add(i);
      const place = target.mul(outer).add(column).mul(FLOAT_BYTES);
      const sums = biases.map((bias, n) => {
        const sum = k.variable(at.loadFloats(RESULTS + n * WEIGHT_BYTES));
        k.when(bias, () => (sum.value = sum.value.add(bias.add(column.mul(FLOAT_BYTES)).loadFloats())));
        return sum.value;
      });
      const finished = finish(k, epilogue, sums, () => words.other.add(place).loadFloats());
      if (rounded) at.store(finished, RESULTS);
      if (out !== undefined) storeUpTo(k, out.add(place), finished, outer.sub(column));
    });
    if (roundedOut !== undefined) {
      const block = target.mul(outer).add(output).div(ACTIVATION_COLUMNS);
      quantizeBlock(k, results.add(RESULTS), roundedOut.add(block.mul(ACTIVATION_BYTES)));
    }
  });
}

function finish(k: KernelBuilder, epilogue: Epilogue, sums: readonly Floats[], other: () => Floats): Floats {
  const [first, second] = sums;
  if (!("by" in epilogue)) return epilogue.kind === "none" ? first : other().add(first);
  const value = unary[epilogue.by](first, k);
  return epilogue.kind === "gate" ? value.mul(second) : value;
}

/** Sums of all rows with the 16 weight rows at `weight`, to `to`: f32, a row every `RESULT_BYTES`. */
function multiplyGroup(
  k: KernelBuilder,
  core: Core,
  weight: Int,
  { x, columns }: Words,
  { count: rows, source }: UnitRows,
  to: Int,
): void {
  const all = groupRegisters(k);
  const rowBytes = core.rowBytes(columns);
  const tile = (row: Int, count: number, registers: number): void => {
    // past the last row it is computed once more, for nobody
    const from = Array.from({ length: count }, (_, r) =>
      x.add(source(r === 0 ? row : row.add(r).min(rows.sub(1))).mul(rowBytes)),
    );
    const result = to.add(row.mul(RESULT_BYTES));
    const pass = (register: Int): void => {
      const place = result.add(register.mul(k.lanes * FLOAT_BYTES));
      for (const [r, sums] of core.multiply(k, weight, register, from, columns, registers).entries()) {
        for (const [n, sum] of sums.entries()) place.store(sum, r * RESULT_BYTES + n * k.lanes * FLOAT_BYTES);
      }
    };
    if (registers >= all) pass(k.int(0));
    else k.range(0, all, registers, pass);
  };
  /** All rows from `row` on, by the least tile that takes them all, or by several of the largest. */
  const most = (row: Int, [least, ...larger]: readonly Tile[]): void => {
    const small = (): void => tile(row, least.rows, least.registers);
    if (larger.length === 0) small();
    else k.when(rows.sub(row).less(least.rows + 1), small, () => most(row, larger));
  };
  const tiles = core.tiles(k.machine);
  const { rows: step } = tiles[tiles.length - 1];
  // a last row that is alone is cheaper alone
  const alone = rows.rem(step).equals(1);
  k.range(0, rows.sub(alone), step, (row) => most(row, tiles));
  k.when(alone, () => tile(rows.sub(1), 1, all));
}
