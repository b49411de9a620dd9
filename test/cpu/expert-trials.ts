// Trials of what mixtures of experts are made of: choices that leave experts without rows and give one all of them, shapes
// that fill no group of weights and no register, weights of float and of block formats.
import {
  type Tensor,
  add,
  divide,
  dotParts,
  expertLinear,
  gather,
  gatherColumns,
  gradients,
  input,
  mixParts,
  multiply,
  parameter,
  scale,
  scatterColumns,
  silu,
  softmax,
  spreadParts,
  sumAll,
  sumColumns,
  topColumns,
} from "../../src/graph/index.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { type Trial, weight, weights } from "./op-trials.ts";
import { randomBits, randomFloats, randomParameter } from "./stores.ts";

/** Weights (E*M, K) of experts. */
export function expertWeight(name: string, format: FormatName, experts: number, outer: number, inner: number): Tensor {
  const seed = outer + 7 * inner;
  weights[name] ??= { ...randomParameter(seed, format, experts * outer, inner), matrices: experts };
  return parameter(name, [experts * outer, inner]);
}

/** Each row's choices, all different; "one" expert is among those of every row, "some" are nobody's. */
export function randomChoices(
  rows: number,
  count: number,
  experts: number,
  kind: "one" | "some",
): Int32Array<ArrayBuffer> {
  const next = randomBits(rows + 31 * experts);
  const choices = new Int32Array(rows * count);
  const least = kind === "some" ? Math.min(2, experts - count) : 0;
  for (let n = 0; n < rows; n++) {
    const taken = new Set<number>(kind === "one" ? [experts - 1] : []);
    while (taken.size < count) taken.add(least + (next() % (experts - least)));
    choices.set([...taken], n * count);
  }
  return choices;
}

export interface ExpertShape {
  readonly bound: number;
  readonly rows: number;
  readonly experts: number;
  readonly count: number;
  readonly width: number;
  readonly forward: number;
  readonly format: FormatName;
  readonly kind?: "one" | "some";
}

/** Σ w · down(silu(gate x) · up x) of the chosen experts, its parts unless `only` the sum is asked for. */
export function mixture(shape: ExpertShape, only = false): Trial {
  const { bound, rows, experts, count, width, forward, format, kind = "some" } = shape;
  const extent = { name: "rows", bound };
  const x = input("x", [extent, width], "f32");
  const choices = input("choices", [extent, count], "i32");
  const shares = input("shares", [extent, count], "f32");
  const sizes = `${format} ${experts} ${width} ${forward}`;
  const of = (name: string, from: Tensor, outer: number, inner: number): Tensor =>
    expertLinear(from, expertWeight(`${name} ${sizes}`, format, experts, outer, inner), choices, experts);
  const fed = multiply(silu(of("gate", x, forward, width)), of("up", x, forward, width));
  const down = of("down", fed, width, forward);
  const y = mixParts(down, shares);
  return {
    outputs: only ? { y } : { y, fed, down },
    inputs: {
      x: randomFloats(3, rows * width),
      choices: randomChoices(rows, count, experts, kind),
      shares: randomFloats(4, rows * count),
    },
    extents: { rows },
    tolerance: 2 ** -19,
  };
}

const floats: FormatName[] = ["f32", "bf16"];
const shapes = (format: FormatName): Omit<ExpertShape, "bound" | "rows">[] =>
  floats.includes(format)
    ? [
        { format, experts: 5, count: 2, width: 7, forward: 3 },
        { format, experts: 8, count: 3, width: 64, forward: 32 },
        { format, experts: 3, count: 1, width: 33, forward: 28 },
      ]
    : [{ format, experts: 6, count: 2, width: 256, forward: 512 }];
const runs = [
  { bound: 1, rows: 1 },
  { bound: 8, rows: 7 },
  { bound: 150, rows: 130, kind: "one" },
] as const;

