// The decode class's products: emitted code against the interpreter, byte by byte, on every machine that this host can
// be; interpreted with wider registers and other tiles, which change no result; each row alone against the row in
// company; one step over several weights against a step for each, with the epilogue worked out here.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Core } from "../../src/device/cpu/kernels/core.ts";
import { type DecodeStep, decodeKernel } from "../../src/device/cpu/kernels/linear-decode.ts";
import { decodedCores } from "../../src/device/cpu/kernels/core-decoded.ts";
import { floatCores } from "../../src/device/cpu/kernels/core-float.ts";
import { int8Cores } from "../../src/device/cpu/kernels/core-int8.ts";
import { activationBytes, quantizeKernel } from "../../src/device/cpu/kernels/quantize.ts";
import { layouts, packedBytes } from "../../src/device/cpu/packed-layouts.ts";
import type { Kernel, Machine } from "../../src/lanes/index.ts";
import { type KernelMemory, type TestMachine, interpreted, testMachines } from "./machines.ts";
import { packGroup } from "./pack-group.ts";
import { randomFloats, randomParameter } from "./stores.ts";

// Offsets in a memory of 24 pages.
const RECORD = 64;
const SCRATCH = 65536;
const BIASES = 0x18000;
const X = 2 * 65536;
const ROUNDED = 3 * 65536;
const WEIGHTS = 4 * 65536;
const WEIGHT_SPACE = 4 * 65536;
const OTHER = 16 * 65536;
const OUTS = 17 * 65536;
const OUT_SPACE = 65536;
const BYTES = 24 * 65536;

interface Task extends DecodeStep {
  /** Outputs of each weight. */
  readonly outers: readonly number[];
  readonly columns: number;
  readonly rows: number;
  /** The row of the inputs that a single row is. */
  readonly firstRow?: number;
  readonly biases?: boolean;
}

interface Result {
  readonly floats: Float32Array[];
  readonly rounded: Uint8Array[];
}

const PARTS = 3;
const isInt8 = ({ label }: Core): boolean => label.endsWith("int8");

/** Names of a record's words that are no addresses. */
const COUNT = /^(rows|columns|blocks|outer)/;

/** Runs a task from a fresh state of everything it reads. */
function compute(task: Task, memory: KernelMemory): Result {
  const { cores, columns, rows, outers, firstRow = 0, biases = true } = task;
  const { buffer } = memory;
  const call = (kernel: Kernel, values: Record<string, number>): void => {
    const words = kernel.words.map((name) => {
      assert.notEqual(values[name], undefined, name);
      return COUNT.test(name) || values[name] === 0 ? values[name] : memory.base + values[name];
    });
    memory.setRecord(RECORD, words);
    for (let part = PARTS - 1; part >= 0; part--) memory.run(kernel, RECORD, part, PARTS);
  };
  const inputs = randomFloats(1, 8 * columns);
  new Float32Array(buffer, X).set(inputs.subarray(firstRow * columns, (firstRow + rows) * columns));
  new Float32Array(buffer, OTHER, 8 * outers[0]).set(randomFloats(5, 8 * outers[0]).subarray(firstRow * outers[0]));
  const record: Record<string, number> = { x: X, rows, columns, other: OTHER };
  for (const [n, { format }] of cores.entries()) {
    const outer = outers[n];
    const { bytes } = randomParameter(2 + n, format, outer, columns);
    const blocks = columns / layouts[format].columns;
    const groupBytes = packedBytes(format, 16, columns);
    const at = WEIGHTS + n * WEIGHT_SPACE;
    assert.ok(Math.ceil(outer / 16) * groupBytes <= WEIGHT_SPACE);
    for (let row = 0; row < outer; row += 16) {
      const target = new Uint8Array(buffer, at + (row / 16) * groupBytes, groupBytes);
      const stored = bytes.subarray((bytes.length / outer) * row);
      packGroup(layouts[format], stored, Math.min(16, outer - row), blocks, target);
    }
    const bias = BIASES + n * 1024;
    new Float32Array(buffer, bias, outer).set(randomFloats(9 + n, outer));
    record[`weight${n}`] = at;
    record[`bias${n}`] = biases ? bias : 0;
    record[`outer${n}`] = outer;
    record[`out${n}`] = OUTS + 2 * n * OUT_SPACE;
    record[`rounded${n}`] = OUTS + (2 * n + 1) * OUT_SPACE;
  }
  if (isInt8(cores[0])) {
    call(quantizeKernel, { x: X, out: ROUNDED, blocks: (rows * columns) / 32 });
    record.x = ROUNDED;
  }
  const kernel = decodeKernel(task);
  call(kernel, record);
  const results = kernel.words.flatMap((name) => (name.startsWith("outer") ? [Number(name.slice(5))] : []));
  const floatsOf = (n: number) => new Float32Array(buffer, record[`out${n}`], rows * outers[n]).slice();
  const roundedOf = (n: number) =>
    new Uint8Array(buffer, record[`rounded${n}`], activationBytes(rows, outers[n])).slice();
  return {
    floats: task.floats ? results.map(floatsOf) : [],
    rounded: task.rounded ? results.map(roundedOf) : [],
  };
}

