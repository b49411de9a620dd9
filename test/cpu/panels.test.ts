// The prompt class's kernels without tiles: as emitted WebAssembly against the interpreter, byte by byte, and with wider
// registers and other numbers of them: rows and registers that are multiplied together change no result. Gated and plain
// products agree with sums of their own; tails in rows and outputs.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { QuantizedName } from "../../src/device/cpu/kernels/blocks.ts";
import { expressionKernel } from "../../src/device/cpu/kernels/expression.ts";
import { floatKernels } from "../../src/device/cpu/kernels/linear-floats.ts";
import { decodedPanelKernels, gatedDecodedPanelKernels } from "../../src/device/cpu/kernels/panel-decoded.ts";
import { gatedInt8PanelKernels, int8PanelKernels } from "../../src/device/cpu/kernels/panel-int8.ts";
import { ACTIVATION_BYTES, Activation, activationBytes } from "../../src/device/cpu/kernels/quantize.ts";
import { roundPanelsKernel } from "../../src/device/cpu/kernels/rounded-panels.ts";
import { type PackedFormat, layouts } from "../../src/device/cpu/packed-layouts.ts";
import { type Kernel, type Machine, relaxedMachine, wasmMachine } from "../../src/lanes/index.ts";
import { KernelBench } from "./kernel-bench.ts";
import { randomFloats, randomParameter } from "./stores.ts";

const relaxed = relaxedMachine();
const hosts: Record<string, Machine> = {
  wasm: wasmMachine,
  ...(relaxed && { "wasm-relaxed": relaxed, "wasm-relaxed with 7-bit bytes": { ...relaxed, dot: "i7" } }),
};

interface Task {
  readonly label: string;
  readonly format: PackedFormat;
  readonly rounded: boolean;
  readonly plain: Kernel;
  /** GELU of the product and its bias. */
  readonly activated: Kernel;
  readonly gated: Kernel;
}

const tasks: Task[] = [
  ...(Object.keys(int8PanelKernels.none) as QuantizedName[]).map((format) => ({
    label: `${format} by rounded activations`,
    format,
    rounded: true,
    plain: int8PanelKernels.none[format],
    activated: int8PanelKernels.gelu[format],
    gated: gatedInt8PanelKernels.silu[format],
  })),
  ...(Object.keys(decodedPanelKernels.none) as PackedFormat[]).map((format) => ({
    label: `${format} by f32 activations`,
    format,
    rounded: false,
    plain: format === "f32" ? floatKernels.none : decodedPanelKernels.none[format],
    activated: format === "f32" ? floatKernels.gelu : decodedPanelKernels.gelu[format],
    gated: gatedDecodedPanelKernels.silu[format],
  })),
];

const columnsOf = ({ format, rounded }: Task): number =>
  layouts[format].columns === 256 ? 256 : layouts[format].columns === 32 || rounded ? 288 : 261;

/** Activations of `rows` rows in the form that a task's kernels read. */
function activations(bench: KernelBench, task: Task, x: Float32Array, rows: number): number {
  const from = bench.floats(x);
  if (!task.rounded) return from;
  const columns = x.length / rows;
  const out = bench.reserve(activationBytes(rows, columns));
  bench.run(roundPanelsKernel, { x: from, out, rows, columns });
  return out;
}

const PLAIN = { rows: 9, outer: 37 };

/** f(x Wᵀ + bias) + residual, with what is added or without it. */
function plain(
  task: Task,
  bench: KernelBench,
  { rows, outer } = PLAIN,
  kernel = task.plain,
  addsResidual = true,
): Float32Array {
  const columns = columnsOf(task);
  const x = activations(bench, task, randomFloats(1, rows * columns), rows);
  const weight = bench.weight(randomParameter(2, task.format, outer, columns));
  const bias = bench.floats(randomFloats(3, outer));
  const residual = addsResidual ? bench.floats(randomFloats(4, rows * outer)) : 0;
  const out = bench.reserve(rows * outer * 4);
  bench.run(kernel, { x, weight, bias, residual, out, rows, columns, outer });
  return bench.floatsAt(out, rows * outer);
}

/** A function of one number as the kernel of its own computes it. */
const functionKernel = (by: "silu" | "gelu") =>
  expressionKernel({
    values: [
      { kind: "operand", reach: "each" },
      { kind: "unary", by, x: 0 },
    ],
    results: [1],
  });

