// The shape rules of the ops that training needs besides: what each gives, and what each refuses. Others: ops.test.ts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError, UnsupportedError } from "../../base/errors.ts";
import {
  type RowAttentionAttributes,
  type RowAttentionInputs,
  type Tensor,
  add,
  assign,
  broadcast,
  columns,
  constant,
  crossEntropy,
  divide,
  input,
  logSumExp,
  matmul,
  maximum,
  multiply,
  padColumns,
  rowAttention,
  scatterAddRows,
  showShape,
  softmax,
  state,
  subtract,
  sumAll,
  sumColumns,
  sumRows,
} from "../index.ts";

const rows = { name: "rows", bound: 8 };
const x = input("x", [rows, 12], "f32");
const ids = input("ids", [rows], "i32");
const f32 = (...shape: (number | typeof rows)[]): Tensor => input("f", shape, "f32");
const attend = (inputs: Partial<RowAttentionInputs>, attributes: Partial<RowAttentionAttributes> = {}): Tensor =>
  rowAttention(
    { q: x, k: f32(rows, 6), v: f32(rows, 6), starts: ids, ...inputs },
    { heads: 6, kvHeads: 3, scale: 0.5, ...attributes },
  );

describe("shape rules of training's ops", () => {
  const gives: Record<string, [Tensor, string]> = {
    sumRows: [sumRows(x), "[12] f32"],
    "sumRows of groups": [sumRows(x, 4), "[4] f32"],
    sumColumns: [sumColumns(x), "[rows<=8, 1] f32"],
    sumAll: [sumAll(x), "[1] f32"],
    "sumAll of a vector": [sumAll(f32(5)), "[1] f32"],
    "broadcast of a short row": [broadcast(f32(3), [rows, 12]), "[rows<=8, 12] f32"],
    constant: [constant(1, [rows, 2]), "[rows<=8, 2] f32"],
    "a row, a column and numbers": [
      divide(1, add(multiply(x, f32(12)), subtract(f32(rows, 1), 2))),
      "[rows<=8, 12] f32",
    ],
    "a column of [1]": [maximum(f32(rows, 1), f32(1)), "[rows<=8, 1] f32"],
    matmul: [matmul(x, f32(12, 5)), "[rows<=8, 5] f32"],
    "matmul by a transposed": [matmul(x, f32(5, 12), { transposeB: true }), "[rows<=8, 5] f32"],
    "matmul of a transposed": [matmul(x, f32(rows, 5), { transposeA: true }), "[12, 5] f32"],
    columns: [columns(x, 3, 4), "[rows<=8, 4] f32"],
    padColumns: [padColumns(x, 3, 20), "[rows<=8, 20] f32"],
    scatterAddRows: [scatterAddRows(ids, x, 100), "[100, 12] f32"],
    softmax: [softmax(x), "[rows<=8, 12] f32"],
    logSumExp: [logSumExp(x), "[rows<=8, 1] f32"],
    crossEntropy: [crossEntropy(x, ids, { labelSmoothing: 0.1 }), "[rows<=8, 1] f32"],
    assign: [assign(state("s", [4, 3], "f16"), f32(4, 3)), "[4, 3] f16"],
    rowAttention: [attend({}, { window: 4, softCap: 50 }), "[rows<=8, 12] f32"],
    "rowAttention in both directions": [attend({ ends: ids }), "[rows<=8, 12] f32"],
    "rowAttention with a bias": [attend({ bias: f32(6, 9), ends: ids }), "[rows<=8, 12] f32"],
  };
  for (const [name, [tensor, shape]] of Object.entries(gives)) {
    test(`${name} gives ${shape}`, () => assert.equal(`${showShape(tensor.shape)} ${tensor.type}`, shape));
  }

  const refuses: Record<string, [() => Tensor, RegExp]> = {
    "add of a row of another length": [() => add(x, f32(11)), /add: b/],
    "add of a short row, which broadcast repeats": [() => add(x, f32(4)), /add: b/],
    "a row and a column": [() => add(f32(12), f32(rows, 1)), /add: b/],
    "sumRows of groups that do not divide": [() => sumRows(x, 5), /sumRows: columns/],
    "sumColumns of a vector": [() => sumColumns(f32(5)), /sumColumns: x/],
    "sums of whole numbers": [() => sumAll(ids), /sumAll: x/],
    "broadcast of a row that does not divide": [() => broadcast(f32(5), [rows, 12]), /broadcast: x/],
    "broadcast of a column of other rows": [() => broadcast(f32(3, 1), [rows, 12]), /broadcast: x/],
    "matmul with another inner size": [() => matmul(x, f32(11, 5)), /matmul: inner size of b/],
    "matmul whose columns vary": [() => matmul(f32(5, 12), x, { transposeB: true }), /matmul: columns/],
    "columns past the last": [() => columns(x, 10, 3), /columns: columns.*10 to 12.*0 to 11/],
    "no columns": [() => columns(x, 10, 0), /columns: columns/],
    "padColumns into fewer": [() => padColumns(x, 1, 12), /padColumns: columns/],
    "scatterAddRows of other rows": [() => scatterAddRows(ids, f32(3, 12), 9), /scatterAddRows: rows/],
    "crossEntropy to floats": [() => crossEntropy(x, f32(rows)), /crossEntropy: targets/],
    "crossEntropy smoothed away": [() => crossEntropy(x, ids, { labelSmoothing: 1 }), /labelSmoothing/],
    "crossEntropy with a negative z-loss": [() => crossEntropy(x, ids, { zLoss: -1 }), /zLoss/],
    "assign of another shape": [() => assign(state("s", [4, 3], "f32"), f32(3, 4)), /assign: value/],
    "assign to whole numbers": [() => assign(state("s", [4], "i32"), f32(4)), /assign: state/],
    "rowAttention with heads that do not divide": [() => attend({}, { heads: 5 }), /rowAttention: q columns/],
    "rowAttention over unlike values": [() => attend({ v: f32(rows, 4) }), /rowAttention: v/],
    "rowAttention from float starts": [() => attend({ starts: f32(rows) }), /rowAttention: starts/],
    "rowAttention in both directions with an even bias": [
      () => attend({ bias: f32(6, 8), ends: ids }),
      /both directions.*8.*odd/,
    ],
    "rowAttention with an empty window": [() => attend({}, { window: 0 }), /rowAttention: window/],
  };
  for (const [name, [build, message]] of Object.entries(refuses)) {
    test(`refuses ${name}`, () =>
      assert.throws(build, (error) => error instanceof ShapeError && message.test(error.message)));
  }

  test("says what it cannot do", () => {
    assert.throws(() => matmul(x, x, { transposeA: true, transposeB: true }), UnsupportedError);
    assert.throws(() => attend({ ends: ids }, { window: 3 }), UnsupportedError);
  });
});
