import assert from "node:assert/strict";
import { it } from "node:test";
import { defineKernel, traceKernel } from "./builder.ts";
import { fusedMadd } from "./interpret-operations.ts";
import { interpret } from "./interpret.ts";
import type { Machine } from "./ir.ts";
import { wasmMachine } from "./wasm/host.ts";

it("rounds a fused product and sum once, also where two roundings meet a tie", () => {
  const e = 2 ** -12;
  assert.equal(fusedMadd(1 + e, 1 + e, -1), 2 ** -11 + 2 ** -24);
  // 1 + 2^-24 is a tie between 1 and 1 + 2^-23; a tail far below f64's reach must decide it
  const tail = 2 ** -70;
  assert.equal(fusedMadd(2 ** -35, 2 ** -35, Math.fround(1)), 1);
  assert.equal(fusedMadd(1 + 2 ** -23, 2 ** -24, 1), 1 + 2 ** -23);
  assert.equal(fusedMadd(-tail, 2 ** -20, 1 + 2 ** -23), 1 + 2 ** -23);
  assert.equal(fusedMadd(3e38, 10, 0), Infinity);
  assert.ok(Number.isNaN(fusedMadd(Infinity, 0, 1)));
});

it("evaluates a kernel the same for any number of lanes", () => {
  const kernel = defineKernel("axpy", ["x", "y", "count"], (k, { x, y, count }) => {
    k.range(0, count, k.lanes, (i) => {
      const at = i.shl(2);
      y.add(at).store(x.add(at).loadFloats().madd(3, y.add(at).loadFloats()));
    });
  });
  for (const lanes of [4, 8, 16]) {
    const machine: Machine = { ...wasmMachine, lanes, madd: "fused", dot: "u8" };
    const memory = new ArrayBuffer(512);
    new Int32Array(memory, 0, 3).set([64, 256, 32]);
    new Float32Array(memory, 64, 32).set(Array.from({ length: 32 }, (_, i) => i));
    new Float32Array(memory, 256, 32).fill(1);
    interpret(traceKernel(kernel, machine), machine, memory, { record: 0, part: 0, parts: 1 });
    assert.deepEqual(
      [...new Float32Array(memory, 256, 32)],
      Array.from({ length: 32 }, (_, i) => 3 * i + 1),
    );
  }
});

it("refuses a byte product whose unsigned bytes do not fit the machine's instruction", () => {
  const machine: Machine = { ...wasmMachine, dot: "i7" };
  const kernel = defineKernel("liar", ["x"], (k, { x }) => {
    x.store(k.ints(0).dotBytes(x.loadInts(), k.ints(0x80), 7));
  });
  const call = { record: 0, part: 0, parts: 1 };
  assert.throws(() => interpret(traceKernel(kernel, machine), machine, new ArrayBuffer(64), call), /needs 8 bits/);
});

it("shares all units once, in parts that do not grow where they taper", () => {
  const kernel = defineKernel("bounds", ["out", "count"], (k, { out, count }) => {
    k.share(count, (first, end) => {
      out.store(first);
      out.store(end, 4);
    });
    k.shareTapering(count, (first, end) => {
      out.store(first, 8);
      out.store(end, 12);
    });
  });
  const traced = traceKernel(kernel, wasmMachine);
  const memory = new ArrayBuffer(128);
  for (const count of [0, 1, 7, 16, 280, 9496]) {
    for (const parts of [1, 2, 3, 16]) {
      const bounds = Array.from({ length: parts }, (_, part) => {
        new Int32Array(memory).set([64, count]);
        interpret(traced, wasmMachine, memory, { record: 0, part, parts });
        return [...new Int32Array(memory, 64, 4)];
      });
      for (const [first, end] of [0, 2].map((at) => [bounds.map((b) => b[at]), bounds.map((b) => b[at + 1])])) {
        assert.deepEqual([...first, count], [0, ...end], `${count} in ${parts}`);
        assert.ok(first.every((at, part) => end[part] >= at));
      }
      const sizes = bounds.map(([, , first, end]) => end - first);
      assert.ok(
        sizes.every((size, part) => part === 0 || size <= sizes[part - 1] + 1),
        sizes.join(),
      );
    }
  }
});
