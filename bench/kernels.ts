// Speed of the matrix product kernels on one thread: GB/s of weights read and GMAC/s, by format, class and precision; from
// cache (1 MB of weights over and over) and from memory. Best of several, since other work shares the cores.
// Run: node bench/kernels.ts [--tier wasm] [--formats q4_k,q8_0] [--classes int8,panel,f32]
import { parseArgs } from "node:util";
import { decodedKernels, decodedPanelKernels } from "../src/device/cpu/kernels/linear-decoded.ts";
import { floatKernels } from "../src/device/cpu/kernels/linear-float.ts";
import { int8Kernels } from "../src/device/cpu/kernels/linear-int8.ts";
import { panelKernels } from "../src/device/cpu/kernels/linear-panel.ts";
import type { LinearKernel } from "../src/device/cpu/kernels/outputs.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS } from "../src/device/cpu/kernels/quantize.ts";
import { type PackedFormat, layouts, packedBytes } from "../src/device/cpu/packed-layouts.ts";
import { compileKernel, relaxedMachine, wasmMachine } from "../src/lanes/index.ts";

const { values } = parseArgs({
  options: {
    tier: { type: "string", default: "wasm-relaxed" },
    formats: { type: "string", default: Object.keys(layouts).join(",") },
    classes: { type: "string", default: "int8,panel,f32" },
    columns: { type: "string", default: "1536" },
  },
});
const machine = values.tier === "wasm" ? wasmMachine : (relaxedMachine() ?? wasmMachine);
const columns = Number(values.columns);
const MEMORY_BYTES = 400 << 20;
const X = 1 << 20;
const OUT = 8 << 20;
const WEIGHT = 64 << 20;
const PROMPT_ROWS = 128;
const memory = new WebAssembly.Memory({ initial: MEMORY_BYTES >> 16, maximum: MEMORY_BYTES >> 16, shared: true });
const words = new Int32Array(memory.buffer);
const halves = new Uint16Array(memory.buffer);

/** Bits that give finite numbers in every format: f16 and f32 of modest size. */
function fill(): void {
  let state = 1;
  for (let i = WEIGHT / 2; i < halves.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    halves[i] = ((state >>> 16) & 0x3bff) | 0x0c00;
  }
  for (let i = X / 4; i < OUT / 4; i++) words[i] = 0x3c010203;
}

interface Row {
  readonly label: string;
  readonly kernel: LinearKernel;
  readonly rows: number;
  readonly rounded: boolean;
}

function kernelsOf(format: PackedFormat): Row[] {
  const rows: Row[] = [];
  if (format === "f32" || format === "f16" || format === "bf16") {
    rows.push({ label: "decode", kernel: floatKernels[format], rows: 1, rounded: false });
    rows.push({ label: "prompt", kernel: decodedPanelKernels[format], rows: PROMPT_ROWS, rounded: false });
    return rows;
  }
  rows.push({ label: "int8", kernel: int8Kernels[format], rows: 1, rounded: true });
  rows.push({ label: "panel", kernel: panelKernels[format], rows: PROMPT_ROWS, rounded: true });
  rows.push({ label: "f32", kernel: decodedKernels[format], rows: 1, rounded: false });
  rows.push({ label: "f32", kernel: decodedPanelKernels[format], rows: PROMPT_ROWS, rounded: false });
  return rows.filter(({ label }) => values.classes.split(",").includes(label));
}

/** Milliseconds of the fastest of several rounds of one pass over `bytes` of weights. */
function measure({ kernel, rows, rounded }: Row, format: PackedFormat, bytes: number): { ms: number; bytes: number } {
  const groups = Math.max(1, Math.floor(bytes / packedBytes(format, 16, columns)));
  const rowBytes = rounded ? (columns / ACTIVATION_COLUMNS) * ACTIVATION_BYTES : columns * 4;
  if (rows * rowBytes > OUT - X) throw new Error("too many rows");
  const record: Record<string, number> = { x: X, weight: WEIGHT, bias: 0, out: OUT, rows, columns, outer: groups * 16 };
  kernel.words.forEach((name, i) => (words[256 + i] = record[name]));
  const run = compileKernel(kernel, machine, memory, 65536);
  const passes = Math.max(1, Math.floor(8e6 / (groups * 16 * columns * rows)));
  let best = Infinity;
  const until = performance.now() + 400;
  for (let round = 0; round < 5 || performance.now() < until; round++) {
    const from = performance.now();
    for (let pass = 0; pass < passes; pass++) run(1024, 0, 1);
    best = Math.min(best, (performance.now() - from) / passes);
  }
  return { ms: best, bytes: groups * packedBytes(format, 16, columns) };
}

fill();
console.log(`${values.tier}: dot ${machine.dot}, madd ${machine.madd}, columns ${columns}`);
for (const format of values.formats.split(",") as PackedFormat[]) {
  for (const row of kernelsOf(format)) {
    const line = [row.rows > 1 ? 1 << 20 : 1 << 20, ...(row.rows > 1 ? [] : [200 << 20])].map((bytes) => {
      const { ms, bytes: read } = measure(row, format, bytes);
      const weights = (read / layouts[format].bytes) * layouts[format].columns;
      return `${(read / ms / 1e6).toFixed(1)} GB/s ${((weights * row.rows) / ms / 1e6).toFixed(1)} GMAC/s`;
    });
    console.log(`${format.padEnd(5)} ${row.label} x${row.rows}: ${line.join(" | memory ")}`);
  }
}
