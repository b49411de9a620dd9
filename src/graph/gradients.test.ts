import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError, UnsupportedError } from "../base/errors.ts";
import {
  type Op,
  type Tensor,
  apply,
  attributesOf,
  binaryOp,
  blockMax,
  add,
  constantOp,
  changing,
  exp,
  gatherColumns,
  gradients,
  graph,
  input,
  linear,
  multiply,
  parameter,
  rmsNorm,
  scale,
  sigmoid,
  silu,
  state,
  sumAll,
  topColumns,
  unaryOp,
} from "./index.ts";

const rows = { name: "rows", bound: 8 };
const x = input("x", [rows, 4], "f32");
const w = state("w", [4, 4], "f32");
const gain = parameter("gain", [4]);
const isSilu = (node: Tensor): boolean => isAlso(node, unaryOp) && attributesOf(node, unaryOp).kind === "silu";
const isAlso = (node: Tensor, op: Op<never>): boolean => node.op === (op as Op);

describe("gradients", () => {
  test("have the shapes of what they are by, and are of the same graph", () => {
    const bias = state("bias", [4], "f32");
    const [dw, db] = gradients(sumAll(silu(linear(x, w, bias))), [w, bias]);
    assert.deepEqual([dw.shape, db.shape], [w.shape, bias.shape]);
    const { states, inputs } = graph({ dw, db });
    assert.deepEqual([...states.values(), ...inputs.values()], [w, bias, x]);
  });

  test("of a loss by itself is one", () => {
    const loss = sumAll(x);
    const [one] = gradients(loss, [loss]);
    assert.equal(attributesOf(one, constantOp).value, 1);
  });

  test("flow to a value in the middle, and past it where that is asked for too", () => {
    const middle = linear(x, w);
    const [dy, dw] = gradients(sumAll(exp(middle)), [middle, w]);
    assert.deepEqual([dy.shape, dw.shape], [middle.shape, w.shape]);
    assert.ok(graph({ dw }).nodes.includes(dy));
  });

  test("of a value read twice are added up, last reader first", () => {
    const once = scale(x, 2);
    const [dx] = gradients(sumAll(multiply(sigmoid(once), once)), [once]);
    assert.ok(isAlso(dx, binaryOp) && attributesOf(dx, binaryOp).kind === "add");
    const last = dx.inputs[0].op; // through the product, which reads it after sigmoid
    assert.ok(last === (binaryOp as Op) && attributesOf(dx.inputs[0], binaryOp).kind === "multiply");
  });

  test("pass no value that is fixed", () => {
    const gate = sigmoid(linear(x, w));
    const free = gradients(sumAll(multiply(gate, x)), [x]);
    const [dx] = gradients(sumAll(multiply(gate, x)), [x], { fixed: [gate] });
    assert.ok(graph({ free: free[0] }).nodes.length > graph({ dx }).nodes.length);
    assert.throws(() => gradients(sumAll(multiply(gate, x)), [w], { fixed: [gate] }), /does not depend on state w/);
  });

  test("a graph of thousands of layers needs no deep stack, nor when all is computed again", () => {
    let y: Tensor = x;
    for (let layer = 0; layer < 20_000; layer++) y = scale(y, 1);
    assert.equal(gradients(sumAll(y), [x], { recompute: () => true }).length, 1);
  });
});

describe("whole numbers", () => {
  const bias = state("selection", [4], "f32");
  const scores = sigmoid(linear(x, w));
  const loss = sumAll(gatherColumns(scores, topColumns(add(scores, bias), 2)));

  test("ask their ops for no gradient: it goes around them", () => {
    const choices = input("choices", [rows, 2], "i32");
    const [given] = gradients(sumAll(gatherColumns(scores, choices)), [w]);
    const [found] = gradients(loss, [w]);
    const names = (tensor: Tensor): string[] => graph({ tensor }).nodes.map(({ op }) => op.name);
    const added = names(found).filter((name) => !names(given).includes(name));
    assert.deepEqual(added, ["topColumns"]);
  });

  test("are all that some values are for, and there is no gradient by those", () => {
    assert.deepEqual(changing(loss, [w, bias, gain]), [w]);
    assert.throws(() => gradients(loss, [w, bias]), /does not depend on state selection/);
  });
});

describe("gradients refuse", () => {
  const refuses: Record<string, [() => unknown, new (...all: never[]) => Error, RegExp]> = {
    "a loss of many numbers": [() => gradients(x, [x]), ShapeError, /loss.*\[1\].*sumAll/],
    "what the loss does not depend on": [
      () => gradients(sumAll(x), [x, w]),
      UnsupportedError,
      /does not depend on state w/,
    ],
    "an op that has none": [() => gradients(sumAll(blockMax(x, 2)), [x]), UnsupportedError, /blockMax has no gradient/],
    "an input that has none": [
      () => gradients(sumAll(turned(x)), [x]),
      UnsupportedError,
      /turn has no gradient by its input 0, input x/,
    ],
    "a gradient that is an op of its own": [
      () => gradients(sumAll(gradients(sumAll(rmsNorm(x, gain, 1e-6)), [x])[0]), [x]),
      UnsupportedError,
      /rmsNormGradient has no gradient/,
    ],
  };
  for (const [name, [build, kind, message]] of Object.entries(refuses)) {
    test(name, () => assert.throws(build, (error) => error instanceof kind && message.test(error.message)));
  }
});

describe("values that are computed again", () => {
  const layer = (y: Tensor): Tensor => linear(silu(linear(y, w)), w);

  test("are made once more each, with the same attributes", () => {
    const loss = sumAll(layer(layer(x)));
    const silus = (gradient: Tensor): number => graph({ loss, gradient }).nodes.filter(isSilu).length;
    const [kept] = gradients(loss, [w]);
    const [again] = gradients(loss, [w], { recompute: isSilu });
    assert.deepEqual([silus(kept), silus(again)], [2, 4]);
  });

  test("are made from what is kept, not from what is lost", () => {
    const middle = layer(x);
    const loss = sumAll(layer(middle));
    const [dw] = gradients(loss, [w], { recompute: (node) => node !== middle });
    const forward = graph({ loss }).nodes.filter(isSilu);
    const { nodes } = graph({ dw });
    assert.ok(nodes.includes(middle));
    // the second layer's is read again only: the first serves the forward pass, and is lost
    assert.deepEqual(
      forward.map((node) => nodes.includes(node)),
      [true, false],
    );
    assert.equal(nodes.filter(isSilu).length, 3);
  });
});

/** x by an op that has no gradient by it. */
function turned(tensor: Tensor): Tensor {
  const turn: Op = {
    name: "turn",
    result: "fresh",
    infer: ([{ shape, type }]) => ({ shape, type }),
    gradient: () => [undefined],
  };
  return apply(turn, [tensor], {});
}
