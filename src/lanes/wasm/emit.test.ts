// Emitted WebAssembly against the interpreter, bit for bit, on every machine this host has.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { philox } from "../../base/random.ts";
import { type Kernel, defineKernel, traceKernel } from "../builder.ts";
import { interpret } from "../interpret.ts";
import { type Machine, type OperationName, operations } from "../ir.ts";
import { Float, Floats, Int, Ints } from "../values.ts";
import { compileKernel, createWasmMemory, hasWideMemory, relaxedMachine, wasmMachine } from "./host.ts";

const relaxed = relaxedMachine();
const narrow: Record<string, Machine> = { wasm: wasmMachine, ...(relaxed && { "wasm-relaxed": relaxed }) };
const wideSkip = !hasWideMemory() && "this host's WebAssembly has no 64-bit addresses";
const wide = Object.entries(narrow).map(([tier, machine]) => [`${tier} with 64-bit words`, { ...machine, word: 64 }]);
const machines: Record<string, Machine> = { ...narrow, ...Object.fromEntries(wide) };

const IN = 256;
const OUT = 2048;
const BYTES = 4096;
const SPECIAL = [0, -0, 1, -1, 0.5, 1.5, 2.5, -2.5, 1e-40, 3e38, Infinity, -Infinity, NaN, 2 ** 23 + 1, 2 ** 31, 65520];

/** Writes a record at address 0. */
function setRecord({ word }: Machine, memory: ArrayBufferLike, values: readonly number[]): void {
  if (word === 64) new BigInt64Array(memory).set(values.map(BigInt));
  else new Int32Array(memory).set(values);
}

/** Runs a kernel emitted and interpreted over equal memories (words 0 and 1: IN and OUT); both must end equal. */
function same(kernel: Kernel<"input" | "out">, machine: Machine, fill: (view: DataView) => void, parts = 1): void {
  const memory = createWasmMemory({ pages: 1, word: machine.word, shared: true });
  const twin = new ArrayBuffer(BYTES);
  for (const buffer of [memory.buffer, twin]) {
    fill(new DataView(buffer));
    setRecord(machine, buffer, [IN, OUT]);
  }
  const run = compileKernel(kernel, machine, memory, 3072);
  const traced = traceKernel(kernel, machine);
  for (let part = 0; part < parts; part++) {
    run(0, part, parts);
    interpret(traced, machine, twin, { record: 0, part, parts, scratch: 3072 });
  }
  const found = [...new Uint32Array(memory.buffer, 0, BYTES / 4)].map(normalizeNaN);
  assert.deepEqual(found, [...new Uint32Array(twin)].map(normalizeNaN));
}

