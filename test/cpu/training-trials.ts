// Trials of what training is made of, as op-trials.ts has them: each op and each of its gradients over shapes that leave
// tails in registers and blocks, chains that become one step, sums that states take.
import {
  type RowAttentionAttributes,
  type RowAttentionInputs,
  type Tensor,
  add,
  broadcast,
  columns,
  crossEntropy,
  divide,
  exp,
  gather,
  geluTanh,
  gradients,
  input,
  layerNorm,
  linear,
  log,
  logSigmoid,
  logSumExp,
  matmul,
  maximum,
  minimum,
  multiply,
  joinColumns,
  padColumns,
  relu,
  rmsNorm,
  rope,
  rowAttention,
  scale,
  scatterAddRows,
  sigmoid,
  silu,
  softmax,
  sqrt,
  step,
  subtract,
  sumAll,
  sumColumns,
  sumRows,
  tanh,
  transpose,
} from "../../src/graph/index.ts";
import { formats } from "../../src/numeric/registry.ts";
import { type Trial, matrix, weight } from "./op-trials.ts";
import { randomBits, randomFloats } from "./stores.ts";

const ROWS = { name: "rows", bound: 300 };
const wide = (name: string, columns: number): Tensor => input(name, [ROWS, columns], "f32");
const whole = (name: string): Tensor => input(name, [ROWS], "i32");

/** (rows, columns) from 1 x 1 over tails to several blocks of rows. */
const sizes = [
  [1, 1],
  [1, 3],
  [3, 5],
  [7, 30],
  [40, 257],
  [130, 64],
];

function each(make: (a: Tensor, b: Tensor) => Record<string, Tensor>, tolerance?: number): Trial[] {
  return sizes.map(([n, columns]) => ({
    outputs: make(wide("a", columns), wide("b", columns)),
    inputs: { a: randomFloats(1, n * columns, 2), b: randomFloats(2, n * columns, 2).map((x) => x + Math.sign(x)) },
    extents: { rows: n },
    ...(tolerance !== undefined && { tolerance }),
  }));
}

/** Gradients of a weighted sum of what `make` gives, by its arguments. */
function gradientTrials(make: (a: Tensor, b: Tensor) => Tensor, tolerance = 2 ** -18): Trial[] {
  return each((a, b) => {
    const y = make(a, b);
    const loss = sumAll(multiply(y, add(scale(y, 0.25), 1)));
    const [da, db] = gradients(loss, [a, b]);
    return { y, da, db };
  }, tolerance);
}

/** Documents of so many rows, end to end: starts and ends of what each row sees, its own document or the one that is said. */
function documents(lengths: readonly number[], seen: readonly number[]): { starts: Int32Array; ends: Int32Array } {
  const edges = lengths.reduce((all, length) => [...all, all.at(-1)! + length], [0]);
  const [starts, ends] = [[], []] as number[][];
  for (const [document, length] of lengths.entries()) {
    const own = seen[document] ?? document;
    for (let i = 0; i < length; i++) {
      starts.push(edges[own]);
      ends.push(edges[own + 1]);
    }
  }
  return { starts: Int32Array.from(starts), ends: Int32Array.from(ends) };
}

interface AttentionCase extends Omit<RowAttentionAttributes, "scale"> {
  readonly headSize: number;
  readonly lengths: readonly number[];
  readonly bothWays?: boolean;
  /** Documents whose keys each document's rows see, as rows of a reply see its source; by default their own. */
  readonly sees?: readonly number[];
  /** Distances of a bias, where scores have one, and whether heads have sinks. */
  readonly distances?: number;
  readonly sinks?: boolean;
  /** Whether the gradient is wanted in one piece too. */
  readonly isWhole?: boolean;
  readonly size?: number;
}

