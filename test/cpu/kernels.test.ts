// The matrix product kernels as emitted WebAssembly against the interpreter, byte by byte, on every machine that this host
// can play (one without 8-bit byte products too), and interpreted with wider registers: lanes are rows of weights, so
// their number changes no result.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodedPanelKernels } from "../../src/device/cpu/kernels/linear-decoded.ts";
import { type FloatFormatName, floatFormats } from "../../src/device/cpu/kernels/linear-float.ts";
import { panelKernels } from "../../src/device/cpu/kernels/linear-panel.ts";
import type { QuantizedName } from "../../src/device/cpu/kernels/blocks.ts";
import type { LinearKernel } from "../../src/device/cpu/kernels/outputs.ts";
import { activationBytes, quantizeKernel } from "../../src/device/cpu/kernels/quantize.ts";
import { type PackedFormat, layouts, packedBytes } from "../../src/device/cpu/packed-layouts.ts";
import { packGroup } from "./pack-group.ts";
import {
  type Kernel,
  type Machine,
  compileKernel,
  interpret,
  relaxedMachine,
  traceKernel,
  wasmMachine,
} from "../../src/lanes/index.ts";
import { randomFloats, randomParameter } from "./stores.ts";

const relaxed = relaxedMachine();
const machines: Record<string, Machine> = {
  wasm: wasmMachine,
  ...(relaxed && { "wasm-relaxed": relaxed, "wasm-relaxed with 7-bit bytes": { ...relaxed, dot: "i7" } }),
};

// Addresses in a memory of 16 pages.
const RECORD = 64;
const SCRATCH = 65536;
const X = 2 * 65536;
const ROUNDED = X + 65536;
const WEIGHT = 4 * 65536;
const OUT = 14 * 65536;
const BYTES = 16 * 65536;
const OUTER = 21;
const ROWS = 5;

interface Task {
  readonly kernel: LinearKernel;
  readonly format: PackedFormat;
  readonly columns: number;
  readonly rounded: boolean;
}

/** Runs a kernel, `parts` times; what `run` does with it is emitted code or interpretation. */
type Run = (kernel: Kernel, part: number, parts: number) => void;

function compute({ kernel, format, columns, rounded }: Task, memory: ArrayBufferLike, run: Run): Float32Array {
  const words = new Int32Array(memory);
  const setRecord = (kernel: Kernel, values: Record<string, number>): void =>
    kernel.words.forEach((name, i) => (words[RECORD / 4 + i] = values[name]));
  new Float32Array(memory, X, ROWS * columns).set(randomFloats(1, ROWS * columns));
  const { bytes } = randomParameter(2, format, OUTER, columns);
  const blocks = columns / layouts[format].columns;
  const source = new Uint16Array(bytes.buffer);
  for (let row = 0; row < OUTER; row += 16) {
    const groupBytes = packedBytes(format, 16, columns);
    const target = new Uint16Array(memory, WEIGHT + (row / 16) * groupBytes, groupBytes / 2);
    packGroup(
      layouts[format],
      source.subarray((source.length / OUTER) * row),
      Math.min(16, OUTER - row),
      blocks,
      target,
    );
  }
  if (rounded) {
    setRecord(quantizeKernel, { x: X, out: ROUNDED, blocks: (ROWS * columns) / 32 });
    for (const part of [0, 1]) run(quantizeKernel, part, 2);
  }
  const record = { x: rounded ? ROUNDED : X, weight: WEIGHT, bias: 0, out: OUT, rows: ROWS, columns, outer: OUTER };
  setRecord(kernel, record);
  for (const part of [1, 0]) run(kernel, part, 2);
  assert.ok(ROUNDED + activationBytes(ROWS, columns) <= WEIGHT);
  return new Float32Array(memory, OUT, ROWS * OUTER).slice();
}

function emitted(task: Task, machine: Machine): Float32Array {
  const memory = new WebAssembly.Memory({ initial: BYTES >> 16, maximum: BYTES >> 16, shared: true });
  return compute(task, memory.buffer, (kernel, part, parts) =>
    compileKernel(kernel, machine, memory, SCRATCH)(RECORD, part, parts),
  );
}

function interpreted(task: Task, machine: Machine): Float32Array {
  const memory = new ArrayBuffer(BYTES);
  return compute(task, memory, (kernel, part, parts) =>
    interpret(traceKernel(kernel, machine), machine, memory, { record: RECORD, part, parts, scratch: SCRATCH }),
  );
}

const quantized = Object.keys(panelKernels) as QuantizedName[];
const tasks: Task[] = [
  ...(Object.keys(floatFormats) as FloatFormatName[]).flatMap((format) =>
    [decodedPanelKernels[format]].map((kernel) => ({
      kernel,
      format,
      columns: 37,
      rounded: false,
    })),
  ),
  ...quantized.flatMap((format) => {
    const columns = layouts[format].columns === 32 ? 288 : 256; // 288: a panel and a part of one
    const task = { format, columns };
    return [
      { ...task, kernel: panelKernels[format], rounded: true },
      { ...task, kernel: decodedPanelKernels[format], rounded: false },
    ];
  }),
];

for (const [tier, machine] of Object.entries(machines)) {
  describe(`on ${tier}`, () => {
    for (const task of tasks) {
      it(`${task.kernel.name} is what the interpreter gives`, () => {
        assert.deepEqual(emitted(task, machine), interpreted(task, machine));
      });
    }
  });
}

describe("with 8 and 16 lanes", () => {
  for (const task of tasks) {
    it(`${task.kernel.name} gives the bytes of 4 lanes`, () => {
      const [four, eight, sixteen] = [4, 8, 16].map((lanes) =>
        interpreted(task, { ...wasmMachine, lanes, madd: "fused", dot: "u8" }),
      );
      assert.deepEqual(eight, four);
      assert.deepEqual(sixteen, four);
    });
  }
});
