// What the decode class computes together: a layer whose values between are kept, which forbids fusing, gives the bytes of
// one that is free to fuse, on every tier and for up to eight rows; and the steps that a fused layer takes, by name.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { OpenModel } from "../../src/device/executor.ts";
import { lower } from "../../src/device/cpu/lower.ts";
import {
  type Graph,
  type Tensor,
  add,
  attention,
  geluTanh,
  graph,
  input,
  linear,
  multiply,
  parameter,
  rmsNorm,
  rope,
  silu,
  state,
  writeRows,
} from "../../src/graph/index.ts";
import { wasmMachine } from "../../src/lanes/index.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { type TestParameter, memoryStore, randomFloats, randomParameter } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const WIDTH = 256;
const FORWARD = 512;
const BOUND = 8;
const EPSILON = 1e-5;

const stored: Record<string, TestParameter> = {};
function weight(name: string, format: FormatName, rows: number, columns = WIDTH): Tensor {
  stored[name] ??= randomParameter(Object.keys(stored).length, format, rows, columns);
  return parameter(name, rows === 1 ? [columns] : [rows, columns]);
}

type Layer = (x: Tensor, keep: (value: Tensor) => Tensor) => Record<string, Tensor>;

/** As llama's: x += o(norm x), x += mlp(norm x); queries, keys and values are outputs. */
const llama: Layer = (x, keep) => {
  const normed = keep(rmsNorm(x, weight("gain", "f32", 1), EPSILON));
  const [q, k, v] = [
    linear(normed, weight("q", "q4_k", WIDTH), weight("q.bias", "f32", 1)),
    linear(normed, weight("k", "q4_k", 48), parameterOf("bias", 48)),
    linear(normed, weight("v", "q6_k", 48)),
  ];
  const attended = add(
    x,
    keep(linear(keep(rmsNorm(q, weight("gain2", "f32", 1), EPSILON)), weight("o", "q4_k", WIDTH))),
  );
  return { q, k, v, y: feedForward(attended, keep, silu) };
};

function feedForward(x: Tensor, keep: (value: Tensor) => Tensor, activation: (x: Tensor) => Tensor): Tensor {
  const normed = keep(rmsNorm(keep(x), weight("gain3", "f32", 1), EPSILON));
  const gate = keep(activation(keep(linear(normed, weight("gate", "q5_0", FORWARD)))));
  const product = keep(multiply(gate, keep(linear(normed, weight("up", "q5_0", FORWARD)))));
  return add(x, keep(linear(product, weight("down", "q4_k", WIDTH, FORWARD))));
}

/** As Gemma's: norms after the products too. */
const gemma: Layer = (x, keep) => {
  const normed = keep(rmsNorm(x, weight("gain", "f32", 1), EPSILON));
  const part = keep(linear(normed, weight("o", "q4_k", WIDTH)));
  const attended = add(x, keep(rmsNorm(part, weight("gain2", "f32", 1), EPSILON)));
  const y = feedForward(attended, keep, geluTanh);
  return { y: add(keep(y), keep(rmsNorm(y, weight("gain4", "f32", 1), EPSILON))) };
};

/** An activation of its own, float weights, a product that two read. */
const others: Layer = (x, keep) => {
  const a = keep(linear(x, weight("f16", "f16", WIDTH), weight("q.bias", "f32", 1)));
  const b = keep(geluTanh(keep(linear(a, weight("f32", "f32", FORWARD)))));
  return { y: add(keep(linear(b, weight("bf16", "bf16", WIDTH, FORWARD))), a) };
};

/** Activations that are multiplied, but not as a gate of products that are read in one form. */
const ungated: Layer = (x, keep) => {
  const product = (name: string, format: FormatName): Tensor => keep(linear(x, weight(name, format, WIDTH)));
  return {
    mixed: multiply(keep(silu(product("u.f16", "f16"))), product("u.q8", "q8_0")),
    alone: multiply(keep(silu(product("u.f32", "f32"))), x),
    both: multiply(keep(silu(product("u.q4", "q4_k"))), keep(geluTanh(product("u.q5", "q5_0")))),
  };
};

const HEAD = 32;
const HEADS = 4;
const KV_HEADS = 2;
const PAGE = 32;
const PAGES = 24;
/** One sequence a row, of lengths that are one range of keys and several. */
const POSITIONS = [3, 700, 0, 40, 130, 767, 31, 300];

/** Attention as Qwen 3's, heads normalised before they are rotated, and the product that reads it. */
const attending: Layer = (x, keep) => {
  const rows = x.shape[0];
  const numbers = (name: string): Tensor => input(name, [rows], "i32");
  const [cos, sin] = ["cos", "sin"].map((name) => input(name, [rows, HEAD / 2], "f32"));
  const [positions, sequences, slots] = ["positions", "sequences", "slots"].map(numbers);
  const pages = input("pages", [{ name: "sequences", bound: BOUND }, PAGES], "i32");
  const turned = (x: Tensor, gain: string): Tensor =>
    keep(
      rope(keep(rmsNorm(keep(x), parameterOf(gain, HEAD), EPSILON)), cos, sin, { headSize: HEAD, layout: "halves" }),
    );
  const cached = (part: string): Tensor => state(part, [BOUND * PAGES * PAGE, KV_HEADS * HEAD], "f16");
  const q = turned(linear(x, weight("aq", "q4_k", HEADS * HEAD)), "gain.q");
  const k = turned(linear(x, weight("ak", "q4_k", KV_HEADS * HEAD)), "gain.k");
  const v = keep(linear(x, weight("av", "q6_k", KV_HEADS * HEAD)));
  const mixed = keep(
    attention(
      {
        q,
        keys: writeRows(cached("keys"), slots, k),
        values: writeRows(cached("values"), slots, v),
        pages,
        positions,
        sequences,
      },
      { heads: HEADS, kvHeads: KV_HEADS, scale: HEAD ** -0.5, pageSize: PAGE },
    ),
  );
  return { y: linear(mixed, weight("ao", "q5_0", WIDTH, HEADS * HEAD)) };
};

