import assert from "node:assert/strict";
import { it } from "node:test";
import { normalCdf as exactNormalCdf } from "../base/normal.ts";
import { formats } from "../numeric/registry.ts";
import type { KernelBuilder } from "./builder.ts";
import { defineKernel } from "./builder.ts";
import { exp, loadBf16, loadF16, log, normalCdf, sigmoid, tanh, toF16Bits } from "./math.ts";
import type { Floats } from "./values.ts";
import { compileKernel, relaxedMachine, wasmMachine } from "./wasm/host.ts";

const COUNT = 65536;
const IN = 65536;
const OUT = 10 * 65536;
const memory = new WebAssembly.Memory({ initial: 20, maximum: 20, shared: true });
const machines = [wasmMachine, relaxedMachine()].filter((machine) => machine !== undefined);

/** Applies a function to COUNT inputs on every machine; calls `check` with inputs and results. */
function evaluate(
  f: (x: Floats, k: KernelBuilder) => Floats,
  input: (i: number) => number,
  check: (x: number, y: number) => void,
): void {
  const kernel = defineKernel("map", [], (k) => {
    k.range(0, COUNT * 4, 4 * k.lanes, (i) => i.store(f(i.loadFloats(IN), k), OUT));
  });
  const [x, y] = [new Float32Array(memory.buffer, IN, COUNT), new Float32Array(memory.buffer, OUT, COUNT)];
  for (const machine of machines) {
    for (let i = 0; i < COUNT; i++) x[i] = input(i);
    compileKernel(kernel, machine, memory)(0, 0, 1);
    for (let i = 0; i < COUNT; i++) check(x[i], y[i]);
  }
}

const across = (from: number, to: number) => (i: number) => from + ((to - from) * i) / (COUNT - 1);
const near = (found: number, expected: number, ulps: number): void => {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(expected))) - 23);
  assert.ok(Math.abs(found - expected) <= ulps * unit, `${found} is not within ${ulps} ulp of ${expected}`);
};

it("exp is within 2 units in the last place, and clamps where f32 ends", () => {
  evaluate(
    (x) => exp(x),
    across(-87, 88),
    (x, y) => near(y, Math.exp(x), 2),
  );
  evaluate(
    (x) => exp(x),
    across(-2, 2),
    (x, y) => near(y, Math.exp(x), 2),
  );
  evaluate(
    (x) => exp(x),
    () => -1e30,
    (_, y) => assert.ok(y > 0 && y < 2e-38),
  );
  evaluate(
    (x) => exp(x),
    () => Infinity,
    (_, y) => assert.ok(y > 2e38 && y < Infinity),
  );
});

it("log is within 2 units in the last place from the least to the largest number, and has its limits", () => {
  const check = (x: number, y: number): void => near(y, Math.log(x), 2);
  evaluate(log, across(1e-3, 8), check);
  evaluate(log, (i) => Math.fround(2 ** (i / 256 - 128)), check);
  evaluate(log, (i) => (i + 1) * 2 ** -149, check);
  const ends = [0, -0, -1, -Infinity, Infinity, NaN, 1];
  const expected = [-Infinity, -Infinity, NaN, NaN, Infinity, NaN, 0];
  const found: number[] = [];
  evaluate(
    log,
    (i) => ends[i % ends.length],
    (_, y) => found.push(y),
  );
  for (const [i, y] of found.entries()) assert.equal(y, expected[(i % COUNT) % ends.length]);
});

it("Φ is off by 2^-21 of itself near 0 and by 2^-23 at most elsewhere, its tail down to nothing", () => {
  evaluate(normalCdf, across(-12, 12), (x, y) => {
    const expected = exactNormalCdf(x);
    const allowed = Math.abs(x) < 1 ? 2 ** -21 * expected : 2 ** -23;
    assert.ok(Math.abs(y - expected) <= allowed, `Φ(${x}) is ${y}, not ${expected}`);
  });
  // e^(-x²/2) has the rounding of its exponent
  evaluate(normalCdf, across(-12, -4), (x, y) => assert.ok(Math.abs(y / exactNormalCdf(x) - 1) < 1e-5));
  evaluate(normalCdf, across(-1e6, -13), (_, y) => assert.ok(y > 0 && y < 1e-35));
});

it("tanh is within 4 units in the last place and never leaves -1..1", () => {
  evaluate(tanh, across(-12, 12), (x, y) => near(y, Math.tanh(x), 4));
  evaluate(tanh, across(1e-6, 1), (x, y) => near(y, Math.tanh(x), 4));
  evaluate(tanh, across(-1e30, 1e30), (x, y) => assert.equal(y, Math.sign(x)));
});

it("sigmoid is within 4 units in the last place", () => {
  evaluate(sigmoid, across(-80, 80), (x, y) => near(y, 1 / (1 + Math.exp(-x)), 4));
});

it("reads every f16 and bf16 code as its format says", () => {
  for (const [load, format] of [
    [loadF16, formats.f16],
    [loadBf16, formats.bf16],
  ] as const) {
    const kernel = defineKernel("halves", [], (k) => {
      k.range(0, COUNT, k.lanes, (i) => i.shl(2).store(load(i.shl(1), IN), OUT));
    });
    const codes = new Uint8Array(Uint16Array.from({ length: COUNT }, (_, i) => i).buffer);
    const expected = format.decode(codes, COUNT);
    for (const machine of machines) {
      new Uint8Array(memory.buffer, IN, codes.length).set(codes);
      compileKernel(kernel, machine, memory)(0, 0, 1);
      const found = new Float32Array(memory.buffer, OUT, COUNT);
      for (let i = 0; i < COUNT; i++) assert.ok(Object.is(found[i], expected[i]), `${i}: ${found[i]} ${expected[i]}`);
    }
  }
});

it("rounds f32 to f16 as its format says, ties, subnormals and overflow included", () => {
  const kernel = defineKernel("toF16", [], (k) => {
    k.range(0, COUNT, k.lanes, (i) => i.shl(1).storeHalves(toF16Bits(i.shl(2).loadFloats(IN), k), OUT));
  });
  // every f16 code, the tie above it, and its neighbours
  for (const nudge of [0, 0x1000, 0x0fff, 0x1001]) {
    const input = formats.f16.decode(new Uint8Array(Uint16Array.from({ length: COUNT }, (_, i) => i).buffer), COUNT);
    const bits = new Uint32Array(input.buffer);
    for (let i = 0; i < COUNT; i++) bits[i] += nudge;
    const finite = input.map((x) => (Number.isNaN(x) ? 0 : x));
    const expected = formats.f16.encode!(finite);
    for (const machine of machines) {
      new Float32Array(memory.buffer, IN, COUNT).set(finite);
      compileKernel(kernel, machine, memory)(0, 0, 1);
      assert.deepEqual(Uint8Array.from(new Uint8Array(memory.buffer, OUT, COUNT * 2)), expected);
    }
  }
});
