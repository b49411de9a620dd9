// Every gradient against central differences of its op's reference evaluation, in f64 on small random numbers.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as graphLayer from "../../src/graph/index.ts";
import {
  type BinaryName,
  type Op,
  type Tensor,
  type UnaryName,
  add,
  apply,
  binaryFunctions,
  binaryOp,
  broadcast,
  columns,
  constant,
  crossEntropy,
  divide,
  spreadParts,
  scatterColumns,
  mixParts,
  gatherColumns,
  expertTransposed,
  expertProducts,
  expertLinear,
  dotParts,
  exp,
  gather,
  gradients,
  graph,
  isInput,
  joinColumns,
  layerNorm,
  leafName,
  linear,
  logSoftmax,
  logSumExp,
  matmul,
  multiply,
  padColumns,
  relu,
  rmsNorm,
  rope,
  rowAttention,
  scale,
  scatterAddRows,
  sign,
  sigmoid,
  softmax,
  subtract,
  sumAll,
  sumColumns,
  sumRows,
  transpose,
  unaryFunctions,
  unaryOp,
} from "../../src/graph/index.ts";
import { type Values, elementsOf, evaluate, floats, ints, randomNumbers } from "./values.ts";

const rows = { name: "rows", bound: 8 };
const extents = { rows: 5 };
const STEP = 1e-5;
// Central differences are off by STEP² f'''/6 and by rounding, 2^-52 |f| / STEP: about 1e-10 of sums of tens.
const TOLERANCE = 2e-8;

interface Case {
  readonly y: Tensor;
  /** Numbers of leaves that are not random, such as ids. */
  readonly given?: Values;
}

const x = floats("x", rows, 6);
/** All numbers positive. */
const positive = (tensor: Tensor): Tensor => add(multiply(tensor, tensor), 0.5);

const unaryCases = (Object.keys(unaryFunctions) as UnaryName[]).map((kind): [string, Case] => {
  const argument = kind === "log" || kind === "sqrt" ? positive(x) : x;
  return [kind, { y: apply(unaryOp, [argument], { kind }) }];
});
const binaryCases = (Object.keys(binaryFunctions) as BinaryName[]).map((kind): [string, Case] => {
  return [kind, { y: apply(binaryOp, [x, positive(floats("b", rows, 6))], { kind }) }];
});

const starts = ints("starts", rows);
const ends = ints("ends", rows);
const packed = { starts: [0, 0, 0, 3, 3], ends: [3, 3, 3, 5, 5] };
const heads = { heads: 4, kvHeads: 2, scale: 0.7 };
const qkv = (): { q: Tensor; k: Tensor; v: Tensor; starts: Tensor } => {
  return { q: floats("q", rows, 12), k: floats("k", rows, 6), v: floats("v", rows, 6), starts };
};
const attentionCases: Record<string, Case> = {
  "rowAttention of packed documents": { y: rowAttention(qkv(), heads), given: packed },
  "rowAttention in both directions": { y: rowAttention({ ...qkv(), ends }, heads), given: packed },
  "rowAttention with a window": { y: rowAttention(qkv(), { ...heads, window: 2 }), given: packed },
  "rowAttention with a soft cap": { y: rowAttention(qkv(), { ...heads, softCap: 1.5 }), given: packed },
  "rowAttention in both directions with a soft cap": {
    y: rowAttention({ ...qkv(), ends }, { ...heads, softCap: 0.8 }),
    given: packed,
  },
  "rowAttention with a bias by distance": {
    y: rowAttention({ ...qkv(), bias: floats("bias", 4, 2) }, { ...heads, window: 3 }),
    given: packed,
  },
  "rowAttention in both directions with a bias and sinks": {
    y: rowAttention({ ...qkv(), ends, bias: floats("bias", 4, 5), sinks: floats("sinks", 4) }, heads),
    given: packed,
  },
  "rowAttention with sinks and a soft cap": {
    y: rowAttention({ ...qkv(), sinks: floats("sinks", 4) }, { ...heads, softCap: 0.8 }),
    given: packed,
  },
};

