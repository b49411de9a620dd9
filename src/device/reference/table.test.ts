// Each evaluation against the definition of its op, on numbers small enough to follow.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as ops from "../../graph/index.ts";
import type { ResultSize } from "./evaluation.ts";
import { F32State, Matrix, type Rows } from "./rows.ts";
import { evaluations } from "./table.ts";

const pacer = { due: () => false, giveWay: async () => {} };

/** Rows of plain numbers. */
const of = (...rows: number[][]): Rows => new Matrix(Float64Array.from(rows.flat()), rows.length, rows[0].length);

async function evaluate(
  opName: string,
  inputs: readonly Rows[],
  attributes: object = {},
  size: ResultSize = { rows: NaN, columns: NaN },
): Promise<number[][]> {
  const result = await evaluations.get(opName)?.evaluate(inputs, attributes, pacer, size);
  assert.ok(result !== undefined);
  return Array.from({ length: result.rows }, (_, i) => Array.from(result.row(i)));
}

function close(found: number[][], expected: number[][]): void {
  assert.equal(found.length, expected.length);
  for (const [i, row] of expected.entries()) {
    for (const [j, value] of row.entries())
      assert.ok(Math.abs(found[i][j] - value) < 1e-12, `[${i}, ${j}] is ${found[i][j]}`);
  }
}

