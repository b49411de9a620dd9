import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KernelError } from "../../base/errors.ts";
import { type Graph, expertLinear, gather, graph, input, linear, matmul, parameter } from "../../graph/index.ts";
import { formats } from "../../numeric/registry.ts";
import type { Executor, ParameterStore, StoredParameter } from "../executor.ts";
import { referenceExecutor } from "./executor.ts";
import { streamingExecutor } from "./streamed-weights.ts";

const rows = { name: "rows", bound: 3 };
const [WIDTH, EXPERTS, VOCABULARY] = [32, 4, 100];
const ROW_BYTES = WIDTH * 2;
const SHAPES = { table: [VOCABULARY, WIDTH], square: [WIDTH, WIDTH], experts: [EXPERTS * 8, WIDTH] } as const;

/** Weights in bf16, and how many bytes were read of each, and at once of any. */
function countingStore() {
  const parameters = new Map<string, StoredParameter>();
  const bytes = new Map<string, Uint8Array>();
  for (const [name, [rowCount, columns]] of Object.entries(SHAPES)) {
    const values = Float32Array.from({ length: rowCount * columns }, (_, i) => Math.sin(i * 1.7));
    const encoded = formats.bf16.encode!(values);
    bytes.set(name, encoded);
    parameters.set(name, { name, rows: rowCount, columns, format: "bf16", byteLength: encoded.byteLength });
  }
  const read = { most: 0, of: new Map<string, number>() };
  const store: ParameterStore = {
    parameters,
    async readRows(name, firstRow, into) {
      read.most = Math.max(read.most, into.byteLength);
      read.of.set(name, (read.of.get(name) ?? 0) + into.byteLength);
      into.set(bytes.get(name)!.subarray(firstRow * ROW_BYTES, firstRow * ROW_BYTES + into.byteLength));
    },
  };
  return { store, read };
}

function chosen(): Graph {
  const [ids, choices] = [input("ids", [rows], "i32"), input("choices", [rows, 2], "i32")];
  const table = parameter("table", SHAPES.table);
  const h = linear(gather(table, ids), parameter("square", SHAPES.square));
  const y = expertLinear(h, parameter("experts", SHAPES.experts), choices, EXPERTS);
  return graph({ y, logits: linear(h, table) });
}

async function results(executor: Executor, store: ParameterStore): Promise<Float32Array[]> {
  await using model = await executor.open(store, { main: chosen() });
  const { main } = model.programs;
  const { inputs, outputs } = main;
  inputs.ids.set([99, 0, 42]);
  inputs.choices.set([2, 0, 2, 2, 0, 2]);
  await main.run({ rows: 3 });
  return [outputs.y.slice(), outputs.logits.slice()];
}

describe("the streaming executor", () => {
  for (const held of [1, 3 * ROW_BYTES, 1000 * ROW_BYTES]) {
    test(`gives the reference's numbers and holds ${held} bytes of a weight, or a row`, async () => {
      const { store, read } = countingStore();
      assert.deepEqual(
        await results(streamingExecutor(held), store),
        await results(referenceExecutor, countingStore().store),
      );
      assert.ok(read.most <= Math.max(held, ROW_BYTES), `${read.most}`);
    });
  }

  test("reads of a table the rows that are asked for, and of experts those that are chosen", async () => {
    const { store, read } = countingStore();
    await results(streamingExecutor(1), store);
    assert.equal(read.of.get("table"), (3 + VOCABULARY) * ROW_BYTES);
    assert.equal(read.of.get("experts"), 2 * 8 * ROW_BYTES); // experts 0 and 2
  });

  test("refuses an op that does not say which rows it needs", async () => {
    const { store } = countingStore();
    const product = matmul(input("x", [rows, WIDTH], "f32"), parameter("square", SHAPES.square));
    await using model = await streamingExecutor(1).open(store, { main: graph({ product }) });
    const isTold = (error: unknown): boolean =>
      error instanceof KernelError && /of square is not held/.test(error.message);
    await assert.rejects(model.programs.main.run({ rows: 1 }), isTold);
  });
});
