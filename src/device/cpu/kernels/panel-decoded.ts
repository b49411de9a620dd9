// y = x Wᵀ with f32 activations, prompt class: a panel (panels.ts) holds weights decoded to f32 as the format's plain
// decoder does it: what precision "f32" runs for quantized weights, and float ones run. Every output is one chain of
// products and sums over the columns in order. Decode class: core-decoded.ts, core-float.ts.
import type { Int, KernelBuilder, Machine } from "../../../lanes/index.ts";
import type { ActivationName } from "../../../graph/index.ts";
import { GROUP_ROWS, type PackedFormat, layouts } from "../packed-layouts.ts";
import { unary } from "./elementwise.ts";
import { byActivation } from "./gemm-outputs.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { decodeBlock } from "./packed-blocks.ts";
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
import { PANEL_COLUMNS } from "./rounded-panels.ts";

/** Columns that one turn of the inner loop takes. */
const TURN = 4;

/** Rows and registers whose sums, with a column of weights and one activation, fill the registers that there are. */
const tileOf = ({ registers }: Machine): TileSize =>
  registers === 32 ? { rows: 12, registers: 2, sums: "registers" } : { rows: 6, registers: 2, sums: "registers" };

function multiply(k: KernelBuilder, columns: Int, { rows, registers }: Tile, sums: TileSums): void {
  const turn = (column: Int, count: number): void => {
    const groups = new Map(registers.map(({ group }) => [group, group.add(column.mul(GROUP_BYTES))]));
    const xs = rows.map((row) => row.add(column.mul(FLOAT_BYTES)));
    for (let c = 0; c < count; c++) {
      const weights = registers.map(({ group, offset }) =>
        (groups.get(group) as Int).loadFloats(c * GROUP_BYTES + offset),
      );
      for (const [r, row] of sums.entries()) {
        const value = xs[r].splatFloats(c * FLOAT_BYTES);
        for (const [n, sum] of row.entries()) sum.value = value.madd(weights[n], sum.value);
      }
    }
  };
  const whole = columns.and(-TURN);
  k.range(0, whole, TURN, (column) => turn(column, TURN));
  k.range(whole, columns, 1, (column) => turn(column, 1));
}

const unpackingOf = (name: PackedFormat): PanelParts["unpacking"] => ({
  groupBytes: () => PANEL_COLUMNS * GROUP_BYTES,
  unpack(k, from, i, to) {
    k.range(0, GROUP_ROWS / k.lanes, 1, (register) => {
      const at = to.add(i.mul(layouts[name].columns * GROUP_BYTES)).add(register.mul(k.lanes * FLOAT_BYTES));
      decodeBlock(k, name, from, register, (column, weights) => at.store(weights, column * GROUP_BYTES));
    });
  },
});

/** How panels of a format are unpacked and multiplied. */
export function decodedPanelParts(name: PackedFormat, suffix: string, shape: PanelShape): PanelParts {
  const { columns } = layouts[name];
  return {
    label: `linear.${name}.f32.panel${suffix}`,
    format: name,
    activations: ({ x, columns }, panel) => ({
      first: x.add(panel.mul(PANEL_COLUMNS * FLOAT_BYTES)),
      rowBytes: columns.mul(FLOAT_BYTES),
    }),
    tile: tileOf,
    shape,
    ...(name !== "f32" && { unpacking: unpackingOf(name) }),
    multiply: (k, tile, sums) => multiply(k, tile.blocks.mul(columns), tile, sums),
  };
}

const each = (suffix: string, shape: PanelShape) =>
  Object.fromEntries(
    (Object.keys(layouts) as PackedFormat[]).map((name) => [name, panelKernel(decodedPanelParts(name, suffix, shape))]),
  ) as Record<PackedFormat, PanelKernel>;

/** out = f(x Wᵀ + bias) + residual. */
export const decodedPanelKernels = byActivation((activation, suffix) => each(suffix, plain(activation)));

/** out = f(x Wᵀ) * (x Vᵀ), f32; `outer` is a multiple of 32. */
export const gatedDecodedPanelKernels = Object.fromEntries(
  (Object.keys(unary) as ActivationName[]).map((name) => [name, each(`.${name}`, gated(name, "f32"))]),
) as Record<ActivationName, Record<PackedFormat, PanelKernel>>;
