// Blocks of any packed format as f32: here the float formats, a block of which is one column; quantized ones: blocks.ts.
import { type Floats, type Int, type KernelBuilder, loadBf16, loadF16 } from "../../../lanes/index.ts";
import type { PackedFormat } from "../packed-layouts.ts";
import { QUAD, decodeQuad, quantizedFormats } from "./blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";

interface FloatFormat {
  readonly bytes: number;
  /** W rows of one column. */
  readonly load: (at: Int, offset: number) => Floats;
}

export const floatFormats = {
  f32: { bytes: 4, load: (at, offset) => at.loadFloats(offset) },
  f16: { bytes: 2, load: loadF16 },
  bf16: { bytes: 2, load: loadBf16 },
} as const satisfies Record<string, FloatFormat>;
export type FloatFormatName = keyof typeof floatFormats;

export const isFloatFormat = (name: string): name is FloatFormatName => Object.hasOwn(floatFormats, name);

/** Calls `use` with each column's weights of W rows of the block at `at`: `register` is which W of the 16 rows. */
export function decodeBlock(
  k: KernelBuilder,
  name: PackedFormat,
  at: Int,
  register: Int,
  use: (column: number, weights: Floats) => void,
): void {
  if (isFloatFormat(name)) {
    const { bytes, load } = floatFormats[name];
    return use(0, load(at.add(register.mul(k.lanes * bytes)), 0));
  }
  const format = quantizedFormats[name];
  const before = register.mul(k.lanes);
  const block = format.open(k, at.add(before.mul(FLOAT_BYTES)), before);
  for (let t = 0; t < format.columns / QUAD; t++) {
    decodeQuad(format, block, t).forEach((weights, i) => use(t * QUAD + i, weights));
  }
}
