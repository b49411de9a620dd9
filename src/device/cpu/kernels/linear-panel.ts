// y = x Wᵀ with activations rounded to int8 blocks and quantized weights, prompt class. A panel (panels.ts) holds the
// weights' unsigned bytes, and for each sub-block a scale and what every byte adds whatever it is, as f32: only the
// unpacking knows the format.
import type { Int, Ints, KernelBuilder, Machine } from "../../../lanes/index.ts";
import type { UnaryName } from "../../../graph/index.ts";
import { QUAD, type QuantizedFormat, type QuantizedName, quantizedFormats } from "./blocks.ts";
import { unary } from "./elementwise.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type PanelShape, gated, plain } from "./panel-shapes.ts";
import { GROUP_BYTES, type PanelKernel, type Tile, type TileSize, type TileSums, panelKernel } from "./panels.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, Activation } from "./quantize.ts";
import { PANEL_COLUMNS, roundedPanel } from "./rounded-panels.ts";

/**
 * What an unpacked group of 16 rows holds of 32 columns: bytes, then scales and offsets, as if all formats had sub-blocks
 * of 16. One address reaches all of it.
 */
const PART_QUADS = ACTIVATION_COLUMNS / QUAD;
const SUBS_MOST = ACTIVATION_COLUMNS / 16;
const SCALES = PART_QUADS * GROUP_BYTES;
const OFFSETS = SCALES + SUBS_MOST * GROUP_BYTES;
const PART_BYTES = OFFSETS + SUBS_MOST * GROUP_BYTES;
const UNPACKED_BYTES = (PANEL_COLUMNS / ACTIVATION_COLUMNS) * PART_BYTES;

/** Integer products, and the f32 sums where there is room for them beside the products, weights and scales. */
const tileOf = ({ registers }: Machine): TileSize =>
  registers === 32 ? { rows: 6, registers: 2, sums: "registers" } : { rows: 4, registers: 2, sums: "registers" };

function unpack(k: KernelBuilder, format: QuantizedFormat, from: Int, i: Int, to: Int): void {
  const parts = format.columns / ACTIVATION_COLUMNS;
  const subs = ACTIVATION_COLUMNS / format.subColumns;
  k.range(0, GROUP_BYTES, k.lanes * FLOAT_BYTES, (register) => {
    const block = format.open(k, from.add(register));
    const unpacked = to.add(i.mul(parts * PART_BYTES)).add(register);
    for (let t = 0; t < parts * PART_QUADS; t++) {
      const at = Math.floor(t / PART_QUADS) * PART_BYTES + (t % PART_QUADS) * GROUP_BYTES;
      unpacked.store(block.quad(t).shr(block.shift(t)), at);
    }
    for (let sub = 0; sub < parts * subs; sub++) {
      const at = Math.floor(sub / subs) * PART_BYTES + (sub % subs) * GROUP_BYTES;
      const scale = block.scale === undefined ? block.d() : block.d().mul(block.scale(sub).toFloats());
      unpacked.store(scale, at + SCALES);
      let offset = scale.mul(-format.zero);
      if (block.lower !== undefined) offset = offset.sub(block.lower.factor().mul(block.lower.min(sub).toFloats()));
      if (block.plus !== undefined) offset = offset.add(block.plus());
      unpacked.store(offset, at + OFFSETS);
    }
  });
}

/** Sums of byte products over quads, by row and register; `at`: byte offsets of the rows' quads. */
function dotQuads(
  k: KernelBuilder,
  format: QuantizedFormat,
  xs: readonly Int[],
  at: readonly number[],
  weightsOf: (t: number) => Ints[],
): Ints[][] {
  const run = sumsInHalves(k.machine, format);
  let products: Ints[][] = [];
  let pairs: Ints[][] = [];
  for (const [t, offset] of at.entries()) {
    const weights = weightsOf(t);
    const isFirst = t % run === 0;
    for (const [r, x] of xs.entries()) {
      const value = x.splatInts(offset);
      if (run === 1) {
        products[r] = weights.map((weight, n) => (products[r]?.[n] ?? k.ints(0)).dotBytes(value, weight, format.bits));
        continue;
      }
      pairs[r] = weights.map((weight, n) => {
        const pair = value.dotPairs(weight);
        return isFirst ? pair : pairs[r][n].addHalves(pair);
      });
    }
    if (run === 1 || (t + 1) % run !== 0) continue;
    const summed = pairs.map((row) => row.map((pair) => pair.dotHalves(k.ints(ONES))));
    products = t < run ? summed : summed.map((row, r) => row.map((sum, n) => products[r][n].add(sum)));
    pairs = [];
  }
  return products;
}

