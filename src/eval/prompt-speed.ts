// Speed of the prompt class's products by weight format: operations a second, beside what the machine does at most with the
// instructions that the product is made of (f32, int8, or bf16 in tiles). Decoding's products: decode-speed.ts.
import { KernelRun } from "../device/cpu/kernel-run.ts";
import { floatKernels } from "../device/cpu/kernels/linear-floats.ts";
import { decodedPanelKernels, gatedDecodedPanelKernels } from "../device/cpu/kernels/panel-decoded.ts";
import { gatedInt8PanelKernels, int8PanelKernels } from "../device/cpu/kernels/panel-int8.ts";
import { isTileFormat, tileKernels } from "../device/cpu/kernels/linear-tiles.ts";
import { FLOAT_BYTES } from "../device/cpu/kernels/loops.ts";
import { isFloatFormat } from "../device/cpu/kernels/packed-blocks.ts";
import { activationBytes } from "../device/cpu/kernels/quantize.ts";
import { roundPanelsKernel } from "../device/cpu/kernels/rounded-panels.ts";
import { packTilesKernel, tileFormBytes } from "../device/cpu/kernels/tiles.ts";
import { type PackedFormat, packedBytes } from "../device/cpu/packed-layouts.ts";
import { tileUnits } from "../device/cpu/prompt-class.ts";
import type { Tier } from "../device/cpu/tiers.ts";
import type { Kernel } from "../lanes/index.ts";
import { type KernelSpeed, bestMs, fillWithWeights, kernelSpeed } from "./kernel-share.ts";
import type { Peaks } from "./machine-speed.ts";

export interface PromptSpeedOptions {
  readonly tier: Tier;
  readonly threads: number;
  /** With as many threads, of the same minute (machine-speed.ts). */
  readonly peaks: Peaks;
  readonly formats: readonly PackedFormat[];
  readonly precision?: "fast" | "f32";
  /** Rows of a prompt; default 512. */
  readonly rows?: readonly number[];
  /** A multiple of 256. */
  readonly columns?: number;
  readonly outer?: number;
  /** Products with a gate too: of two weights. */
  readonly gated?: boolean;
  /** For each product. */
  readonly ms?: number;
}

const PARTS = 64;

/** Speeds, one by one: each format's by all row counts. */
export async function* promptSpeeds(options: PromptSpeedOptions): AsyncGenerator<KernelSpeed> {
  for (const format of options.formats) yield* speedsOf(format, options);
}

async function* speedsOf(format: PackedFormat, options: PromptSpeedOptions): AsyncGenerator<KernelSpeed> {
  const { tier, threads, peaks, rows = [512], columns = 1536, outer = 1536, ms = 200 } = options;
  const { plain, gated, form, bound } = productOf(format, options);
  const ceiling = peaks[bound] as number; // where there are tiles they have a peak
  const most = Math.max(...rows);
  const weightBytes = packedBytes(format, outer, columns);
  const [xBytes, formBytes] = [most * columns * FLOAT_BYTES, form?.bytes(most, columns) ?? 0];
  const products = [{ kernel: plain, weights: 1 }, ...(options.gated === true ? [{ kernel: gated, weights: 2 }] : [])];
  const kernels = [...products.map(({ kernel }) => kernel), ...(form === undefined ? [] : [form.kernel])];
  const bytes = 2 * weightBytes + xBytes + formBytes + most * outer * FLOAT_BYTES;
  await using block = new KernelRun({ tier, kernels, threads, bytes });
  fillWithWeights(block.data);
  const weight = block.address;
  const given = weight + 2 * weightBytes;
  const formed = given + xBytes;
  const out = formed + formBytes;
  for (const count of rows) {
    if (form !== undefined) await block.run(form.kernel, { x: given, rows: count, columns, out: formed }, PARTS);
    const x = form === undefined ? given : formed;
    for (const { kernel, weights } of products) {
      const { unitPanels } = tileUnits(outer, weights === 2);
      const words = { x, rows: count, columns, outer, out, bias: 0, residual: 0, unitPanels };
      const following = { threads, following: weight, followingColumns: columns };
      const record = { ...words, ...following, weight, second: weight + weightBytes };
      const time = await bestMs(ms, () => block.run(kernel, record, PARTS));
      const operations = 2 * count * columns * outer * weights;
      const name = weights === 2 ? `${format} gated` : format;
      yield kernelSpeed({ class: "prompt", kernel: name, rows: count, bound }, operations / time / 1e6, ceiling);
    }
  }
}

interface Product {
  readonly plain: Kernel;
  readonly gated: Kernel;
  /** What brings f32 rows to the form that the product reads, and the bytes of that form; absent: it reads f32. */
  readonly form?: { readonly kernel: Kernel; readonly bytes: (rows: number, columns: number) => number };
  readonly bound: keyof Peaks;
}

/** What the lowering would take (device/cpu/prompt-class.ts). */
function productOf(format: PackedFormat, { tier, precision = "fast" }: PromptSpeedOptions): Product {
  const isFast = precision === "fast";
  if (isFast && tier.machine.tiles && isTileFormat(format)) {
    const form = { kernel: packTilesKernel, bytes: tileFormBytes };
    return { plain: tileKernels.plain.none[format], gated: tileKernels.gated.silu[format], form, bound: "bf16" };
  }
  if (isFast && !isFloatFormat(format)) {
    const form = { kernel: roundPanelsKernel, bytes: activationBytes };
    return { plain: int8PanelKernels.none[format], gated: gatedInt8PanelKernels.silu[format], form, bound: "int8" };
  }
  const plain = format === "f32" ? floatKernels.none : decodedPanelKernels.none[format];
  return { plain, gated: gatedDecodedPanelKernels.silu[format], bound: "f32" };
}
