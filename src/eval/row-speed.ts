// Speed of what goes over rows of activations between products: norms, gates, sums, rounding. Bytes read and written a
// second by one thread whose cache holds them, as activations mostly are, beside what it reads from there at most.
// Rotations and attention: attention-speed.ts.
import { type ExpressionValue, expressionKernel } from "../device/cpu/kernels/expression.ts";
import { rmsNormKernel } from "../device/cpu/kernels/norm.ts";
import { activationBytes } from "../device/cpu/kernels/quantize.ts";
import { roundPanelsKernel } from "../device/cpu/kernels/rounded-panels.ts";
import { packTilesKernel, tileFormBytes } from "../device/cpu/kernels/tiles.ts";
import type { Tier } from "../device/cpu/tiers.ts";
import type { Kernel } from "../lanes/index.ts";
import { type KernelSpeed, kernelSpeed } from "./kernel-share.ts";
import { OwnRun } from "./own-run.ts";
import { readKernel } from "./peak-kernels.ts";

/** Two operands and a result fit the second cache of a core of any desktop. */
const ROWS = 32;
const COLUMNS = 1024;
const COUNT = ROWS * COLUMNS;
const MATRIX_BYTES = COUNT * 4;

interface Trial {
  readonly name: string;
  readonly kernel: Kernel;
  readonly words: Readonly<Record<string, number>>;
  /** Read and written. */
  readonly bytes: number;
}

/** Speeds, one by one; `ms`: for each kernel. */
export async function* rowSpeeds({ tier, ms = 100 }: { tier: Tier; ms?: number }): AsyncGenerator<KernelSpeed> {
  const kernels = [readKernel, ...trialsAt(0, tier).map(({ kernel }) => kernel)];
  using own = new OwnRun(tier, kernels, 3 * MATRIX_BYTES);
  const trials = trialsAt(own.address, tier);
  const read = { data: own.address, bytes: 2 * MATRIX_BYTES, sums: own.address + 2 * MATRIX_BYTES };
  const ceiling = (2 * MATRIX_BYTES) / (await own.time(readKernel, read, ms)) / 1e6;
  for (const { name, kernel, words, bytes } of trials) {
    const measured = bytes / (await own.time(kernel, words, ms)) / 1e6;
    yield kernelSpeed({ class: "rows", kernel: name, rows: ROWS, bound: "cache" }, measured, ceiling);
  }
}

const operand: ExpressionValue = { kind: "operand", reach: "each" };
const sum = expressionKernel({ values: [operand, operand, { kind: "binary", by: "add", a: 0, b: 1 }], results: [2] });
const gate = (by: "silu" | "geluTanh"): Kernel =>
  expressionKernel({
    values: [operand, operand, { kind: "unary", by, x: 0 }, { kind: "binary", by: "multiply", a: 2, b: 1 }],
    results: [3],
  });

/** The kernels over matrices that lie from `a` on. */
function trialsAt(a: number, { machine }: Tier): readonly Trial[] {
  const [b, out] = [a + MATRIX_BYTES, a + 2 * MATRIX_BYTES];
  const epsilon = new Int32Array(new Float32Array([1e-6]).buffer)[0];
  const form = { x: a, out, rows: ROWS, columns: COLUMNS };
  const trial = (name: string, kernel: Kernel, words: Trial["words"], bytes: number): Trial => {
    return { name, kernel, words, bytes };
  };
  return [
    trial("add", sum, { x0: a, x1: b, out0: out, count: COUNT }, 3 * MATRIX_BYTES),
    trial("silu gate", gate("silu"), { x0: a, x1: b, out0: out, count: COUNT }, 3 * MATRIX_BYTES),
    trial("gelu gate", gate("geluTanh"), { x0: a, x1: b, out0: out, count: COUNT }, 3 * MATRIX_BYTES),
    trial("rms norm", rmsNormKernel, { x: a, gain: b, out, groups: ROWS, size: COLUMNS, epsilon }, 2 * MATRIX_BYTES),
    trial("round to int8", roundPanelsKernel, form, MATRIX_BYTES + activationBytes(ROWS, COLUMNS)),
    ...(machine.tiles ? [trial("into tiles", packTilesKernel, form, MATRIX_BYTES + tileFormBytes(ROWS, COLUMNS))] : []),
  ];
}