/** silu(x Wᵀ) * (x Vᵀ) as the gated kernel gives it, as plain ones do, and how far apart they may be. */
function gated(task: Task, bench: KernelBench): { found: Float32Array; expected: Float32Array; off: Float32Array } {
  const [rows, outer, columns] = [3, 64, columnsOf(task)];
  const x = activations(bench, task, randomFloats(1, rows * columns), rows);
  const [weight, second] = [2, 3].map((seed) => bench.weight(randomParameter(seed, task.format, outer, columns)));
  const products = [weight, second].map((weight) => {
    const out = bench.reserve(rows * outer * 4);
    bench.run(task.plain, { x, weight, out, rows, columns, outer });
    return out;
  });
  bench.run(functionKernel("silu"), { x0: products[0], out0: products[0], count: rows * outer });
  const [gate, up] = products.map((at) => bench.floatsAt(at, rows * outer));
  const expected = gate.map((value, i) => value * up[i]);
  const out = bench.reserve(Math.max(activationBytes(rows, outer), expected.byteLength));
  bench.run(task.gated, { x, weight, second, out, rows, columns, outer });
  const off = new Float32Array(expected.length);
  if (!task.rounded) return { found: bench.floatsAt(out, expected.length), expected, off };
  const view = new DataView(bench.bytes, out);
  const scales = expected.map((_, i) => view.getFloat32(Math.floor(i / 32) * ACTIVATION_BYTES + Activation.d, true));
  const found = scales.map((scale, i) => {
    const at = Math.floor(i / 32) * ACTIVATION_BYTES + Activation.bytes + (i % 32);
    return scale * view.getInt8(at);
  });
  // half a step, and what a rough activation may be off
  return { found, expected, off: scales.map((scale, i) => 0.51 * scale + 2 ** -11 * Math.abs(expected[i])) };
}

for (const [tier, machine] of Object.entries(hosts)) {
  describe(`panels on ${tier}`, () => {
    for (const task of tasks) {
      it(`${task.label}: emitted and interpreted kernels give the same bytes`, () => {
        const [emitted, interpreted] = (["emitted", "interpreted"] as const).map((how) =>
          plain(task, new KernelBench(machine, how)),
        );
        assert.deepEqual(emitted, interpreted);
      });

      it(`${task.label}: an activation on the way gives the bytes of one afterwards`, () => {
        const bench = new KernelBench(machine, "emitted");
        const before = plain(task, bench, PLAIN, task.plain, false);
        const at = bench.floats(before);
        bench.run(functionKernel("gelu"), { x0: at, out0: at, count: before.length });
        const residual = randomFloats(4, before.length);
        const expected = bench.floatsAt(at, before.length).map((value, i) => value + residual[i]);
        assert.deepEqual(plain(task, bench, PLAIN, task.activated), expected);
      });

      it(`${task.label}: the gated product is that of two plain ones`, () => {
        const { found, expected, off } = gated(task, new KernelBench(machine, "emitted"));
        found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) <= off[i], `${value}, ${expected[i]}`));
      });
    }
  });
}

describe("panels with other registers", () => {
  const machines: Machine[] = [
    { ...wasmMachine, madd: "fused", dot: "u8" },
    { ...wasmMachine, madd: "fused", dot: "i7", lanes: 8 },
    { ...wasmMachine, madd: "fused", dot: "u8", lanes: 16, registers: 32 },
  ];
  for (const task of tasks) {
    it(`${task.label}: 4, 8 and 16 lanes, 16 and 32 registers give the same bytes`, () => {
      const [four, ...wider] = machines.map((machine) => plain(task, new KernelBench(machine, "interpreted")));
      for (const result of wider) assert.deepEqual(result, four);
    });
  }
});

describe("a row of panels", () => {
  it("does not depend on the rows beside it, nor on how many there are", () => {
    const [task] = tasks;
    const all = plain(task, new KernelBench(wasmMachine, "emitted"), { rows: 133, outer: 16 });
    const few = plain(task, new KernelBench(wasmMachine, "emitted"), { rows: 5, outer: 16 });
    assert.deepEqual(all.slice(0, 4 * 16), few.slice(0, 4 * 16));
  });

  it("is the same where a part has several blocks of rows and more panels than are taken together", () => {
    const task = tasks.find(({ label }) => label === "q4_k by rounded activations")!;
    const columns = 512;
    const product = (rows: number, outer: number): Float32Array => {
      const bench = new KernelBench(wasmMachine, "emitted");
      const x = activations(bench, task, randomFloats(1, rows * columns), rows);
      const weight = bench.weight(randomParameter(2, task.format, outer, columns));
      const out = bench.reserve(rows * outer * 4);
      bench.run(task.plain, { x, weight, out, rows, columns, outer });
      return bench.floatsAt(out, rows * outer);
    };
    const [rows, outer, few] = [201, 7 * 32, 32];
    const all = product(rows, outer);
    assert.deepEqual(all.slice(0, 5 * outer), product(5, outer));
    const narrow = product(rows, few);
    for (let row = 0; row < rows; row++) {
      assert.deepEqual(
        all.slice(row * outer, row * outer + few),
        narrow.slice(row * few, (row + 1) * few),
        `row ${row}`,
      );
    }
  });
});
