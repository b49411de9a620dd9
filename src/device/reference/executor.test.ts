import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KernelError, NotFoundError, ShapeError, UsageError, isAbort } from "../../base/errors.ts";
import {
  type Graph,
  type Tensor,
  gather,
  graph,
  input,
  linear,
  parameter,
  silu,
  state,
  writeRows,
} from "../../graph/index.ts";
import { f16Bits, f16Value } from "../../numeric/f16.ts";
import { type FormatName, formats } from "../../numeric/registry.ts";
import type { OpenModel, ParameterStore, Program, StoredParameter } from "../executor.ts";
import { referenceExecutor } from "./executor.ts";

const rows = { name: "rows", bound: 4 };
const x = (columns: number): Tensor => input("x", [rows, columns], "f32");

const keptState = (slots: number): Tensor => state("kept", [slots, 2], "f16");
const keepRows = (slots: number): Graph =>
  graph({ kept: writeRows(keptState(slots), input("slots", [rows], "i32"), x(2)) });

interface Weight {
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
  readonly format?: FormatName;
}

function storeOf(weights: Readonly<Record<string, Weight>>): ParameterStore {
  const parameters = new Map<string, StoredParameter>();
  const bytes = new Map<string, Uint8Array>();
  for (const [name, { rows, columns, values, format = "f32" }] of Object.entries(weights)) {
    const encoded = formats[format].encode?.(Float32Array.from(values)) ?? assert.fail(`${format} has no encoder`);
    bytes.set(name, encoded);
    parameters.set(name, { name, rows, columns, format, byteLength: encoded.byteLength });
  }
  return {
    parameters,
    async readRows(name, firstRow, into) {
      const { byteLength, rows } = parameters.get(name) as StoredParameter;
      into.set((bytes.get(name) as Uint8Array).subarray((firstRow * byteLength) / rows).subarray(0, into.byteLength));
    },
  };
}

const openOne = (graph: Graph, store = storeOf({})): Promise<OpenModel<"main">> =>
  referenceExecutor.open(store, { main: graph });

/** Sets inputs and runs `count` rows. */
async function run(program: Program, inputs: Readonly<Record<string, readonly number[]>>, count = 4): Promise<void> {
  for (const [name, values] of Object.entries(inputs)) program.inputs[name].set(values);
  await program.run({ rows: count });
}

