import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../base/errors.ts";
import {
  add,
  attributesOf,
  gather,
  gatherOp,
  graph,
  input,
  linear,
  parameter,
  scale,
  scaleOp,
  silu,
  state,
  table,
  tableValues,
  writeRows,
} from "./index.ts";

const rows = { name: "rows", bound: 8 };
const ids = () => input("ids", [rows], "i32");

describe("graph", () => {
  test("lists what the outputs need, each value once and after its inputs", () => {
    const x = gather(parameter("table", [10, 4]), ids());
    const unused = silu(x);
    const y = add(linear(silu(x), parameter("w", [4, 4])), x);
    const { nodes, parameters, inputs, states, extents, outputs } = graph({ y });
    assert.equal(new Set(nodes).size, nodes.length);
    assert.ok(!nodes.includes(unused));
    for (const [at, node] of nodes.entries()) {
      for (const needed of node.inputs) assert.ok(nodes.indexOf(needed) < at);
    }
    assert.equal(nodes.at(-1), outputs.y);
    assert.deepEqual([...parameters.keys()], ["table", "w"]);
    assert.deepEqual([...inputs.keys()], ["ids"]);
    assert.equal(states.size, 0);
    assert.deepEqual([...extents], [["rows", rows]]);
  });

  test("a graph of thousands of layers needs no deep stack", () => {
    let x = gather(parameter("table", [10, 4]), ids());
    for (let layer = 0; layer < 50_000; layer++) x = scale(x, 2);
    assert.equal(graph({ x }).nodes.length, 50_003);
  });

  test("refuses two leaves of one name, and two bounds of one extent", () => {
    const table = parameter("table", [10, 4]);
    assert.throws(() => graph({ a: gather(table, ids()), b: gather(table, ids()) }), /leaf ids/);
    const other = input("other", [{ name: "rows", bound: 9 }], "i32");
    assert.throws(() => graph({ a: gather(table, ids()), b: gather(table, other) }), /extent rows/);
  });

  test("a table has its numbers from the start, as many as its shape says", () => {
    const sines = table("sines", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
    assert.equal(graph({ y: gather(sines, ids()) }).tables.get("sines"), sines);
    assert.deepEqual([...tableValues(sines)], [1, 2, 3, 4, 5, 6]);
    assert.throws(() => table("sines", [2, 4], Float32Array.of(1, 2, 3, 4, 5, 6)), /table sines.*6.*8 numbers/);
  });

  test("refuses to read a state after it was overwritten", () => {
    const keys = state("keys", [16, 4], "f32");
    const at = ids();
    const x = gather(parameter("table", [10, 4]), at);
    const written = writeRows(keys, at, x);
    assert.throws(() => graph({ written, stale: writeRows(keys, at, x) }), ShapeError);
    assert.equal(graph({ again: writeRows(written, at, x) }).states.get("keys"), keys);
  });

  test("attributes are typed by the op that made the value", () => {
    const x = scale(gather(parameter("table", [10, 4]), ids()), 3);
    assert.equal(attributesOf(x, scaleOp).factor, 3);
    assert.throws(() => attributesOf(x, gatherOp), ShapeError);
  });
});
