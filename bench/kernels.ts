// Speed of the prompt class's products by format and tier: 10^9 operations a second, and the share of what the machine does
// at most with these instructions (f32, int8 or bf16 in tiles), measured beside it. Other work shares the cores, so every
// number is the best of many short runs. Decode class: decode.ts.
// Run: node bench/kernels.ts [--tiers amx,avx2] [--formats q4_k,q8_0] [--rows 512,128,32] [--threads 2] [--columns 1536]
//      [--outer 1536] [--precision f32] [--ms 300]
import { parseArgs } from "node:util";
import { KernelRun } from "../src/device/cpu/kernel-run.ts";
import { isFloatFormat } from "../src/device/cpu/kernels/linear-float.ts";
import { decodedPanelKernels, gatedDecodedPanelKernels } from "../src/device/cpu/kernels/linear-decoded.ts";
import { gatedPanelKernels, panelKernels } from "../src/device/cpu/kernels/linear-panel.ts";
import { gatedTileKernels, isTileFormat, tileKernels } from "../src/device/cpu/kernels/linear-tiles.ts";
import { activationBytes } from "../src/device/cpu/kernels/quantize.ts";
import { roundPanelsKernel } from "../src/device/cpu/kernels/rounded-panels.ts";
import { packTilesKernel, tileFormBytes } from "../src/device/cpu/kernels/tiles.ts";
import { type PackedFormat, packedBytes } from "../src/device/cpu/packed-layouts.ts";
import { tileUnits } from "../src/device/cpu/prompt-class.ts";
import { type Tier, findTier, parseTier, tierNames } from "../src/device/cpu/tiers.ts";
import { type Peaks, measurePeaks } from "../src/eval/machine-speed.ts";
import type { Kernel } from "../src/lanes/index.ts";

const { values } = parseArgs({
  options: {
    tiers: { type: "string" },
    formats: { type: "string", default: "q4_k,q6_k,q8_0,q5_0,f32" },
    rows: { type: "string", default: "512,128,32" },
    threads: { type: "string", default: "2" },
    columns: { type: "string", default: "1536" },
    outer: { type: "string", default: "1536" },
    precision: { type: "string", default: "fast" },
    ms: { type: "string", default: "300" },
  },
});
const [columns, outer, threads] = [values.columns, values.outer, values.threads].map(Number);
const rowCounts = values.rows.split(",").map(Number);
const ROWS_MOST = Math.max(...rowCounts);
const formats = values.formats.split(",") as PackedFormat[];
const PARTS = 64;

interface Product {
  readonly plain: Kernel;
  readonly gated: Kernel;
  /** What brings f32 rows to the form that the product reads, and the bytes of that form; absent: it reads f32. */
  readonly form?: { readonly kernel: Kernel; readonly bytes: (rows: number, columns: number) => number };
  readonly peak: keyof Peaks;
}

/** What the lowering would take (prompt-class.ts). */
function productOf({ machine }: Tier, format: PackedFormat): Product {
  const fast = values.precision === "fast";
  if (fast && machine.tiles && isTileFormat(format)) {
    const form = { kernel: packTilesKernel, bytes: tileFormBytes };
    return { plain: tileKernels[format], gated: gatedTileKernels.silu[format], form, peak: "bf16" };
  }
  if (fast && !isFloatFormat(format)) {
    const form = { kernel: roundPanelsKernel, bytes: activationBytes };
    return { plain: panelKernels[format], gated: gatedPanelKernels.silu[format], form, peak: "int8" };
  }
  return { plain: decodedPanelKernels[format], gated: gatedDecodedPanelKernels.silu[format], peak: "f32" };
}

/** Bits that give modest numbers as f16, f32 and scales: subnormal ones are slow. */
function fill(bytes: Uint8Array): void {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
  let state = 1;
  for (let i = 0; i < halves.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    halves[i] = ((state >>> 16) & 0x0bff) | 0x3000;
  }
}

/** Milliseconds of the fastest of as many runs as fit the time. */
async function best(run: () => Promise<void>): Promise<number> {
  let least = Infinity;
  for (const until = performance.now() + Number(values.ms); performance.now() < until;) {
    const from = performance.now();
    await run();
    least = Math.min(least, performance.now() - from);
  }
  return least;
}

async function measure(tier: Tier, format: PackedFormat, peaks: Peaks): Promise<void> {
  const { plain, gated, form, peak } = productOf(tier, format);
  const weightBytes = packedBytes(format, outer, columns);
  const xBytes = ROWS_MOST * columns * 4;
  const outBytes = ROWS_MOST * outer * 4;
  const kernels = [plain, gated, ...(form === undefined ? [] : [form.kernel])];
  await using block = new KernelRun({ tier, kernels, threads, bytes: 2 * (weightBytes + xBytes) + outBytes });
  fill(block.data);
  const weight = block.address;
  const x = weight + 2 * weightBytes;
  const [packed, out] = [x + xBytes, x + 2 * xBytes];
  for (const rows of rowCounts) {
    const words = { rows, columns, out, bias: 0, residual: 0, outer };
    if (form !== undefined) await block.run(form.kernel, { x, rows, columns, out: packed }, PARTS);
    const from = form === undefined ? x : packed;
    const operations = 2 * rows * columns * outer;
    const results: string[] = [];
    for (const [label, kernel, count] of [
      ["plain", plain, 1],
      ["gated", gated, 2],
    ] as const) {
      const { unitPanels } = tileUnits(outer, count === 2);
      const record = { ...words, x: from, weight, second: weight + weightBytes, unitPanels };
      const speed = (count * operations) / (await best(() => block.run(kernel, record, PARTS))) / 1e6;
      results.push(`${label} ${speed.toFixed(0)} = ${((100 * speed) / (peaks[peak] ?? NaN)).toFixed(0)} %`);
    }
    console.log(`${tier.name} ${format.padEnd(5)} x${rows}: GOP/s ${results.join(", ")} of ${peak} ${peaks[peak]}`);
  }
}

for (const name of values.tiers?.split(",").map((name) => parseTier(name, "--tiers")) ?? tierNames) {
  const tier = findTier(name);
  if (typeof tier === "string") {
    console.log(`${name}: ${tier}`);
    continue;
  }
  const peaks = await measurePeaks(tier, threads);
  for (const format of formats) await measure(tier, format, peaks);
}
