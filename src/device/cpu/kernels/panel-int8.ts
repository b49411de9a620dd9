// y = x Wᵀ with activations rounded to int8 blocks and quantized weights, prompt class. A panel (panels.ts) holds the
// weights' unsigned bytes, and for each sub-block a scale and what every byte adds whatever it is, as f32: only the
// unpacking knows the format.
import type { Int, KernelBuilder, Machine } from "../../../lanes/index.ts";
import type { ActivationName } from "../../../graph/index.ts";
import { QUAD, type QuantizedFormat, type QuantizedName, quantizedFormats } from "./blocks.ts";
import { unary } from "./elementwise.ts";
import { type BytePlanes, ByteSum, SplatQuad, bytePlanes, keptTogether, planeOf, sumOfPlanes } from "./byte-sums.ts";
import { byActivation } from "./gemm-outputs.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type PanelShape, gated, plain } from "./panel-shapes.ts";
import {
  GROUP_BYTES,
  type PanelKernel,
  type PanelParts,
  type Tile,
  type TileSize,
  type TileSums,
  panelKernel,
} from "./panels.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, Activation } from "./quantize.ts";
import { PANEL_COLUMNS, roundedPanel } from "./rounded-panels.ts";

const PART_QUADS = ACTIVATION_COLUMNS / QUAD;

/**
 * Where what an unpacked group of 16 rows has of 32 columns lies, so that one address reaches all of it: the quads of
 * each plane, then scales and offsets by sub-block.
 */
interface PartLayout extends BytePlanes {
  readonly scales: number;
  readonly offsets: number;
  readonly bytes: number;
}

function partLayout(machine: Machine, format: QuantizedFormat): PartLayout {
  const form = bytePlanes(machine, format);
  const scales = form.planes.length * PART_QUADS * GROUP_BYTES;
  const offsets = scales + (ACTIVATION_COLUMNS / format.subColumns) * GROUP_BYTES;
  return { ...form, scales, offsets, bytes: offsets + (offsets - scales) };
}

/** Integer products, and the f32 sums where there is room for them beside the products, weights and scales. */
const tileOf = ({ registers }: Machine): TileSize =>
  registers === 32 ? { rows: 6, registers: 2, sums: "registers" } : { rows: 4, registers: 2, sums: "registers" };

function unpack(k: KernelBuilder, format: QuantizedFormat, from: Int, i: Int, to: Int): void {
  const layout = partLayout(k.machine, format);
  const parts = format.columns / ACTIVATION_COLUMNS;
  const subs = ACTIVATION_COLUMNS / format.subColumns;
  k.range(0, GROUP_BYTES, k.lanes * FLOAT_BYTES, (register) => {
    const block = format.open(k, from.add(register), register.div(FLOAT_BYTES));
    const unpacked = to.add(i.mul(parts * layout.bytes)).add(register);
    for (let t = 0; t < parts * PART_QUADS; t++) {
      const at = Math.floor(t / PART_QUADS) * layout.bytes + (t % PART_QUADS) * GROUP_BYTES;
      for (const n of layout.planes.keys()) {
        unpacked.store(planeOf(layout, n, block, t).shr(block.shift(t)), at + n * PART_QUADS * GROUP_BYTES);
      }
    }
    for (let sub = 0; sub < parts * subs; sub++) {
      const at = Math.floor(sub / subs) * layout.bytes + (sub % subs) * GROUP_BYTES;
      const scale = block.scale === undefined ? block.d() : block.d().mul(block.scale(sub).toFloats());
      unpacked.store(scale, at + layout.scales);
      let offset = scale.mul(-format.zero);
      if (block.lower !== undefined) offset = offset.sub(block.lower.factor().mul(block.lower.min(sub).toFloats()));
      if (block.plus !== undefined) offset = offset.add(block.plus());
      unpacked.store(offset, at + layout.offsets);
    }
  });
}

function multiply(k: KernelBuilder, format: QuantizedFormat, { rows, registers, blocks }: Tile, sums: TileSums): void {
  const layout = partLayout(k.machine, format);
  const subs = ACTIVATION_COLUMNS / format.subColumns;
  const quads = format.subColumns / QUAD;
  k.range(0, blocks.mul(format.columns / ACTIVATION_COLUMNS), 1, (part) => {
    const xs = rows.map((row) => row.add(part.mul(ACTIVATION_BYTES)));
    const groups = new Map(registers.map(({ group }) => [group, group.add(part.mul(layout.bytes))]));
    const weightAt = registers.map(({ group, offset }) => ({ at: groups.get(group) as Int, offset }));
    for (let sub = 0; sub < subs; sub++) {
      const products = xs.map(() => weightAt.map(() => layout.planes.map(() => new ByteSum(k, layout))));
      for (const plane of layout.planes.keys()) {
        const all = Array.from({ length: quads }, (_, i) => sub * quads + i);
        for (const kept of keptTogether(all, layout)) {
          const weights = kept.map((t) =>
            weightAt.map(({ at, offset }) => at.loadInts((plane * PART_QUADS + t) * GROUP_BYTES + offset)),
          );
          for (const [r, x] of xs.entries()) {
            for (const [i, t] of kept.entries()) {
              const quad = new SplatQuad(k, x, Activation.bytes + t * QUAD);
              for (const [n, weight] of weights[i].entries()) products[r][n][plane].add(quad, weight, layout.bits);
            }
          }
        }
      }
      const totalAt = subs === 1 ? Activation.total : Activation.totalHalf + 4 * sub;
      for (const [n, { at, offset }] of weightAt.entries()) {
        const [scale, plus] = [layout.scales, layout.offsets].map((field) =>
          at.loadFloats(field + sub * GROUP_BYTES + offset),
        );
        for (const [r, x] of xs.entries()) {
          const product = sumOfPlanes(products[r][n]).toFloats().mul(x.splatFloats(Activation.d));
          const moved = plus.madd(x.splatFloats(totalAt), sums[r][n].value);
          sums[r][n].value = product.madd(scale, moved);
        }
      }
    }
  });
}

/** How panels of a format are unpacked and multiplied. */
export function int8PanelParts(name: QuantizedName, suffix: string, shape: PanelShape): PanelParts {
  const format = quantizedFormats[name];
  return {
    label: `linear.${name}.panel${suffix}`,
    format: name,
    activations: ({ x, rows, columns }, panel) => roundedPanel(x, rows, columns, panel),
    tile: tileOf,
    shape,
    unpacking: {
      groupBytes: (machine) => (PANEL_COLUMNS / ACTIVATION_COLUMNS) * partLayout(machine, format).bytes,
      unpack: (k, from, i, to) => unpack(k, format, from, i, to),
    },
    multiply: (k, tile, sums) => multiply(k, format, tile, sums),
  };
}

const each = (suffix: string, shape: PanelShape) =>
  Object.fromEntries(
    (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [
      name,
      panelKernel(int8PanelParts(name, suffix, shape)),
    ]),
  ) as Record<QuantizedName, PanelKernel>;

/** out = f(x Wᵀ + bias) + residual. */
export const int8PanelKernels = byActivation((activation, suffix) => each(suffix, plain(activation)));

/** out = f(x Wᵀ) * (x Vᵀ), rounded to int8 blocks; `outer` is a multiple of 32. */
export const gatedInt8PanelKernels = Object.fromEntries(
  (Object.keys(unary) as ActivationName[]).map((name) => [name, each(`.${name}`, gated(name, "int8"))]),
) as Record<ActivationName, Record<QuantizedName, PanelKernel>>;