const ids = ints("ids", rows);
const targets = ints("targets", rows);
const someTargets = { targets: [3, -100, 0, 5, 3] };
const ropeOf = (layout: "halves" | "interleaved", half: number): Case => {
  const turned = rope(floats("x", rows, 12), floats("cos", rows, half), floats("sin", rows, half), {
    headSize: 6,
    layout,
  });
  return {
    y: turned,
    given: { cos: randomNumbers(90, 5 * half).map(Math.cos), sin: randomNumbers(90, 5 * half).map(Math.sin) },
  };
};

const choices = ints("choices", rows, 2);
const chosen = { choices: [2, 0, 0, 2, 1, 2, 2, 1, 0, 1] };
const [parts, shares] = [floats("parts", rows, 6), floats("shares", rows, 2)];
const expertCases: Readonly<Record<string, Case>> = {
  "expertLinear of rows that choices share": {
    y: expertLinear(floats("x", rows, 4), floats("w", 9, 4), choices, 3),
    given: chosen,
  },
  "expertLinear of parts": { y: expertLinear(floats("x", rows, 8), floats("w", 9, 4), choices, 3), given: chosen },
  expertTransposed: { y: expertTransposed(parts, floats("w", 9, 4), choices, 3), given: chosen },
  expertProducts: { y: expertProducts(parts, floats("x", rows, 4), choices, 3, 4), given: chosen },
  "expertProducts of parts": { y: expertProducts(parts, floats("x", rows, 8), choices, 3, 4), given: chosen },
  mixParts: { y: mixParts(parts, shares) },
  spreadParts: { y: spreadParts(floats("x", rows, 3), shares) },
  dotParts: { y: dotParts(parts, floats("x", rows, 3)) },
  gatherColumns: { y: gatherColumns(floats("x", rows, 3), choices), given: chosen },
  scatterColumns: { y: scatterColumns(choices, shares, 3), given: chosen },
  "gather of several rows": { y: gather(floats("table", 3, 2), choices), given: chosen },
  "scatterAddRows of several rows": { y: scatterAddRows(choices, parts, 3), given: chosen },
};

const cases: Readonly<Record<string, Case>> = {
  ...expertCases,
  ...Object.fromEntries([...unaryCases, ...binaryCases]),
  ...attentionCases,
  scale: { y: scale(x, -1.7) },
  "a value read three times": { y: multiply(add(x, sigmoid(x)), x) },
  "numbers on either side": { y: divide(2, positive(subtract(1, x))) },
  "by one number": { y: divide(x, positive(floats("b", 1))) },
  "one number by all": { y: divide(floats("a", 1), positive(x)) },
  "by a row": { y: multiply(x, floats("b", 6)) },
  "by a column": { y: divide(x, positive(floats("b", rows, 1))) },
  "a column by all": { y: subtract(floats("a", rows, 1), x) },
  "a vector by one number": { y: multiply(floats("a", 7), floats("b", 1)) },
  "relu and sign": { y: multiply(relu(x), sign(x)) },
  sumRows: { y: exp(sumRows(x)) },
  "sumRows of groups": { y: exp(scale(sumRows(x, 2), 0.1)) },
  sumColumns: { y: exp(sumColumns(x)) },
  sumAll: { y: multiply(sumAll(x), sumAll(floats("v", 3))) },
  "broadcast of a row, twice": { y: broadcast(floats("b", 3), [rows, 6]) },
  "broadcast of one number": { y: broadcast(floats("b", 1), [4]) },
  matmul: { y: matmul(floats("a", rows, 3), floats("b", 3, 4)) },
  "matmul by a transposed": { y: matmul(floats("a", rows, 3), floats("b", 4, 3), { transposeB: true }) },
  "matmul of a transposed": { y: matmul(floats("a", rows, 3), floats("b", rows, 4), { transposeA: true }) },
  linear: { y: linear(x, floats("w", 4, 6), floats("bias", 4)) },
  "linear without a bias": { y: linear(x, floats("w", 4, 6)) },
  columns: { y: columns(x, 2, 3) },
  columnsOfParts: { y: columns(x, 1, 2, 2) },
  joinColumns: { y: joinColumns(x, scale(x, 2), 2) },
  transpose: { y: exp(transpose(floats("a", 4, 3))) },
  padColumns: { y: padColumns(x, 2, 9) },
  padColumnsOfParts: { y: padColumns(x, 1, 5, 2) },
  gather: { y: gather(floats("table", 4, 3), ids), given: { ids: [1, 3, 1, 0, 1] } },
  scatterAddRows: { y: scatterAddRows(ids, x, 4), given: { ids: [1, 3, 1, 0, 1] } },
  rmsNorm: { y: rmsNorm(x, floats("gain", 6), 1e-3) },
  "rmsNorm of groups": { y: rmsNorm(x, floats("gain", 3), 1e-3) },
  layerNorm: { y: layerNorm(x, floats("gain", 6), floats("bias", 6), 1e-3) },
  "rope of halves": ropeOf("halves", 3),
  "rope of neighbours": ropeOf("interleaved", 3),
  "rope of a part": ropeOf("halves", 2),
  "rope of a part of neighbours": ropeOf("interleaved", 1),
  softmax: { y: softmax(x) },
  logSumExp: { y: logSumExp(x) },
  logSoftmax: { y: logSoftmax(x) },
  crossEntropy: { y: crossEntropy(x, targets), given: someTargets },
  "crossEntropy, smoothed and with a z-loss": {
    y: crossEntropy(x, targets, { labelSmoothing: 0.1, zLoss: 0.3 }),
    given: someTargets,
  },
  constant: { y: add(x, constant(3)) },
};

