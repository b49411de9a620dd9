// Models in WebAssembly memories with 64-bit addresses give the bytes of 32-bit ones: a small model built for wide words,
// and one whose keys and values take 5 GB, so that the last pages, the arena and all weights lie above 4 GB. Pages that
// nobody touches cost nothing, so the tests take some megabytes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openModel } from "../../src/device/cpu/open-model.ts";
import { placeModel } from "../../src/device/cpu/place-model.ts";
import { type Tier, findTier } from "../../src/device/cpu/tiers.ts";
import {
  type Graph,
  attention,
  gather,
  graph,
  input,
  linear,
  multiply,
  parameter,
  rmsNorm,
  silu,
  state,
  writeRows,
} from "../../src/graph/index.ts";
import { memoryStore, randomParameter } from "./stores.ts";

const GIGABYTE = 2 ** 30;
const WIDTH = 256;
const VOCABULARY = 48;
const PAGE_SIZE = 32;
const TOKENS = 40;
/** Rows of keys or of values, f16, in 2.5 GB. */
const MANY_SLOTS = (2.5 * GIGABYTE) / (WIDTH * 2);

const store = memoryStore({
  table: randomParameter(1, "q8_0", VOCABULARY, WIDTH),
  query: randomParameter(2, "q4_k", WIDTH, WIDTH),
  gate: randomParameter(3, "q6_k", WIDTH, WIDTH),
  gain: randomParameter(4, "f32", 1, WIDTH),
  head: randomParameter(5, "q5_0", VOCABULARY, WIDTH),
});

/** A layer of a model with so many rows of keys and values; `bound` rows at once. */
function layer(slots: number, bound: number): Graph {
  const rows = { name: "rows", bound };
  const [ids, slotsOfRows] = ["ids", "slots"].map((name) => input(name, [rows], "i32"));
  const x = gather(parameter("table", [VOCABULARY, WIDTH]), ids);
  const normed = rmsNorm(x, parameter("gain", [WIDTH]), 1e-6);
  const cache = (name: string) => writeRows(state(name, [slots, WIDTH], "f16"), slotsOfRows, normed);
  const attended = attention(
    {
      q: linear(normed, parameter("query", [WIDTH, WIDTH])),
      keys: cache("keys"),
      values: cache("values"),
      pages: input("pages", [{ name: "sequences", bound: 1 }, 2], "i32"),
      positions: input("positions", [rows], "i32"),
      sequences: input("sequences", [rows], "i32"),
    },
    { heads: 8, kvHeads: 8, scale: 0.2, pageSize: PAGE_SIZE },
  );
  const gated = multiply(silu(linear(attended, parameter("gate", [WIDTH, WIDTH]))), attended);
  return graph({ logits: linear(gated, parameter("head", [VOCABULARY, WIDTH])) });
}

/** The logits of a prompt and of one token after it; keys and values lie in the last pages. */
async function logitsOf(tier: Tier, slots: number): Promise<Float32Array[]> {
  const graphs = { prompt: layer(slots, TOKENS), decode: layer(slots, 1) };
  await using opened = await openModel(tier, store, graphs, { threads: 2 });
  const lastPage = slots / PAGE_SIZE - 1;
  const results: Float32Array[] = [];
  for (const [name, first, count] of [
    ["prompt", 0, TOKENS],
    ["decode", TOKENS, 1],
  ] as const) {
    const program = opened.programs[name];
    const { inputs, outputs } = program;
    const positions = Array.from({ length: count }, (_, i) => first + i);
    inputs.ids.set(positions.map((p) => (p * 7) % VOCABULARY));
    inputs.positions.set(positions);
    inputs.sequences.fill(0);
    inputs.pages.set([lastPage, lastPage - 1]);
    inputs.slots.set(positions.map((p) => (lastPage - Math.floor(p / PAGE_SIZE)) * PAGE_SIZE + (p % PAGE_SIZE)));
    await program.run({ rows: count, sequences: 1 });
    results.push(outputs.logits.slice(0, count * VOCABULARY));
  }
  return results;
}

for (const name of ["wasm", "wasm-relaxed"] as const) {
  const tier = findTier(name);
  const reason = typeof tier === "string" ? tier : tier.wide === undefined && "this host has no 64-bit WebAssembly";
  describe(`on ${name} with 64-bit addresses`, { skip: reason }, () => {
    if (typeof tier === "string" || tier.wide === undefined) return;
    const { wide } = tier;
    const few = 2 * PAGE_SIZE;

    it("a small model gives the bytes of 32-bit addresses", async () => {
      const narrow = await logitsOf(tier, few);
      assert.ok(narrow[1].some((value) => value !== 0));
      assert.deepEqual(await logitsOf({ ...tier, machine: wide }, few), narrow);
    });

    it("a model of more than 4 GB gives the bytes of a small one", async () => {
      const graphs = { prompt: layer(MANY_SLOTS, TOKENS), decode: layer(MANY_SLOTS, 1) };
      const { model, use } = await placeModel(store, graphs, { threads: 2 }, tier);
      assert.equal(model.machine.word, 64);
      assert.ok(model.arena > 4 * GIGABYTE, "the arena, and the weights behind it");
      assert.ok(use.headroomBytes > 10 * GIGABYTE && use.headroomBytes < 11 * GIGABYTE, String(use.headroomBytes));
      assert.deepEqual(await logitsOf(tier, MANY_SLOTS), await logitsOf(tier, few));
    });

    it("a model of more than 16 GB is refused before anything is allocated", async () => {
      const graphs = { decode: layer(4 * MANY_SLOTS, 1) };
      const { use } = await placeModel(store, graphs, { threads: 1 }, tier);
      assert.ok(use.headroomBytes < 0);
      await assert.rejects(openModel(tier, store, graphs, { threads: 1 }), { name: "MemoryError" });
    });
  });
}
