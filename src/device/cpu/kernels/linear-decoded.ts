// y = x Wᵀ + b with f32 activations and weights decoded to f32 as the format's plain decoder does it: what precision "f32"
// runs for quantized weights, and prompts for float ones. Decode class: each block in registers; prompt class: a panel
// (panels.ts) holds the decoded weights. Every output is one chain of products and sums over the columns in order, in both.
import { type Floats, type Int, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, type PackedFormat, groupBlockBytes, layouts } from "../packed-layouts.ts";
import { QUAD, type QuantizedName, decodeQuad, quantizedFormats } from "./blocks.ts";
import { floatFormats, isFloatFormat } from "./linear-float.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type LinearKernel, groupCount, linearWords, storeOutputs } from "./outputs.ts";
import { GROUP_BYTES, PANEL, type Tile, type TileSums, panelKernel } from "./panels.ts";

/** Calls `use` with each column's weights of W rows of the block at `at`: `register` is which W of the 16 rows. */
function decodeBlock(
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
  const block = format.open(k, at.add(register.mul(k.lanes * FLOAT_BYTES)));
  for (let t = 0; t < format.columns / QUAD; t++) {
    decodeQuad(format, block, t).forEach((weights, i) => use(t * QUAD + i, weights));
  }
}

function decodeClass(name: QuantizedName): LinearKernel {
  const { columns } = layouts[name];
  return defineKernel(`linear.${name}.f32`, linearWords, (k, w) => {
    const blocks = w.columns.div(columns);
    k.share(groupCount(w), (first, end) => {
      k.range(first, end, 1, (group) => {
        const weight = w.weight.add(group.mul(blocks).mul(groupBlockBytes(name)));
        k.range(0, w.rows, 1, (row) => {
          k.range(0, GROUP_ROWS / k.lanes, 1, (register) => {
            const sum = k.variable(k.floats(0));
            k.range(0, blocks, 1, (block) => {
              const x = w.x.add(row.mul(w.columns).add(block.mul(columns)).mul(FLOAT_BYTES));
              const at = weight.add(block.mul(groupBlockBytes(name)));
              decodeBlock(k, name, at, register, (column, weights) => {
                sum.value = x.splatFloats(column * FLOAT_BYTES).madd(weights, sum.value);
              });
            });
            storeOutputs(k, w, row, group.mul(GROUP_ROWS).add(register.mul(k.lanes)), sum.value);
          });
        });
      });
    });
  });
}

/** Columns that one turn of the inner loop takes. */
const TURN = 4;

function multiply(k: KernelBuilder, columns: Int, { rows, registers }: Tile, sums: TileSums): void {
  const turn = (column: Int, count: number): void => {
    const at = k.scratch.add(column.mul(GROUP_BYTES));
    const xs = rows.map((row) => row.add(column.mul(FLOAT_BYTES)));
    for (let c = 0; c < count; c++) {
      const weights = registers.map((register) => at.loadFloats(PANEL + c * GROUP_BYTES + register));
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

function promptClass(name: PackedFormat): LinearKernel {
  const { columns } = layouts[name];
  return panelKernel({
    label: `linear.${name}.f32.panel`,
    format: name,
    columnBytes: FLOAT_BYTES,
    unpack(k, from, i) {
      k.range(0, GROUP_ROWS / k.lanes, 1, (register) => {
        const to = k.scratch.add(i.mul(columns * GROUP_BYTES)).add(register.mul(k.lanes * FLOAT_BYTES));
        decodeBlock(k, name, from, register, (column, weights) => to.store(weights, PANEL + column * GROUP_BYTES));
      });
    },
    multiply: (k, tile, sums) => multiply(k, tile.blocks.mul(columns), tile, sums),
  });
}

/** Decode class; float formats have kernels of their own (linear-float.ts). */
export const decodedKernels = Object.fromEntries(
  (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, decodeClass(name)]),
) as Record<QuantizedName, LinearKernel>;

/** Prompt class. */
export const decodedPanelKernels = Object.fromEntries(
  (Object.keys(layouts) as PackedFormat[]).map((name) => [name, promptClass(name)]),
) as Record<PackedFormat, LinearKernel>;
