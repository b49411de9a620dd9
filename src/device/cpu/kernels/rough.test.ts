import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineKernel, interpret, traceKernel, wasmMachine } from "../../../lanes/index.ts";
import { roughLanes } from "./rough.ts";

const exact = {
  silu: (x: number) => x / (1 + Math.exp(-x)),
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  geluTanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};
const COUNT = 4096;
const OUT = COUNT * 4;

/** f of each number, as the kernel language computes it. */
function compute(name: keyof typeof exact, x: Float32Array): Float32Array {
  const memory = new ArrayBuffer(2 * OUT);
  new Float32Array(memory, 0, COUNT).set(x);
  const kernel = defineKernel("rough", [], (k) => {
    k.range(0, OUT, 4 * k.lanes, (at) => at.store(roughLanes[name](at.loadFloats(), k), OUT));
  });
  const machine = { ...wasmMachine, madd: "fused" } as const;
  interpret(traceKernel(kernel, machine), machine, memory, { record: 0, part: 0, parts: 1 });
  return new Float32Array(memory, OUT, COUNT);
}

describe("rough activations", () => {
  for (const name of ["silu", "sigmoid", "geluTanh"] as const) {
    it(`${name} keeps 11 bits where it is no tiny number`, () => {
      const x = Float32Array.from({ length: COUNT }, (_, i) => (i - COUNT / 2) / 256); // -8 to 8
      compute(name, x).forEach((y, i) => {
        const expected = exact[name](x[i]);
        const off = Math.abs(y - expected);
        assert.ok(off <= 2 ** -11 * Math.abs(expected) + 1e-7, `${x[i]}: ${y}, expected ${expected}`);
      });
    });

    const most = name === "sigmoid" ? Math.sign : (x: number) => x;
    it(`${name} of large numbers is the most, or nothing`, () => {
      const x = Float32Array.from({ length: COUNT }, (_, i) => (i % 2 === 0 ? 1 : -1) * (50 + i * 100));
      compute(name, x).forEach((y, i) => {
        const off = Math.abs(y - Math.max(0, most(x[i])));
        assert.ok(off <= 2 ** -11 * Math.abs(most(x[i])), `${x[i]}: ${y}`);
      });
    });
  }
});
