// The shape rules of all ops: what each gives, and what each refuses, naming the input that does not fit.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../../base/errors.ts";
import {
  type AttentionAttributes,
  type AttentionInputs,
  type Tensor,
  add,
  attention,
  blockMax,
  gather,
  gatherMatmul,
  geluTanh,
  input,
  layerNorm,
  linear,
  multiply,
  parameter,
  rmsNorm,
  rope,
  scale,
  showShape,
  silu,
  state,
  tanh,
  writeRows,
} from "../index.ts";

const rows = { name: "rows", bound: 8 };
const sequences = { name: "sequences", bound: 2 };
const x = input("x", [rows, 12], "f32");
const ids = input("ids", [rows], "i32");
const w = (...shape: number[]): Tensor => parameter("w", shape);
const keys = (columns: number, type: "f16" | "f32" = "f16"): Tensor => state("keys", [32, columns], type);
const heads: AttentionAttributes = { heads: 6, kvHeads: 3, scale: 0.5, pageSize: 16 };
const attentionInputs: AttentionInputs = {
  q: x,
  keys: keys(6),
  values: keys(6),
  pages: input("pages", [sequences, 4], "i32"),
  positions: ids,
  sequences: input("sequences", [rows], "i32"),
};
const attend = (inputs: Partial<AttentionInputs>, attributes: Partial<AttentionAttributes>) => (): Tensor =>
  attention({ ...attentionInputs, ...inputs }, { ...heads, ...attributes });

describe("shape rules", () => {
  const gives: Record<string, [Tensor, string]> = {
    gather: [gather(w(100, 12), ids), "[rows<=8, 12] f32"],
    gatherMatmul: [gatherMatmul(x, w(36, 5), ids, gatherMatmul(x, w(12, 5), ids)), "[rows<=8, 5] f32"],
    linear: [linear(x, w(7, 12), w(7)), "[rows<=8, 7] f32"],
    "rmsNorm over groups": [rmsNorm(x, w(4), 1e-6), "[rows<=8, 12] f32"],
    layerNorm: [layerNorm(x, w(12), w(12), 1e-6), "[rows<=8, 12] f32"],
    "rope of a part": [rope(x, ropeRows(1), ropeRows(1), { headSize: 4, layout: "halves" }), "[rows<=8, 12] f32"],
    "element-wise": [multiply(add(silu(x), tanh(x)), scale(geluTanh(x), 2)), "[rows<=8, 12] f32"],
    blockMax: [blockMax(x, 5), "[rows<=8, 3] f32"],
    writeRows: [writeRows(keys(12), ids, x), "[32, 12] f16"],
    "attention with a bias and sinks": [attend({ bias: w(6, 64), sinks: w(6) }, {})(), "[rows<=8, 12] f32"],
    attention: [attention(attentionInputs, { ...heads, window: 4, softCap: 50 }), "[rows<=8, 12] f32"],
  };
  for (const [name, [tensor, shape]] of Object.entries(gives)) {
    test(`${name} gives ${shape}`, () => assert.equal(`${showShape(tensor.shape)} ${tensor.type}`, shape));
  }

  const refuses: Record<string, [() => Tensor, RegExp]> = {
    "gather by floats": [() => gather(w(100, 12), input("f", [rows], "f32")), /gather: ids/],
    "gather by a stack": [() => gather(w(100, 12), input("f", [rows, 2, 3], "i32")), /gather: ids/],
    "gatherMatmul of tables that are no multiple": [
      () => gatherMatmul(x, w(30, 5), ids),
      /gatherMatmul: rows of tables/,
    ],
    "gatherMatmul by floats": [() => gatherMatmul(x, w(24, 5), input("f", [rows], "f32")), /gatherMatmul: choices/],
    "gatherMatmul with an addend of other columns": [() => gatherMatmul(x, w(24, 5), ids, x), /gatherMatmul: addend/],
    "gather from a vector": [() => gather(w(100), ids), /gather: table/],
    "linear with another inner size": [() => linear(x, w(7, 11)), /linear: weight columns/],
    "linear with a bias of another length": [() => linear(x, w(7, 12), w(8)), /linear: bias/],
    "linear of whole numbers": [() => linear(input("i", [rows, 12], "i32"), w(7, 12)), /linear: x/],
    "rmsNorm by a gain that does not divide": [() => rmsNorm(x, w(5), 1e-6), /rmsNorm: columns/],
    "layerNorm by a short gain": [() => layerNorm(x, w(4), w(12), 1e-6), /layerNorm: gain/],
    "rope wider than a head": [
      () => rope(x, ropeRows(3), ropeRows(3), { headSize: 4, layout: "halves" }),
      /rope: cos.*at most 2 columns/,
    ],
    "rope with unlike rows": [() => rope(x, ropeRows(2), ropeRows(1), { headSize: 4, layout: "halves" }), /rope: sin/],
    "rope of heads that do not divide": [
      () => rope(x, ropeRows(2), ropeRows(2), { headSize: 5, layout: "halves" }),
      /rope: columns/,
    ],
    "add of unlike shapes": [() => add(x, input("y", [rows, 13], "f32")), /add: b/],
    "add of other rows": [() => add(x, input("y", [sequences, 12], "f32")), /add: b/],
    "writeRows of other columns": [() => writeRows(keys(11), ids, x), /writeRows: rows/],
    "attention with heads that do not divide": [attend({}, { heads: 5 }), /attention: q columns/],
    "attention with more key-value heads": [attend({}, { kvHeads: 4 }), /attention: heads/],
    "attention without heads": [attend({}, { heads: 0 }), /attention: q columns/],
    "attention over unlike values": [attend({ values: keys(8) }, {}), /attention: values/],
    "attention over values of another type": [attend({ values: keys(6, "f32") }, {}), /attention: values/],
    "attention over part of a page": [attend({}, { pageSize: 24 }), /page size 24/],
    "attention with an empty window": [attend({}, { window: 0 }), /attention: window/],
    "attention with a bias of too few distances": [attend({ bias: w(6, 63) }, {}), /bias columns.*63.*64 distances/],
    "attention with a bias of other heads": [attend({ bias: w(3, 64) }, {}), /attention: bias/],
    "attention with a sink of each key-value head": [attend({ sinks: w(3) }, {}), /attention: sinks/],
    "attention with positions of other rows": [
      attend({ positions: input("p", [sequences], "i32") }, {}),
      /attention: positions/,
    ],
  };
  for (const [name, [build, message]] of Object.entries(refuses)) {
    test(`refuses ${name}`, () =>
      assert.throws(build, (error) => error instanceof ShapeError && message.test(error.message)));
  }
});

function ropeRows(columns: number): Tensor {
  return input(`rope${columns}`, [rows, columns], "f32");
}