/** The largest difference between what `gradients` gives and central differences, over all float leaves. */
async function largestDifference({ y, given = {} }: Case): Promise<number> {
  // every element of y counts on its own
  const loss = sumAll(multiply(y, floats("upstream", ...y.shape)));
  const forward = graph({ loss });
  const leaves = [...forward.inputs.values()].filter(({ type }) => type === "f32");
  const variable = leaves.filter((leaf) => leafName(leaf) !== "upstream" && !(leafName(leaf) in given));
  const values: Record<string, Float64Array> = {};
  for (const [i, leaf] of leaves.entries()) values[leafName(leaf)] = randomNumbers(i, elementsOf(leaf.shape, extents));
  const all = { ...values, ...given };
  const backward = Object.fromEntries(gradients(loss, variable).map((tensor, i) => [leafName(variable[i]), tensor]));
  const found = await evaluate(graph(backward), all, extents);
  const lossAt = async (): Promise<number> => (await evaluate<"loss">(forward, all, extents)).loss[0];
  let largest = 0;
  for (const name of variable.map(leafName)) {
    assert.equal(found[name].length, values[name].length);
    for (const [i, middle] of values[name].entries()) {
      values[name][i] = middle + STEP;
      const above = await lossAt();
      values[name][i] = middle - STEP;
      const below = await lossAt();
      values[name][i] = middle;
      const expected = (above - below) / (2 * STEP);
      const difference = Math.abs(found[name][i] - expected) / Math.max(1, Math.abs(expected));
      largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
    }
  }
  return largest;
}

describe("gradients are what differences say", () => {
  for (const [name, it] of Object.entries(cases)) {
    test(name, async () => {
      const difference = await largestDifference(it);
      assert.ok(difference <= TOLERANCE, `off by ${difference}`);
    });
  }

  test("every op that has a gradient is among them", () => {
    const tested = new Set(Object.values(cases).flatMap(({ y }) => graph({ y }).nodes.map((node) => node.op.name)));
    const all = Object.values(graphLayer)
      .filter((value): value is Op => typeof value === "object" && "gradient" in value)
      .map((op) => op.name);
    assert.ok(all.length > 15);
    assert.deepEqual(
      all.filter((name) => !tested.has(name)),
      [],
    );
  });

  test("a difference is seen", async () => {
    const doubled: Op = { ...(binaryOp as Op), gradient: (_, dy, [, b]) => [multiply(dy, b), dy] };
    const wrong = apply(doubled, [x, floats("b", rows, 6)], { kind: "multiply" });
    assert.ok(graph({ wrong }).nodes.filter(isInput).length === 2);
    assert.ok((await largestDifference({ y: wrong })) > 0.01);
  });
});
