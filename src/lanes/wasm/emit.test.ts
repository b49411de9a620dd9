// Emitted WebAssembly against the interpreter, bit for bit, on every machine this host has.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineKernel } from "../builder.ts";
import { testEmitter } from "../emitter-suite.ts";
import type { Machine } from "../ir.ts";
import { compileKernel, createWasmMemory, hasWideMemory, relaxedMachine, wasmMachine } from "./host.ts";

const relaxed = relaxedMachine();
const narrow: Record<string, Machine> = { wasm: wasmMachine, ...(relaxed && { "wasm-relaxed": relaxed }) };
const wideSkip = !hasWideMemory() && "this host's WebAssembly has no 64-bit addresses";
const wide = Object.entries(narrow).map(([tier, machine]) => [`${tier} with 64-bit words`, { ...machine, word: 64 }]);
const machines: Record<string, Machine> = { ...narrow, ...Object.fromEntries(wide) };

for (const [tier, machine] of Object.entries(machines)) {
  const skip = machine.word === 64 && wideSkip;
  describe(`emitted code of ${tier} equals the interpreter`, { skip }, () => {
    if (skip !== false) return;
    const memory = createWasmMemory({ pages: 1, word: machine.word, shared: true });
    testEmitter({
      machine,
      memory: memory.buffer,
      base: 0,
      compile: (kernel, scratch) => compileKernel(kernel, machine, memory, scratch),
    });
  });
}

describe("64-bit words", { skip: wideSkip }, () => {
  it("reach addresses over 4 GB, in every kind of load and store", () => {
    const GIGABYTE = 2 ** 30;
    const memory = createWasmMemory({ pages: (6 * GIGABYTE) / 65536, word: 64, shared: true });
    const [from, to] = [4.5 * GIGABYTE, 5.5 * GIGABYTE];
    const machine: Machine = { ...wasmMachine, word: 64 };
    new BigInt64Array(memory.buffer).set([from, to, 4].map(BigInt));
    new Float32Array(memory.buffer, from, 16).set(Array.from({ length: 16 }, (_, i) => i + 0.5));
    const kernel = defineKernel("far", ["from", "to", "count"], (k, { from, to, count }) => {
      k.range(0, count, 1, (i) => {
        const [source, target] = [from.add(i.mul(16)), to.add(i.mul(16))];
        target.store(source.loadFloats().add(1));
        target.add(64).store(source.loadFloat(4).add(source.loadFloat(8)));
        target.add(64).storeHalf(source.loadHalf(14), 4);
        target.add(64).store(source.sub(from), 8);
        target.add(64).storeByte(source.less(to), 12);
      });
    });
    compileKernel(kernel, machine, memory)(0, 0, 1);
    assert.deepEqual(
      [...new Float32Array(memory.buffer, to, 16)],
      Array.from({ length: 16 }, (_, i) => i + 1.5),
    );
    const view = new DataView(memory.buffer, to + 64);
    const f32 = (i: number): number => new DataView(memory.buffer, from).getFloat32(i * 4, true);
    for (let i = 0; i < 4; i++) {
      assert.equal(view.getFloat32(i * 16, true), f32(4 * i + 1) + f32(4 * i + 2));
      assert.equal(view.getUint16(i * 16 + 4, true), new DataView(memory.buffer, from).getUint16(i * 16 + 14, true));
      assert.deepEqual([view.getInt32(i * 16 + 8, true), view.getUint8(i * 16 + 12)], [i * 16, 1]);
    }
    assert.equal(new Float32Array(memory.buffer, from - 2 ** 32, 1)[0], 0, "nothing lies 4 GB lower");
    assert.equal(new Float32Array(memory.buffer, to - 2 ** 32, 1)[0], 0);
  });
});