function attentionTrial({
  headSize,
  lengths,
  bothWays = false,
  sees = [],
  distances,
  sinks: hasSinks = false,
  isWhole = false,
  size = 1,
  ...rest
}: AttentionCase): Trial {
  const { heads, kvHeads } = rest;
  const n = lengths.reduce((a, b) => a + b, 0);
  const [q, k, v] = [wide("q", heads * headSize), wide("k", kvHeads * headSize), wide("v", kvHeads * headSize)];
  const tables = {
    ...(distances !== undefined && { bias: input("bias", [heads, distances], "f32") }),
    ...(hasSinks && { sinks: input("sinks", [heads], "f32") }),
  };
  const seen = { starts: whole("starts"), ...(bothWays && { ends: whole("ends") }) };
  const inputs: RowAttentionInputs = { q, k, v, ...seen, ...tables };
  const y = rowAttention(inputs, { ...rest, scale: headSize ** -0.5 });
  const by = { q, k, v, ...tables };
  const found = gradients(sumAll(multiply(y, wide("dy", heads * headSize))), Object.values(by));
  const [dq] = found;
  const all = dq.inputs[0];
  const { starts, ends } = documents(lengths, sees);
  const floats = (seed: number, count: number, by = 1): Float32Array => randomFloats(seed, n * count * headSize, by);
  return {
    outputs: {
      y,
      ...Object.fromEntries(Object.keys(by).map((name, i) => [`d${name}`, found[i]])),
      ...(isWhole && { all }),
    },
    inputs: {
      q: floats(1, heads, size),
      k: floats(2, kvHeads, size),
      v: floats(3, kvHeads),
      dy: floats(4, heads),
      starts,
      ...(bothWays && { ends }),
      ...(distances !== undefined && { bias: randomFloats(5, heads * distances, 3) }),
      ...(hasSinks && { sinks: randomFloats(6, heads, 2) }),
    },
    extents: { rows: n },
    tolerance: 2 ** -17, // sums of products of what went through exp
  };
}

const attends: readonly AttentionCase[] = [
  { heads: 1, kvHeads: 1, headSize: 4, lengths: [1, 2] },
  { heads: 6, kvHeads: 2, headSize: 10, lengths: [19, 3, 8], isWhole: true },
  { heads: 2, kvHeads: 2, headSize: 64, lengths: [70, 130, 1, 99] },
  { heads: 2, kvHeads: 1, headSize: 33, lengths: [100, 57], window: 7 },
  { heads: 2, kvHeads: 1, headSize: 16, lengths: [121], softCap: 5, size: 4 },
  { heads: 2, kvHeads: 1, headSize: 20, lengths: [60, 110, 5], bothWays: true },
  { heads: 2, kvHeads: 1, headSize: 20, lengths: [60, 9, 3, 5], bothWays: true, sees: [0, 0, 2, 0] },
  { heads: 2, kvHeads: 1, headSize: 32, lengths: [5, 9] },
  { heads: 6, kvHeads: 2, headSize: 20, lengths: [70, 130, 1, 99], distances: 140, sinks: true },
  { heads: 3, kvHeads: 1, headSize: 8, lengths: [20, 5], bothWays: true, distances: 21, sinks: true },
  { heads: 2, kvHeads: 1, headSize: 32, lengths: [200, 5], distances: 33 }, // farther apart than the table goes
  { heads: 2, kvHeads: 1, headSize: 16, lengths: [121], softCap: 5, size: 4, sinks: true },
  { heads: 3, kvHeads: 3, headSize: 8, lengths: [60, 130, 5], bothWays: true, distances: 301, sinks: true },
  { heads: 2, kvHeads: 1, headSize: 8, lengths: [150, 5], bothWays: true, distances: 41 },
];

const ids = (n: number, below: number): Int32Array => {
  const next = randomBits(3);
  return Int32Array.from({ length: n }, () => next() % below);
};

function crossEntropyTrial(n: number, columns: number, attributes = {}): Trial {
  const logits = wide("x", columns);
  const loss = crossEntropy(logits, whole("targets"), attributes);
  const [dx] = gradients(sumAll(multiply(loss, wide("weights", 1))), [logits]);
  const targets = ids(n, columns);
  if (n > 2) targets[1] = -1;
  return {
    outputs: { loss, dx },
    inputs: { x: randomFloats(1, n * columns, 5), targets, weights: randomFloats(2, n).map(Math.abs) },
    extents: { rows: n },
    tolerance: 2 ** -19, // exponentials of differences from a rounded logarithm
  };
}