/** Both halves of a lane. */
const ONES = 0x00010001;

/**
 * How many quads' products fit 16-bit halves, pair by pair, where dot products of bytes are made of such halves: summing
 * them there saves two instructions of three. 1: each quad is summed in 32 bits.
 */
function sumsInHalves({ dot }: Machine, { bits, most, subColumns }: QuantizedFormat): number {
  if (dot !== "i7" || bits !== 7) return 1;
  return Math.min(subColumns / QUAD, Math.floor(0x7fff / (2 * 127 * most)));
}

function multiply(k: KernelBuilder, format: QuantizedFormat, { rows, registers, blocks }: Tile, sums: TileSums): void {
  const subs = ACTIVATION_COLUMNS / format.subColumns;
  const quads = format.subColumns / QUAD;
  k.range(0, blocks.mul(format.columns / ACTIVATION_COLUMNS), 1, (part) => {
    const xs = rows.map((row) => row.add(part.mul(ACTIVATION_BYTES)));
    const groups = new Map(registers.map(({ group }) => [group, group.add(part.mul(PART_BYTES))]));
    const weightAt = registers.map(({ group, offset }) => ({ at: groups.get(group) as Int, offset }));
    for (let sub = 0; sub < subs; sub++) {
      const values = Array.from({ length: quads }, (_, t) => Activation.bytes + (sub * quads + t) * QUAD);
      const products = dotQuads(k, format, xs, values, (t) =>
        weightAt.map(({ at, offset }) => at.loadInts((sub * quads + t) * GROUP_BYTES + offset)),
      );
      const totalAt = subs === 1 ? Activation.total : Activation.totalHalf + 4 * sub;
      for (const [n, { at, offset }] of weightAt.entries()) {
        const [scale, plus] = [SCALES, OFFSETS].map((field) => at.loadFloats(field + sub * GROUP_BYTES + offset));
        for (const [r, x] of xs.entries()) {
          const product = products[r][n].toFloats().mul(x.splatFloats(Activation.d));
          const moved = plus.madd(x.splatFloats(totalAt), sums[r][n].value);
          sums[r][n].value = product.madd(scale, moved);
        }
      }
    }
  });
}

function kernelOf(name: QuantizedName, suffix: string, shape: PanelShape): PanelKernel {
  const format = quantizedFormats[name];
  return panelKernel({
    label: `linear.${name}.panel${suffix}`,
    format: name,
    activations: ({ x, rows, columns }, panel) => roundedPanel(x, rows, columns, panel),
    tile: tileOf,
    shape,
    unpacking: { groupBytes: UNPACKED_BYTES, unpack: (k, from, i, to) => unpack(k, format, from, i, to) },
    multiply: (k, tile, sums) => multiply(k, format, tile, sums),
  });
}

const each = (suffix: string, shape: PanelShape) =>
  Object.fromEntries(
    (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, kernelOf(name, suffix, shape)]),
  ) as Record<QuantizedName, PanelKernel>;

/** out = x Wᵀ + bias + residual. */
export const panelKernels = each("", plain);

/** out = f(x Wᵀ) * (x Vᵀ), rounded to int8 blocks; `outer` is a multiple of 32. */
export const gatedPanelKernels = Object.fromEntries(
  (Object.keys(unary) as UnaryName[]).map((name) => [name, each(`.${name}`, gated(name, "int8"))]),
) as Record<UnaryName, Record<QuantizedName, PanelKernel>>;