export const mixtures = (formats: readonly FormatName[], only?: boolean): Trial[] =>
  formats.flatMap((format) =>
    shapes(format).flatMap((shape) => runs.map((run) => mixture({ ...shape, ...run }, only))),
  );

const rows = { name: "rows", bound: 40 };
const matrix = (name: string, columns: number): Tensor => input(name, [rows, columns], "f32");

/** Values that columns are chosen by, with equal ones; y: the numbers of the columns, and values. */
function choosing(n: number, columns: number, count: number, groups?: Parameters<typeof topColumns>[2]): Trial {
  const x = matrix("x", columns);
  const chosen = topColumns(x, count, groups);
  const values = randomFloats(9, n * columns, 2).map((value) => Math.round(value * 4) / 4);
  const numbers = values.map((_, i) => i % columns);
  const y = gatherColumns(matrix("numbers", columns), chosen);
  return {
    outputs: { y, back: scatterColumns(chosen, y, columns) },
    inputs: { x: values, numbers },
    extents: { rows: n },
  };
}

/** Softmax, choice and shares as routers have them, biases by expert. */
function routing(n: number, experts: number, count: number): Trial {
  const all = softmax(matrix("x", experts));
  const chosen = topColumns(all, count);
  const shares = gatherColumns(all, chosen);
  const bias = weight(14, "f32", experts, 5);
  return {
    outputs: { shares: divide(shares, sumColumns(shares)), bias: add(gather(bias, chosen), 1) },
    inputs: { x: randomFloats(10, n * experts, 3) },
    extents: { rows: n },
    tolerance: 2 ** -20,
  };
}

function parts(n: number, count: number, columns: number): Trial {
  const [of, shares, x] = [matrix("parts", count * columns), matrix("shares", count), matrix("x", columns)];
  return {
    outputs: { mixed: mixParts(of, shares), spread: spreadParts(x, shares), dots: dotParts(of, x) },
    inputs: {
      parts: randomFloats(11, n * count * columns),
      shares: randomFloats(12, n * count),
      x: randomFloats(13, n * columns),
    },
    extents: { rows: n },
    tolerance: 2 ** -20,
  };
}

/** Products by weights that are trained, and all gradients. */
function trained(n: number, experts: number, count: number, outer: number, inner: number, isShared: boolean): Trial {
  const x = matrix("x", isShared ? inner : count * inner);
  const w = scale(weight(15, "f32", experts * outer, inner), 1);
  const choices = input("choices", [rows, count], "i32");
  const y = expertLinear(x, w, choices, experts);
  const [dx, dw] = gradients(sumAll(multiply(y, matrix("dy", count * outer))), [x, w]);
  return {
    outputs: { y, dx, dw },
    inputs: {
      x: randomFloats(16, n * (isShared ? inner : count * inner)),
      dy: randomFloats(17, n * count * outer),
      choices: randomChoices(n, count, experts, "some"),
    },
    extents: { rows: n },
    tolerance: 2 ** -19,
  };
}

export const trials: Readonly<Record<string, readonly Trial[]>> = {
  "chosen columns": [
    choosing(1, 4, 4),
    choosing(3, 5, 2),
    choosing(9, 128, 8),
    choosing(7, 24, 3, { count: 4, kept: 2, by: 1 }),
    choosing(9, 64, 6, { count: 8, kept: 3, by: 2 }),
  ],
  routing: [routing(1, 8, 2), routing(33, 60, 4)],
  "rows of parts": [parts(1, 2, 5), parts(3, 8, 600), parts(33, 3, 7)],
  "experts that are trained": [
    trained(1, 3, 1, 1, 1, true),
    trained(7, 4, 2, 5, 33, true),
    trained(40, 8, 3, 37, 70, false),
    trained(40, 5, 1, 64, 64, true),
  ],
  "chosen experts": mixtures(["f32", "bf16", "q4_k", "mxfp4"]),
};