/** The gradients of what products in a chain give, by everything in it: values are brought to tiles as they are computed. */
function layerTrial(n: number, width: number, inner: number, isGated: boolean): Trial {
  const [x, dy] = [wide("x", width), wide("dy", width)];
  const of = (seed: number, ...shape: [number] | [number, number]): Tensor => scale(weight(seed, "f32", ...shape), 1.5);
  const [gain, offset, up, upBias, gate, down, downBias] = [
    of(10, width),
    of(11, width),
    of(12, inner, width),
    of(13, inner),
    of(14, inner, width),
    of(15, width, inner),
    of(16, width),
  ];
  const normed = isGated ? rmsNorm(x, gain, 1e-5) : layerNorm(x, gain, offset, 1e-5);
  const fed = linear(normed, up, upBias);
  const inside = isGated ? multiply(silu(linear(normed, gate)), fed) : geluTanh(fed);
  const y = add(x, linear(inside, down, downBias));
  const by = { x, gain, up, upBias, down, downBias, ...(isGated ? { gate } : { offset }) };
  const found = gradients(sumAll(multiply(y, dy)), Object.values(by));
  return {
    outputs: { y, ...Object.fromEntries(Object.keys(by).map((name, i) => [`d ${name}`, found[i]])) },
    inputs: { x: randomFloats(1, n * width), dy: randomFloats(2, n * width) },
    extents: { rows: n },
    tolerance: 2 ** -6,
  };
}

/** A head whose logits nobody else reads. */
function headTrial(n: number, vocabulary: number, attributes = {}): Trial {
  const x = wide("x", 40);
  const head = scale(weight(17, "f32", vocabulary, 40), 2);
  const loss = crossEntropy(linear(x, head), whole("targets"), attributes);
  const [dx, dHead] = gradients(sumAll(multiply(loss, wide("weights", 1))), [x, head]);
  const targets = ids(n, vocabulary);
  if (n > 2) targets[1] = -1;
  return {
    outputs: { loss, dx, dHead },
    inputs: { x: randomFloats(1, n * 40), targets, weights: randomFloats(2, n).map(Math.abs) },
    extents: { rows: n },
    tolerance: 2 ** -6,
  };
}

/** What is computed of numbers rounded to bf16 where there are tiles, and may be as far from the reference. */
export const roundedTrials: readonly Trial[] = [
  ...(
    [
      { heads: 1, kvHeads: 1, headSize: 32, lengths: [5] },
      { heads: 2, kvHeads: 2, headSize: 64, lengths: [70, 130, 1, 99] },
      { heads: 4, kvHeads: 2, headSize: 96, lengths: [33, 31, 64, 97], isWhole: true },
      { heads: 2, kvHeads: 1, headSize: 32, lengths: [100, 57], window: 7 },
      { heads: 2, kvHeads: 1, headSize: 256, lengths: [71] },
      { heads: 20, kvHeads: 20, headSize: 32, lengths: [40, 9] }, // columns of several blocks
      { heads: 2, kvHeads: 1, headSize: 32, lengths: [121], softCap: 2, size: 2 },
      { heads: 2, kvHeads: 1, headSize: 64, lengths: [60, 110, 5], bothWays: true },
      { heads: 4, kvHeads: 2, headSize: 32, lengths: [100, 57, 1], distances: 128, sinks: true },
      { heads: 2, kvHeads: 2, headSize: 32, lengths: [60, 110, 5], bothWays: true, distances: 41 },
    ] satisfies AttentionCase[]
  ).map((attends) => ({ ...attentionTrial(attends), tolerance: 2 ** -6 })),
  layerTrial(3, 5, 7, false),
  layerTrial(33, 34, 40, true),
  layerTrial(70, 40, 72, false),
  layerTrial(64, 64, 608, false),
  layerTrial(70, 40, 72, true),
  headTrial(3, 37),
  headTrial(70, 200),
  headTrial(40, 64, { labelSmoothing: 0.2, zLoss: 1e-3 }),
];