describe("the reference executor", () => {
  test("decodes weights from the format they are stored in", async () => {
    const values = Array.from({ length: 64 }, (_, i) => Math.sin(i));
    for (const format of ["f32", "f16", "bf16", "q8_0", "q4_0"] as const) {
      const store = storeOf({ w: { rows: 2, columns: 32, values, format } });
      const decoded = formats[format].decode(formats[format].encode?.(Float32Array.from(values)) as Uint8Array, 64);
      await using model = await openOne(graph({ y: linear(x(32), parameter("w", [2, 32])) }), store);
      const program = model.programs.main;
      await run(program, { x: Array.from({ length: 32 }, (_, i) => (i === 5 ? 1 : 0)) }, 1);
      assert.deepEqual(Array.from(program.outputs.y.subarray(0, 2)), [decoded[5], decoded[32 + 5]], format);
    }
  });

  test("reads the leading rows only, and writes the leading rows of an output only", async () => {
    await using model = await openOne(graph({ y: silu(x(1)) }));
    const program = model.programs.main;
    await run(program, { x: [1, 2, 3, 4] });
    const before = program.outputs.y.slice();
    await run(program, { x: [5, 6, 7, 8] }, 2);
    assert.ok(program.outputs.y[0] !== before[0] && program.outputs.y[1] !== before[1]);
    assert.deepEqual(program.outputs.y.subarray(2), before.subarray(2));
  });

  test("state starts at zero, lasts from run to run, is shared by programs and rounded as it is stored", async () => {
    await using model = await referenceExecutor.open(storeOf({}), {
      write: keepRows(8),
      read: graph({ kept: keptState(8) }),
    });
    const { write, read } = model.programs;
    await read.run({});
    assert.ok(read.outputs.kept.every((value) => value === 0));
    await run(write, { slots: [7, 2], x: [0.1, 70_000, 1e-8, -Infinity] }, 2);
    await read.run({});
    const [a, b, c, d] = [0.1, 65_504, 0, -65_504].map((value) => f16Value(f16Bits(value)));
    assert.deepEqual(Array.from(read.outputs.kept), [0, 0, 0, 0, c, d, 0, 0, 0, 0, 0, 0, 0, 0, a, b]);
    await run(write, { slots: [2], x: [5, 6] }, 1);
    await read.run({});
    assert.deepEqual(Array.from(read.outputs.kept), [0, 0, 0, 0, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, a, b]);
  });

  test("refuses extents that are missing, too large or no whole numbers", async () => {
    await using model = await openOne(graph({ y: silu(x(1)) }));
    for (const extents of [{}, { rows: 5 }, { rows: -1 }, { rows: 1.5 }, { rows: Number.NaN }] as const) {
      await assert.rejects(model.programs.main.run(extents as { rows: number }), /extent rows/);
    }
  });

  test("refuses a weight that the store lacks or has in another shape", async () => {
    const traced = graph({ y: linear(x(2), parameter("w", [3, 2])) });
    await assert.rejects(openOne(traced), NotFoundError);
    await assert.rejects(openOne(traced, storeOf({ w: { rows: 2, columns: 2, values: [1, 2, 3, 4] } })), ShapeError);
  });

  test("refuses one state under two shapes", async () => {
    await assert.rejects(referenceExecutor.open(storeOf({}), { a: keepRows(4), b: keepRows(8) }), /state kept/);
  });

  test("an index outside of its table is a KernelError that names op and row", async () => {
    const traced = graph({ y: gather(parameter("w", [2, 1]), input("ids", [rows], "i32")) });
    await using model = await openOne(traced, storeOf({ w: { rows: 2, columns: 1, values: [1, 2] } }));
    await assert.rejects(
      run(model.programs.main, { ids: [0, 1, 2, 0] }),
      (error) => error instanceof KernelError && /gather: id: found 2/.test(error.message),
    );
    await run(model.programs.main, { ids: [1, 0, 1, 0] }); // the model lives on
    assert.deepEqual(Array.from(model.programs.main.outputs.y), [2, 1, 2, 1]);
  });

  test("an abort ends a long run within 50 ms, and the model can run again", async () => {
    const w = parameter("w", [256, 256]);
    let y = x(256);
    for (let layer = 0; layer < 1000; layer++) y = linear(y, w);
    const values = Array.from({ length: 256 * 256 }, () => 0.001);
    await using model = await openOne(graph({ y }), storeOf({ w: { rows: 256, columns: 256, values } }));
    const abort = new AbortController();
    let abortedAt = 0;
    setTimeout(() => {
      abortedAt = performance.now();
      abort.abort();
    }, 5);
    await assert.rejects(model.programs.main.run({ rows: 4 }, abort.signal), isAbort);
    assert.ok(abortedAt > 0 && performance.now() - abortedAt < 50, `${performance.now() - abortedAt} ms`);
    await assert.rejects(model.programs.main.run({ rows: 4 }, abort.signal), isAbort); // aborted before it starts
    await model.programs.main.run({ rows: 0 });
  });

  test("refuses a run while another goes on, and after closing", async () => {
    const model = await openOne(graph({ y: silu(x(1)) }));
    const first = model.programs.main.run({ rows: 4 });
    await assert.rejects(model.programs.main.run({ rows: 4 }), UsageError);
    await first;
    await model.close();
    await assert.rejects(model.programs.main.run({ rows: 4 }), UsageError);
  });

  test("tells its memory: weights as stored, states, and what one token reads of the weights", async () => {
    const table = parameter("table", [10, 32]);
    const ids = input("ids", [rows], "i32");
    const kept = state("kept", [8, 32], "f16");
    const h = gather(table, ids);
    const traced = graph({ y: linear(h, table), kept: writeRows(kept, ids, h) });
    const values = Array.from({ length: 320 }, (_, i) => i);
    await using model = await openOne(traced, storeOf({ table: { rows: 10, columns: 32, values, format: "q8_0" } }));
    assert.equal(model.memory.weightBytes, 10 * 34);
    assert.equal(model.memory.stateBytes, 8 * 32 * 2);
    assert.equal(model.memory.bytesPerToken.main, 34 + 10 * 34); // one row gathered, then all of it by the head
    assert.equal(model.memory.arenaBytes, 4 * (32 + 10) * 8);
  });
});