const memories = new Map<TestMachine, KernelMemory>();
function on(machine: TestMachine, task: Task): Result {
  const memory = memories.get(machine) ?? machine.createMemory(BYTES, SCRATCH);
  memories.set(machine, memory);
  return compute(task, memory);
}

const cores: readonly Core[] = [
  ...Object.values(floatCores),
  ...Object.values(int8Cores),
  ...Object.values(decodedCores),
];

/** Columns that leave a tail after whole turns of the inner loop where there can be one. */
function columnsOf({ format, label }: Core): number {
  const { columns } = layouts[format];
  return columns === 1 ? 37 : columns === 32 && label.endsWith("int8") ? 160 : columns;
}

const taskOf = (core: Core): Task => ({
  cores: [core],
  epilogue: { kind: "none" },
  floats: true,
  rounded: false,
  outers: [21],
  columns: columnsOf(core),
  rows: 5,
});

const fused: Record<string, Task> = {
  "three weights of two formats": {
    ...taskOf(int8Cores.q4_k),
    cores: [int8Cores.q4_k, int8Cores.q4_k, int8Cores.q6_k],
    outers: [40, 21, 16],
  },
  "a sum with a residual": { ...taskOf(int8Cores.q8_0), epilogue: { kind: "add" } },
  "an activation": { ...taskOf(floatCores.f16), epilogue: { kind: "map", by: "geluTanh" } },
  "a gate of one format, rounded only": {
    ...taskOf(int8Cores.q5_0),
    cores: [int8Cores.q5_0, int8Cores.q5_0],
    epilogue: { kind: "gate", by: "silu" },
    outers: [64, 64],
    floats: false,
    rounded: true,
    biases: false,
  },
  "a gate of two formats, in both forms": {
    ...taskOf(int8Cores.q5_0),
    cores: [int8Cores.q5_0, int8Cores.q8_0],
    epilogue: { kind: "gate", by: "geluTanh" },
    outers: [64, 64],
    rounded: true,
  },
};
const tasks = [...cores.map(taskOf), ...Object.values(fused)];

const [, plain] = [...testMachines][0];
const four: Machine = { ...plain.machine, madd: "fused", dot: "u8" };
const wide: Record<string, Machine> = {
  "8 lanes": { ...four, lanes: 8 },
  "8 lanes, 7-bit bytes": { ...four, lanes: 8, dot: "i7" },
  "16 lanes, 32 registers": { ...four, lanes: 16, registers: 32, f16: true },
};

/** What the interpreter gives on a machine; asked once for machines that differ in nothing that these kernels ask for. */
const expectations = new Map<string, Result>();
function expected(machine: Machine, task: Task): Result {
  const { lanes, madd, dot, registers, f16 } = machine;
  const key = JSON.stringify([lanes, madd, dot, registers, f16, decodeKernel(task).name]);
  const result = expectations.get(key) ?? on(interpreted(machine), task);
  expectations.set(key, result);
  return result;
}