function parameterOf(name: string, count: number): Tensor {
  stored[name] ??= randomParameter(Object.keys(stored).length, "f32", 1, count);
  return parameter(name, [count]);
}

const layers = { llama, gemma, others, ungated, attending };

/** Values of all inputs that a layer may have, at their bounds. */
const inputs: Readonly<Record<string, readonly number[] | Float32Array>> = {
  x: randomFloats(3, BOUND * WIDTH),
  positions: POSITIONS,
  sequences: POSITIONS.map((_, i) => i),
  slots: POSITIONS.map((position, i) => i * PAGES * PAGE + position),
  pages: Array.from({ length: BOUND * PAGES }, (_, i) => i),
  cos: randomFloats(4, (BOUND * HEAD) / 2),
  sin: randomFloats(5, (BOUND * HEAD) / 2),
};

/** The layer's graph; `kept`: all values between are outputs, so that each is computed by itself. */
function graphOf(layer: Layer, kept: boolean) {
  const values: Record<string, Tensor> = {};
  const keep = (value: Tensor): Tensor => {
    if (kept && !Object.values(values).includes(value)) values[`kept${Object.keys(values).length}`] = value;
    return value;
  };
  const results = layer(input("x", [{ name: "rows", bound: BOUND }, WIDTH], "f32"), keep);
  const added = Object.entries(results).filter(([, value]) => !Object.values(values).includes(value));
  return graph({ ...values, ...Object.fromEntries(added) });
}

for (const executor of cpuTiers()) {
  for (const precision of ["fast", "f32"] as const) {
    describe(`decode fusion on ${executor.tier} in ${precision}`, () => {
      let opened: OpenModel;
      before(async () => {
        const graphs = Object.entries(layers).flatMap(([name, layer]) => [
          [`${name}, fused`, graphOf(layer, false)],
          [`${name}, single`, graphOf(layer, true)],
        ]);
        const all = Object.fromEntries(graphs) as Record<string, Graph>;
        opened = await executor.open(memoryStore(stored), all, { threads: 1, precision });
      });
      after(() => opened.close());

      for (const name of Object.keys(layers)) {
        it(`a layer like ${name}'s gives the bytes of its steps one by one`, async () => {
          const [fused, single] = [opened.programs[`${name}, fused`], opened.programs[`${name}, single`]];
          for (const rows of [1, 2, 5, 8]) {
            for (const program of [fused, single]) {
              for (const [name, values] of Object.entries(program.inputs)) values.set(inputs[name]);
              await program.run("pages" in program.inputs ? { rows, sequences: BOUND } : { rows });
            }
            for (const [output, values] of Object.entries(fused.outputs)) {
              const length = (values.length / BOUND) * rows;
              assert.ok(values.subarray(0, length).every(Number.isFinite), output);
              assert.deepEqual(values.subarray(0, length), single.outputs[output]?.subarray(0, length), output);
            }
          }
        });
      }
    });
  }
}

describe("steps of a layer of the decode class", () => {
  const stepsOf = async (layer: Layer, kept: boolean): Promise<string[]> => {
    const graph = graphOf(layer, kept);
    const parameters = memoryStore(stored).parameters;
    const { steps } = await lower(graph, { parameters, precision: "fast", machine: wasmMachine });
    return steps.map(({ kernel }) => kernel.name);
  };
  it("like llama's: one for each of norm, queries with keys and values, output with its residual, gate with up", async () => {
    assert.deepEqual(await stepsOf(llama, false), [
      "normRows.after.rounded",
      "linear.q4_k.int8+q4_k.int8+q6_k.int8.none",
      "normRows.after.rounded",
      "linear.q4_k.int8.add",
      "normRows.after.rounded",
      "linear.q5_0.int8+q5_0.int8.gate.silu.only.rounded",
      "linear.q4_k.int8.add",
    ]);
  });
  it("like Gemma's: the norm after a product, the residual and the norm before the next one are one", async () => {
    assert.deepEqual(await stepsOf(gemma, false), [
      "normRows.after.rounded",
      "linear.q4_k.int8.none",
      "normRows.before.add.after.rounded",
      "linear.q5_0.int8+q5_0.int8.gate.geluTanh.only.rounded",
      "linear.q4_k.int8.add",
      "normRows.before.add",
    ]);
  });
  it("with attention: queries, keys and values; norms, rotations and the cache; attention with its rounding; output", async () => {
    assert.deepEqual(await stepsOf(attending, false), [
      "quantize",
      "linear.q4_k.int8+q4_k.int8+q6_k.int8.none",
      "cacheRows.f16.h4.g2.d32.p32.r16.qNorm.kNorm",
      "attention.decode.f16.g2.n2.h2.d32.p32.rounded",
      "attention.combine.f16.g2.n2.h2.d32.p32.rounded",
      "linear.q5_0.int8.none",
    ]);
  });
  it("whose values between are kept: each is there as f32", async () => {
    const steps = await stepsOf(llama, true);
    const between = ["map each, silu 0, each, multiply 1 2: 1, 3", "map each, each, add 0 1: 2"];
    for (const name of ["rmsNorm", "quantize", ...between]) assert.ok(steps.includes(name), name);
    assert.ok(!steps.some((name) => /gate|only|add\./.test(name)));
  });
});
