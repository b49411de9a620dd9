// y = x Wᵀ + b with activations rounded to int8 blocks and quantized weights, prompt class. A panel (panels.ts) holds the
// weights' unsigned bytes, and for each sub-block a scale and what every byte adds whatever it is, as f32: only the
// unpacking knows the format.
import type { Int, KernelBuilder } from "../../../lanes/index.ts";
import { QUAD, type QuantizedFormat, type QuantizedName, quantizedFormats } from "./blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import type { LinearKernel } from "./outputs.ts";
import { GROUP_BYTES, PANEL, PANEL_COLUMNS, type Tile, type TileSums, panelKernel } from "./panels.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, Activation } from "./quantize.ts";

const SUBS_MOST = PANEL_COLUMNS / 16;
const SCALES = PANEL + (PANEL_COLUMNS / QUAD) * GROUP_BYTES;
const OFFSETS = SCALES + SUBS_MOST * GROUP_BYTES;

function unpack(k: KernelBuilder, format: QuantizedFormat, from: Int, i: Int): void {
  const quads = format.columns / QUAD;
  const subs = format.columns / format.subColumns;
  k.range(0, GROUP_BYTES, k.lanes * FLOAT_BYTES, (register) => {
    const block = format.open(k, from.add(register));
    const bytes = k.scratch.add(i.mul(quads * GROUP_BYTES)).add(register);
    for (let t = 0; t < quads; t++) bytes.store(block.quad(t).shr(block.shift(t)), PANEL + t * GROUP_BYTES);
    const perSub = k.scratch.add(i.mul(subs * GROUP_BYTES)).add(register);
    for (let sub = 0; sub < subs; sub++) {
      const scale = block.scale === undefined ? block.d() : block.d().mul(block.scale(sub).toFloats());
      perSub.store(scale, SCALES + sub * GROUP_BYTES);
      let offset = scale.mul(-format.zero);
      if (block.lower !== undefined) offset = offset.sub(block.lower.factor().mul(block.lower.min(sub).toFloats()));
      if (block.plus !== undefined) offset = offset.add(block.plus());
      perSub.store(offset, OFFSETS + sub * GROUP_BYTES);
    }
  });
}

function multiply(k: KernelBuilder, format: QuantizedFormat, { rows, registers, blocks }: Tile, sums: TileSums): void {
  const subs = ACTIVATION_COLUMNS / format.subColumns;
  const quads = format.subColumns / QUAD;
  k.range(0, blocks.mul(format.columns / ACTIVATION_COLUMNS), 1, (part) => {
    const xs = rows.map((row) => row.add(part.mul(ACTIVATION_BYTES)));
    const bytes = k.scratch.add(part.mul((ACTIVATION_COLUMNS / QUAD) * GROUP_BYTES));
    const perSub = k.scratch.add(part.mul(subs * GROUP_BYTES));
    for (let sub = 0; sub < subs; sub++) {
      const products = sums.map((row) => row.map(() => k.ints(0)));
      for (let t = 0; t < quads; t++) {
        const quad = sub * quads + t;
        const weights = registers.map((register) => bytes.loadInts(PANEL + quad * GROUP_BYTES + register));
        for (const [r, x] of xs.entries()) {
          const value = x.splatInts(Activation.bytes + quad * QUAD);
          for (const [n, weight] of weights.entries()) {
            products[r][n] = products[r][n].dotBytes(value, weight, format.bits);
          }
        }
      }
      const totalAt = subs === 1 ? Activation.total : Activation.totalHalf + 4 * sub;
      for (const [n, register] of registers.entries()) {
        const at = sub * GROUP_BYTES + register;
        const [scale, offset] = [perSub.loadFloats(SCALES + at), perSub.loadFloats(OFFSETS + at)];
        for (const [r, x] of xs.entries()) {
          const product = products[r][n].toFloats().mul(x.splatFloats(Activation.d));
          const moved = offset.madd(x.splatFloats(totalAt), sums[r][n].value);
          sums[r][n].value = product.madd(scale, moved);
        }
      }
    }
  });
}

function linear(name: QuantizedName): LinearKernel {
  const format = quantizedFormats[name];
  return panelKernel({
    label: `linear.${name}.panel`,
    format: name,
    columnBytes: ACTIVATION_BYTES / ACTIVATION_COLUMNS,
    unpack: (k, from, i) => unpack(k, format, from, i),
    multiply: (k, tile, sums) => multiply(k, format, tile, sums),
  });
}

export const panelKernels = Object.fromEntries(
  (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, linear(name)]),
) as Record<QuantizedName, LinearKernel>;