for (const [tier, machine] of testMachines) {
  describe(`decode kernels on ${tier}`, () => {
    for (const task of tasks) {
      it(`${decodeKernel(task).name} is what the interpreter gives`, () => {
        assert.deepEqual(on(machine, task), expected(machine.machine, task));
      });
    }
  });
}

describe("decode kernels with wider registers", () => {
  for (const task of tasks) {
    it(`${decodeKernel(task).name} gives the bytes of 4 lanes`, () => {
      for (const [name, machine] of Object.entries(wide)) {
        assert.deepEqual(expected(machine, task), expected(four, task), name);
      }
    });
  }
});

for (const [tier, machine] of testMachines) {
  describe(`decode kernels and the number of rows on ${tier}`, () => {
    for (const core of cores) {
      it(`${core.label} gives a row the same bytes alone and among up to eight`, () => {
        const task = taskOf(core);
        const [outer] = task.outers;
        const alone = Array.from({ length: 8 }, (_, firstRow) => on(machine, { ...task, rows: 1, firstRow }).floats[0]);
        for (const rows of [2, 3, 4, 5, 7, 8]) {
          const [together] = on(machine, { ...task, rows }).floats;
          for (let row = 0; row < rows; row++) {
            assert.deepEqual(together.subarray(row * outer, (row + 1) * outer), alone[row], `row ${row} of ${rows}`);
          }
        }
      });
    }
  });
}

const fastest = [...testMachines.values()][testMachines.size - 1];
describe("fused decode steps", () => {
  /** Products of each weight of a fused task in a step of its own, biases added. */
  const separate = (task: Task): Float32Array[] =>
    task.cores.map((core, n) => {
      // weights and biases are made from their number, so the others are computed too and left out
      const alone: Task = { ...task, cores: task.cores, epilogue: { kind: "none" }, floats: true, rounded: false };
      assert.ok(core);
      return on(fastest, alone).floats[n];
    });
  it("over three weights give what each gives alone", () => {
    const task = fused["three weights of two formats"];
    const together = on(fastest, task).floats;
    for (const [n, core] of task.cores.entries()) {
      const outers = task.outers.map((outer, i) => (i === n ? outer : 1));
      const copies = task.cores.map((other, i) => (i === n ? core : other));
      const alone = on(fastest, { ...task, cores: copies, outers }).floats[n];
      assert.deepEqual(together[n], alone);
    }
  });
  it("add a residual after the bias", () => {
    const task = fused["a sum with a residual"];
    const [plain] = separate(task);
    const other = randomFloats(5, 8 * task.outers[0]);
    assert.deepEqual(
      on(fastest, task).floats[0],
      plain.map((value, i) => other[i] + value),
    );
  });
  it("apply a gate to within the rounding of its exponential, and round what they store", () => {
    const task = fused["a gate of two formats, in both forms"];
    const [gate, up] = separate(task);
    const {
      floats: [found],
      rounded: [blocks],
    } = on(fastest, task);
    for (const [i, value] of found.entries()) {
      const g = gate[i];
      const expected = 0.5 * g * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (g + 0.044715 * g ** 3))) * up[i];
      assert.ok(Math.abs(value - expected) <= 2e-6 * (Math.abs(expected) + 1e-3), `${value}, expected ${expected}`);
    }
    const view = new DataView(blocks.buffer);
    for (let block = 0; block < found.length / 32; block++) {
      const d = view.getFloat32(block * 64, true);
      const values = found.subarray(block * 32, block * 32 + 32);
      assert.equal(d, Math.fround(Math.max(...values.map(Math.abs)) * Math.fround(1 / 127)));
      for (const [i, value] of values.entries()) {
        assert.ok(Math.abs(view.getInt8(block * 64 + 32 + i) * d - value) <= d * 0.51);
      }
    }
  });
});