export const trainingTrials: Readonly<Record<string, readonly Trial[]>> = {
  "functions of one number": each((a, b) => ({
    exp: exp(a),
    sigmoid: sigmoid(a),
    logSigmoid: logSigmoid(a),
    step: step(a),
    relu: relu(a),
    roots: sqrt(multiply(a, a)),
    logarithms: log(multiply(b, b)),
  })),
  "functions far from zero": [wide("a", 8)].map((a) => ({
    outputs: { exp: exp(a), sigmoid: sigmoid(a), logSigmoid: logSigmoid(a), step: step(a) },
    inputs: { a: Float32Array.of(-1e4, -95, -30, -0, 0, 30, 80, 88.5) },
    extents: { rows: 1 },
  })),
  "functions of two numbers": each((a, b) => ({
    difference: subtract(a, b),
    quotient: divide(a, b),
    larger: maximum(a, b),
    smaller: minimum(a, b),
  })),
  "operands that are repeated": each(
    (a, b) => ({
      one: multiply(a, sumAll(b)),
      number: subtract(2, divide(a, 3)),
      row: add(a, sumRows(b)),
      column: multiply(subtract(a, sumColumns(b)), sumColumns(a)),
      constant: broadcast(sumAll(a), a.shape),
    }),
    2 ** -19,
  ),
  "rows that are repeated within columns": [
    [1, 6, 3],
    [40, 96, 32],
    [5, 70, 35],
  ].map(([n, columns, size]) => {
    const [a, b] = [wide("a", columns), wide("b", columns)];
    return {
      outputs: { y: multiply(broadcast(sumRows(a, size), b.shape), add(a, b)) },
      inputs: { a: randomFloats(1, n * columns), b: randomFloats(2, n * columns) },
      extents: { rows: n },
      tolerance: 2 ** -19,
    };
  }),
  "chains of many functions and readers": each((a, b) => {
    const gate = sigmoid(a);
    const both = multiply(gate, b);
    const long = subtract(divide(add(both, scale(a, 3)), add(multiply(b, b), 1)), tanh(both));
    return {
      gate,
      long,
      other: add(silu(long), geluTanh(both)),
      sum: sumColumns(long),
      later: add(long, sumColumns(both)),
    };
  }, 2 ** -18),
  sums: each((a, b) => ({ rows: sumRows(a), columns: sumColumns(a), all: sumAll(multiply(a, b)) }), 2 ** -19),
  softmax: each((a) => ({ y: softmax(a), whole: logSumExp(a) }), 2 ** -20),
  columns: [
    [1, 1, 0, 1],
    [3, 5, 2, 2],
    [40, 70, 33, 37],
  ].map(([n, count, first, part]) => {
    const x = wide("x", count);
    return {
      outputs: { part: columns(x, first, part), padded: padColumns(x, first, count + first + 3) },
      inputs: { x: randomFloats(1, n * count) },
      extents: { rows: n },
      tolerance: 0,
    };
  }),
  "columns of parts": [
    [1, 3, 5],
    [40, 20, 33],
  ].map(([n, left, right]) => {
    const [a, b] = [wide("a", 3 * left), wide("b", 3 * right)];
    return {
      outputs: {
        joined: joinColumns(a, b, 3),
        part: columns(a, 1, left - 2, 3),
        padded: padColumns(b, 2, right + 4, 3),
      },
      inputs: { a: randomFloats(1, 3 * n * left), b: randomFloats(2, 3 * n * right) },
      extents: { rows: n },
      tolerance: 0,
    };
  }),
  "rows as columns": [
    [1, 1],
    [3, 70],
    [257, 33],
  ].map(([n, count]) => ({
    outputs: { y: transpose(input("x", [n, count], "f32")) },
    inputs: { x: randomFloats(1, n * count) },
    extents: {},
    tolerance: 0,
  })),
  "sums by id": [
    [1, 3],
    [40, 70],
    [130, 16],
  ].map(([n, columns]) => {
    const numbers = whole("ids");
    const y = scatterAddRows(numbers, wide("x", columns), 37);
    return {
      outputs: { y, z: gather(y, numbers) },
      inputs: { ids: ids(n, 37), x: randomFloats(1, n * columns) },
      extents: { rows: n },
      tolerance: 2 ** -20,
    };
  }),
  "cross-entropy and its gradient": [
    crossEntropyTrial(1, 1),
    crossEntropyTrial(3, 5),
    crossEntropyTrial(40, 257),
    crossEntropyTrial(9, 70, { labelSmoothing: 0.1 }),
    crossEntropyTrial(9, 70, { zLoss: 1e-2 }),
    crossEntropyTrial(9, 64, { labelSmoothing: 0.2, zLoss: 1e-3 }),
  ],
  "gradients of functions": [
    ...gradientTrials((a, b) => multiply(silu(a), b)),
    ...gradientTrials((a, b) => divide(geluTanh(a), b)),
    ...gradientTrials((a, b) => maximum(tanh(a), minimum(b, sigmoid(b)))),
    ...gradientTrials((a, b) => add(softmax(a), logSumExp(b)), 2 ** -14), // small differences of what flows back
    ...gradientTrials((a, b) => multiply(a, sumRows(b)), 2 ** -16),
  ],
  "gradients of norms": [
    [1, 6, 3],
    [3, 64, 64],
    [5, 70, 35],
    [130, 96, 96],
  ].flatMap(([n, columns, size]): Trial[] => {
    const [x, dy] = [wide("x", columns), wide("dy", columns)];
    const [gain, bias] = [weight(4, "f32", columns), weight(5, "f32", columns)];
    const groupGain = weight(6, "f32", size);
    const more = multiply(dy, 3);
    const y = rmsNorm(x, groupGain, 1e-5);
    const z = layerNorm(x, gain, bias, 1e-5);
    const [dx, dGain] = gradients(sumAll(multiply(y, dy)), [x, groupGain]);
    const [ex, eGain, eBias] = gradients(sumAll(multiply(z, dy)), [x, gain, bias]);
    const [fx] = gradients(sumAll(multiply(add(multiply(x, 2), z), more)), [x]); // added to what flows past the norm
    const [onlyGain] = gradients(sumAll(multiply(z, more)), [gain]);
    const inputs = { x: randomFloats(1, n * columns).map((value) => value + 2), dy: randomFloats(2, n * columns) };
    return [
      { outputs: { y, dx, dGain }, inputs, extents: { rows: n }, tolerance: 2 ** -17 },
      { outputs: { z, ex, eGain, eBias, fx, onlyGain }, inputs, extents: { rows: n }, tolerance: 2 ** -16 },
    ];
  }),
  "the gradient of rope": [
    [5, 3, 14, 3],
    [40, 2, 64, 32],
  ].map(([n, heads, headSize, half]) => {
    const [x, dy] = [wide("x", heads * headSize), wide("dy", heads * headSize)];
    const y = rope(x, wide("cos", half), wide("sin", half), { headSize, layout: "halves" });
    return {
      outputs: { dx: gradients(sumAll(multiply(y, dy)), [x])[0] },
      inputs: {
        x: randomFloats(1, n * heads * headSize),
        dy: randomFloats(2, n * heads * headSize),
        cos: randomFloats(3, n * half),
        sin: randomFloats(4, n * half),
      },
      extents: { rows: n },
    };
  }),
  "products of computed matrices": [
    [1, 1, 1],
    [3, 5, 7],
    [40, 70, 33],
    [130, 96, 64],
  ].map(([n, inner, outer]) => {
    const [x, dy] = [wide("x", inner), wide("dy", outer)];
    const w = scale(weight(7, "f32", outer, inner), 2);
    const bias = scale(weight(8, "f32", outer), 2);
    const y = linear(x, w, bias);
    const [dx, dw] = gradients(sumAll(multiply(add(y, dy), dy)), [x, w]);
    return {
      outputs: {
        y,
        dx,
        dw,
        two: add(matmul(x, w, { transposeB: true }), matmul(x, w, { transposeB: true })),
        plus: add(add(dy, 1), linear(x, w)),
      },
      inputs: { x: randomFloats(1, n * inner), dy: randomFloats(2, n * outer) },
      extents: { rows: n },
      tolerance: 2 ** -18,
    };
  }),
  "products by weights, summed over their rows": (
    ["f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "mxfp4", "q4_k", "q5_k", "q6_k", "iq4_xs"] as const
  ).map((format) => {
    const columns = formats[format].blockSize === 256 ? 512 : format === "f32" ? 70 : 96;
    const frozen = weight(7, format, 21, columns);
    const x = wide("x", columns);
    const y = linear(x, frozen);
    const [dx] = gradients(sumAll(multiply(y, wide("dy", 21))), [x]);
    return {
      outputs: { y: scale(y, 1), dx },
      inputs: { x: randomFloats(1, 5 * columns), dy: randomFloats(2, 5 * 21) },
      extents: { rows: 5 },
      tolerance: 2 ** -18,
    };
  }),
  "attention of rows and its gradient": attends.map(attentionTrial),
  "values of few rows": [
    {
      outputs: { y: add(linear(matrix("x", 20), scale(weight(9, "f32", 5, 20), 1)), matrix("z", 5)) },
      inputs: { x: randomFloats(1, 40), z: randomFloats(2, 10) },
      extents: { rows: 2 },
    },
  ],
};