describe("the reference's evaluations", () => {
  test("linear is x Wᵀ + b", async () => {
    const [x, w, b] = [of([1, 2], [3, 4]), of([5, 6], [7, 8], [9, 10]), of([0.5, 0, -1])];
    close(await evaluate("linear", [x, w, b]), [
      [17.5, 23, 28],
      [39.5, 53, 66],
    ]);
  });

  test("gather takes rows by id, writeRows puts rows at slots", async () => {
    const table = of([1, 2], [3, 4], [5, 6]);
    close(await evaluate("gather", [table, of([2, 0, 2])], {}, { rows: 3, columns: 2 }), [
      [5, 6],
      [1, 2],
      [5, 6],
    ]);
    const two = of([2, 0], [1, 1]);
    close(await evaluate("gather", [table, two], {}, { rows: 2, columns: 4 }), [
      [5, 6, 1, 2],
      [3, 4, 3, 4],
    ]);
    const state = new F32State(3, 2);
    close(await evaluate("writeRows", [state, of([2, 0]), of([1, 2], [3, 4])]), [
      [3, 4],
      [0, 0],
      [1, 2],
    ]);
  });

  test("scatterAddRows adds up rows of one id, assign replaces a state whole", async () => {
    const rows = of([1, 2], [3, 4], [5, 6]);
    close(await evaluate("scatterAddRows", [of([2, 0, 2]), rows], {}, { rows: 4, columns: 2 }), [
      [3, 4],
      [0, 0],
      [6, 8],
      [0, 0],
    ]);
    const state = new F32State(3, 2);
    const assigned = await evaluate("assign", [state, rows]);
    close(assigned, [
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    assert.deepEqual([...state.values], assigned.flat());
  });

  test("matmul in its three transpositions", async () => {
    const [a, b, c] = [of([1, 2, 3], [4, 5, 6]), of([1, 0, -1], [2, 1, 0]), of([1, 2], [3, 4], [5, 6])];
    close(await evaluate("matmul", [a, c]), [
      [22, 28],
      [49, 64],
    ]);
    close(await evaluate("matmul", [a, b], { transposeB: true }), [
      [-2, 4],
      [-2, 13],
    ]);
    close(await evaluate("matmul", [a, b], { transposeA: true }), [
      [9, 4, -1],
      [12, 5, -2],
      [15, 6, -3],
    ]);
  });

  test("sums over rows, groups of columns, columns and everything, and what repeats them", async () => {
    const x = of([1, 2, 3, 4], [10, 20, 30, 40]);
    close(await evaluate("sumRows", [x], { columns: 4 }), [[11, 22, 33, 44]]);
    close(await evaluate("sumRows", [x], { columns: 2 }), [[44, 66]]);
    close(await evaluate("sumColumns", [x]), [[10], [100]]);
    close(await evaluate("sumAll", [x]), [[110]]);
    const size = { rows: 2, columns: 4 };
    close(await evaluate("broadcast", [of([7])], {}, size), [
      [7, 7, 7, 7],
      [7, 7, 7, 7],
    ]);
    close(await evaluate("broadcast", [of([7, 8])], {}, size), [
      [7, 8, 7, 8],
      [7, 8, 7, 8],
    ]);
    close(await evaluate("broadcast", [of([7], [8])], {}, size), [
      [7, 7, 7, 7],
      [8, 8, 8, 8],
    ]);
  });

  test("columns takes a range, padColumns puts it among zeros", async () => {
    close(await evaluate("columns", [of([1, 2, 3], [4, 5, 6])], { first: 1, count: 2 }), [
      [2, 3],
      [5, 6],
    ]);
    close(await evaluate("padColumns", [of([1, 2], [3, 4])], { first: 1, columns: 4 }), [
      [0, 1, 2, 0],
      [0, 3, 4, 0],
    ]);
  });

  test("joinColumns puts each part of one behind that of the other", async () => {
    close(await evaluate("joinColumns", [of([1, 2, 3, 4]), of([5, 6])], { parts: 2 }), [[1, 2, 5, 3, 4, 6]]);
  });

  test("softmax, its logarithm's denominator and cross-entropy hold for logits of a thousand", async () => {
    const logits = of([1000, 1000 + Math.log(3)], [Math.log(3), 0]);
    close(await evaluate("softmax", [logits]), [
      [0.25, 0.75],
      [0.75, 0.25],
    ]);
    close(await evaluate("logSumExp", [logits]), [[1000 + Math.log(4)], [Math.log(4)]]);
    close(await evaluate("crossEntropy", [logits, of([0, -100])]), [[Math.log(4)], [0]]);
    const smooth = { labelSmoothing: 0.5, zLoss: 0.25 };
    const [whole, seen] = [Math.log(4), Math.log(3)];
    close(await evaluate("crossEntropy", [logits, of([-1, 0])], smooth), [
      [0],
      [whole - 0.5 * seen - 0.5 * (seen / 2) + 0.25 * whole ** 2],
    ]);
  });

  test("gatherMatmul multiplies each row by the matrix it chooses, 0 by none", async () => {
    const tables = of([1, 2], [10, 20], [3, 4], [30, 40]);
    const x = of([1, 1], [1, 2], [5, 6]);
    close(await evaluate("gatherMatmul", [x, tables, of([1, 2, 0])]), [
      [11, 22],
      [63, 84],
      [0, 0],
    ]);
    const addend = of([1, 1], [2, 2], [3, 3]);
    close(await evaluate("gatherMatmul", [x, tables, of([2, 0, 1]), addend]), [
      [34, 45],
      [2, 2],
      [68, 133],
    ]);
    await assert.rejects(evaluate("gatherMatmul", [x, tables, of([1, 3, 1])]), /choice/);
  });

  test("topColumns names the largest, of equal ones the first, of the best groups", async () => {
    const x = of([3, 9, 1, 9, 2, 8]);
    close(await evaluate("topColumns", [x], { count: 4 }), [[1, 3, 5, 0]]);
    close(await evaluate("topColumns", [x], { count: 2, groups: { count: 3, kept: 2, by: 1 } }), [[1, 3]]);
    // sums of two: 12, 10, 10
    close(await evaluate("topColumns", [x], { count: 3, groups: { count: 3, kept: 2, by: 2 } }), [[1, 3, 0]]);
    const columns = of([2, 0], [1, 1]);
    const values = of([1, 2, 3], [4, 5, 6]);
    close(await evaluate("gatherColumns", [values, columns]), [
      [3, 1],
      [5, 5],
    ]);
    close(await evaluate("scatterColumns", [columns, of([1, 2], [3, 4])], { count: 3 }), [
      [2, 0, 1],
      [0, 7, 0],
    ]);
    await assert.rejects(evaluate("gatherColumns", [values, of([3, 0], [0, 0])]), /column/);
  });

  test("rows go through the matrices they choose, there and back", async () => {
    const weight = of([1, 2], [10, 20], [3, 4], [30, 40]); // two of (2, 2)
    const choices = of([1, 0], [1, 1]);
    const size = { rows: 2, columns: 4 };
    close(await evaluate("expertLinear", [of([1, 1], [1, 2]), weight, choices], { experts: 2 }, size), [
      [7, 70, 3, 30],
      [11, 110, 11, 110],
    ]);
    close(await evaluate("expertLinear", [of([1, 1, 0, 1], [1, 2, 0, 0]), weight, choices], { experts: 2 }, size), [
      [7, 70, 2, 20],
      [11, 110, 0, 0],
    ]);
    close(await evaluate("expertTransposed", [of([1, 1, 1, 0], [0, 1, 2, 0]), weight, choices], { experts: 2 }, size), [
      [33, 44, 1, 2],
      [30, 40, 6, 8],
    ]);
    const products = { experts: 2, inner: 2 };
    const y = of([1, 0, 2, 3], [1, 1, 0, 0]);
    close(await evaluate("expertProducts", [y, of([5, 6], [7, 8]), choices], products, { rows: 4, columns: 2 }), [
      [10, 12],
      [15, 18],
      [12, 14],
      [7, 8],
    ]);
    const wrong = evaluate("expertLinear", [of([1, 1]), weight, of([2, 0])], { experts: 2 }, { rows: 1, columns: 4 });
    await assert.rejects(wrong, /expert/);
  });

  test("parts of rows are mixed, spread and compared", async () => {
    const [parts, weights, x] = [of([1, 2, 3, 4]), of([10, 1]), of([5, 6])];
    close(await evaluate("mixParts", [parts, weights], {}, { rows: 1, columns: 2 }), [[13, 24]]);
    close(await evaluate("spreadParts", [x, weights], {}, { rows: 1, columns: 4 }), [[50, 60, 5, 6]]);
    close(await evaluate("dotParts", [parts, x], {}, { rows: 1, columns: 2 }), [[17, 39]]);
  });

  test("rmsNorm norms each group of columns on its own", async () => {
    const root = Math.sqrt((9 + 16) / 2 + 0.5);
    close(await evaluate("rmsNorm", [of([3, 4, 0, 0]), of([1, 2])], { epsilon: 0.5 }), [[3 / root, 8 / root, 0, 0]]);
  });

  test("layerNorm takes the mean away and divides by the population's deviation", async () => {
    close(await evaluate("layerNorm", [of([1, 3]), of([2, 2]), of([10, 0])], { epsilon: 3 }), [[10 - 1, 1]]);
  });

  test("element-wise ops", async () => {
    const x = of([-1, 2]);
    close(await evaluate("unary", [x], { kind: "silu" }), [[-1 / (1 + Math.E), 2 / (1 + Math.exp(-2))]]);
    close(await evaluate("unary", [x], { kind: "tanh" }), [[Math.tanh(-1), Math.tanh(2)]]);
    // 0.84119... and 1.95459... are the tanh form's values at 1 and 2; gelu(-x) = gelu(x) - x
    const found = await evaluate("unary", [x], { kind: "geluTanh" });
    assert.ok(Math.abs(found[0][0] + 0.158808) < 1e-6 && Math.abs(found[0][1] - 1.954598) < 1e-6);
    close(await evaluate("binary", [x, of([3, 4])], { kind: "add" }), [[2, 6]]);
    close(await evaluate("binary", [x, of([3, 4])], { kind: "multiply" }), [[-3, 8]]);
    close(await evaluate("scale", [x], { factor: 0.5 }), [[-0.5, 1]]);
    close(await evaluate("constant", [], { value: 3 }), [[3]]);
    close(await evaluate("unary", [of([-1, 0, 2])], { kind: "step" }), [[0, 0, 1]]);
    close(await evaluate("unary", [of([-1000, 0, 1000])], { kind: "logSigmoid" }), [[-1000, -Math.LN2, 0]]);
  });

  test("rope turns pairs of the first columns by 90 degrees, in either layout, and lets the rest pass", async () => {
    const [x, cos, sin] = [of([1, 2, 3, 4, 5]), of([0, 1]), of([1, 0])]; // pair 0 turns, pair 1 stays
    close(await evaluate("rope", [x, cos, sin], { headSize: 5, layout: "halves" }), [[-3, 2, 1, 4, 5]]);
    close(await evaluate("rope", [x, cos, sin], { headSize: 5, layout: "interleaved" }), [[-2, 1, 3, 4, 5]]);
  });
});

/** Softmax of `scores` as weights of what they see. */
function mixed(scores: readonly number[], seen: readonly number[]): number {
  const weights = scores.map(Math.exp);
  return weights.reduce((sum, weight, i) => sum + weight * seen[i], 0) / weights.reduce((a, b) => a + b);
}

const bent = (score: number): number => 0.7 * Math.tanh(score / 0.7);

describe("the reference's attention", () => {
  // two heads of one column over one key-value head; pages of two slots: positions 0 1 | 2 3 lie in pages 1 and 0
  const keys = new F32State(4, 1);
  const values = new F32State(4, 1);
  for (const [position, slot] of [2, 3, 0, 1].entries()) {
    keys.store(slot, [position]);
    values.store(slot, [10 ** position]);
  }
  const attributes = { heads: 2, kvHeads: 1, scale: 0.5, pageSize: 2 };
  const at = (position: number, extra: object = {}): Promise<number[][]> =>
    evaluate("attention", [of([1, -2]), keys, values, of([1, 0]), of([position]), of([0])], {
      ...attributes,
      ...extra,
    });

  test("sees its own position and those before, in pages wherever they lie", async () => {
    close(await at(0), [[1, 1]]);
    close(await at(2), [[mixed([0, 0.5, 1], [1, 10, 100]), mixed([0, -1, -2], [1, 10, 100])]]);
  });

  test("a window of two sees its own position and the one before", async () => {
    close(await at(3, { window: 2 }), [[mixed([1, 1.5], [100, 1000]), mixed([-2, -3], [100, 1000])]]);
    close(await at(0, { window: 2 }), [[1, 1]]);
  });

  test("a soft cap bends scores before the softmax", async () => {
    close(await at(1, { softCap: 0.7 }), [[mixed([0, bent(0.5)], [1, 10]), mixed([0, bent(-1)], [1, 10])]]);
  });

  test("a bias has a column for each distance, the query's own last", async () => {
    const [q, cached] = [of([0, 0]), [of([1, 0]), of([1]), of([0])]]; // the query at 1 sees positions 0 and 1
    const bias = of([9, 9, 3, 0], [9, 9, 0, 5]);
    const found = await evaluate("attention", [q, keys, values, ...cached, bias], { ...attributes, hasBias: true });
    close(found, [[mixed([3, 0], [1, 10]), mixed([0, 5], [1, 10])]]);
  });

  test("a sink takes a share that nobody has", async () => {
    const [q, cached] = [of([0, 0]), [of([1, 0]), of([1]), of([0])]];
    const found = await evaluate("attention", [q, keys, values, ...cached, of([0, 2])], {
      ...attributes,
      hasSinks: true,
    });
    close(found, [[11 / 3, 11 / (2 + Math.E ** 2)]]);
  });

  test("scores of a thousand overflow nothing", async () => {
    close(await at(1, { scale: 1000 }), [[10, 1]]);
  });
});

describe("the reference's attention of rows", () => {
  // two heads of one column over one key-value head, as above
  const [q, k, v] = [of([1, -2], [1, -2], [1, -2]), of([0], [1], [2]), of([1], [10], [100])];
  const attributes = { heads: 2, kvHeads: 1, scale: 0.5 };
  const rows = (inputs: readonly Rows[], extra: object = {}): Promise<number[][]> =>
    evaluate("rowAttention", inputs, { ...attributes, ...extra });

  test("sees the rows of its document up to its own", async () => {
    close(await rows([q, k, v, of([0, 0, 2])]), [
      [1, 1],
      [mixed([0, 0.5], [1, 10]), mixed([0, -1], [1, 10])],
      [100, 100],
    ]);
  });

  test("with ends it sees the whole document", async () => {
    const all = [mixed([0, 0.5], [1, 10]), mixed([0, -1], [1, 10])];
    close(await rows([q, k, v, of([0, 0, 2]), of([2, 2, 3])]), [all, all, [100, 100]]);
  });

  test("windows and caps as over a cache", async () => {
    close((await rows([q, k, v, of([0, 0, 0])], { window: 2, softCap: 0.7 })).slice(2), [
      [mixed([bent(0.5), bent(1)], [10, 100]), mixed([bent(-1), bent(-2)], [10, 100])],
    ]);
  });
});

test("there is an evaluation for every op that a forward can be written in", () => {
  const names = Object.values(ops)
    .filter((value) => typeof value === "object" && "infer" in value)
    .map((op) => op.name);
  assert.deepEqual(names.sort(), [...evaluations.keys()].sort());
});