/** NaNs have many bit patterns, all of them right. */
const normalizeNaN = (bits: number): number => ((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits);

function fillWith(seed: number, kind: "floats" | "ints") {
  return (view: DataView): void => {
    for (let i = 0; i < 64; i++) {
      const [a, b] = philox(seed, 0, i);
      const float = i % 3 === 0 ? SPECIAL[a % SPECIAL.length] : ((a - 2 ** 31) / 2 ** 31) * 2 ** ((b % 40) - 20);
      if (kind === "floats") view.setFloat32(IN + i * 4, float, true);
      else view.setUint32(IN + i * 4, i % 5 === 0 ? [0, 0x80808080, 0x7f7f7f7f, 0xffffffff, 1][a % 5] : a, true);
    }
  };
}

/**
 * A kernel that applies one operation to loaded operands, eight times, with an immediate of its own each time. Ints are
 * shifted by less than 32, to the right without a sign: else it shows how wide they are.
 */
function operationKernel(op: OperationName): Kernel<"input" | "out"> {
  return defineKernel(`one ${op}`, ["input", "out"], (k, { input, out }) => {
    const [result, ...types] = operations[op];
    const isMemory = op.includes("load") || op.includes("store");
    for (let i = 0; i < 8; i++) {
      const at = i * 24;
      const operands = types.map((type, n) => {
        if (isMemory && n === 0) return result === "none" ? out : input;
        const offset = at + n * 16;
        if (op === "int.shl" && n === 1) return input.loadInt(offset).and(31);
        if (op === "int.shrU") return n === 0 ? input.loadHalf(offset) : input.loadInt(offset).and(31);
        if (type === "int") return input.loadInt(offset);
        if (type === "float") return input.loadFloat(offset);
        return type === "ints" ? input.loadInts(offset) : input.loadFloats(offset);
      });
      const immediate = isMemory ? i * 16 : /lane/i.test(op) ? i & 3 : /Halves|\.sh/.test(op) ? i + 1 : 1 + (i & 1);
      const id = k.apply(op, operands, immediate);
      if (result === "none") continue;
      const value = { int: Int, float: Float, ints: Ints, floats: Floats }[result];
      // lanes that a rotation leaves undefined do not count
      if (op === "floats.rotate") out.store(new Floats(k, id).lane(0), i * 16);
      else out.store(new value(k, id), i * 16);
    }
  });
}

/** Divisions by zero trap; these need their own operands. */
const special: readonly OperationName[] = ["int.divU", "int.remU", "int.parameter", "int.scratch", "ints.dotBytes"];
/** Operations that no WebAssembly machine has. */
const absent = (Object.keys(operations) as OperationName[]).filter((op) => /^tile\.|F16$|pairBf16/.test(op));
const skipped = [...special, ...absent];

for (const [tier, machine] of Object.entries(machines)) {
  describe(`emitted code of ${tier} equals the interpreter`, { skip: machine.word === 64 && wideSkip }, () => {
    for (const op of Object.keys(operations) as OperationName[]) {
      // records are words, loaded in every test; random ones are no exact numbers for the interpreter
      if (op === "int.loadWord" && machine.word === 64) continue;
      if (skipped.includes(op) || (op === "floats.madd" && machine.madd === "none")) continue;
      it(`in ${op}`, () => {
        for (let seed = 0; seed < 20; seed++) {
          // operands of both kinds of bits, whatever the type
          same(operationKernel(op), machine, fillWith(seed, seed % 2 === 0 ? "floats" : "ints"));
        }
      });
    }

    for (const bits of [7, 8] as const) {
      it(`in byte products with ${bits}-bit unsigned bytes, which are exact`, () => {
        const kernel = defineKernel("dot", ["input", "out"], (_, { input, out }) => {
          for (let i = 0; i < 4; i++) {
            const unsigned = input.loadInts(64 + i * 16).and(bits === 7 ? 0x7f7f7f7f : -1);
            out.store(input.loadInts(i * 16).dotBytes(input.loadInts(16), unsigned, bits), i * 16);
          }
        });
        for (let seed = 0; seed < 20; seed++) same(kernel, machine, fillWith(seed, "ints"));
      });
    }

    it("in loops, conditions and variables that cross them", () => {
      const kernel = defineKernel("control", ["input", "out"], (k, { input, out }) => {
        const sums = k.variables(3, k.floats(0));
        const count = k.variable(k.int(0));
        k.range(0, 5, 1, (i) => {
          const before = count.value;
          k.range(i, 7, 2, (j) => {
            const x = input.add(i.mul(16)).loadFloats();
            k.when(
              i.and(1).equals(j.and(1)),
              () => (sums[0].value = sums[0].value.add(x)),
              () => (sums[1].value = x),
            );
            count.value = count.value.add(j);
          });
          out.add(i.mul(4)).store(count.value.sub(before), 512);
          sums[2].value = sums[2].value.add(before.toFloat().splat());
        });
        k.range(3, 3, 1, () => out.store(k.int(99), 600)); // never runs
        for (const [i, sum] of sums.entries()) out.store(sum.value, i * 16);
        k.scratch.store(count.value);
        out.store(sums[0].value.sum(), 64);
        out.store(sums[0].value.maximum(), 68);
      });
      for (let seed = 0; seed < 5; seed++) same(kernel, machine, fillWith(seed * 2, "ints"));
    });

    it("in a value that is read before and after its memory changes", () => {
      const kernel = defineKernel("order", ["input", "out"], (k, { input, out }) => {
        const variable = k.variable(input.loadInt());
        const [early, held] = [input.loadInt(4), variable.value];
        input.store(k.int(7), 4);
        variable.value = k.int(9);
        out.store(early.add(held));
        out.store(input.loadInt(4).add(variable.value), 4);
      });
      same(kernel, machine, fillWith(1, "ints"));
    });

    it("in shares, which cover every unit once whatever the number of parts", () => {
      const kernel = defineKernel("share", ["input", "out"], (k, { out }) => {
        k.share(13, (first, end) => {
          k.range(first, end, 1, (i) => {
            const at = out.add(i.mul(4));
            at.store(at.loadInt().add(1));
          });
        });
      });
      const check = (parts: number): void => same(kernel, machine, () => {}, parts);
      [1, 2, 3, 13, 14].forEach(check);
      const memory = new ArrayBuffer(BYTES);
      setRecord(machine, memory, [IN, OUT]);
      const traced = traceKernel(kernel, machine);
      for (let part = 0; part < 4; part++) interpret(traced, machine, memory, { record: 0, part, parts: 4 });
      assert.deepEqual([...new Int32Array(memory, OUT, 15)], [...Array<number>(13).fill(1), 0, 0]);
    });
  });
}

describe("64-bit words", { skip: wideSkip }, () => {
  it("reach addresses over 4 GB, in every kind of load and store", () => {
    const GIGABYTE = 2 ** 30;
    const memory = createWasmMemory({ pages: (6 * GIGABYTE) / 65536, word: 64, shared: true });
    const [from, to] = [4.5 * GIGABYTE, 5.5 * GIGABYTE];
    const machine: Machine = { ...wasmMachine, word: 64 };
    setRecord(machine, memory.buffer, [from, to, 4]);
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
