// y = x Wᵀ + b with f32 activations and quantized weights: each block is decoded in registers as the format's plain
// decoder does it. What precision "f32" runs: exact in the weights, not made for speed.
import { type Floats, type Int, defineKernel } from "../../../lanes/index.ts";
import { GROUP_ROWS, groupBlockBytes } from "../packed-layouts.ts";
import { QUAD, type QuantizedName, decodeQuad, quantizedFormats } from "./blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type LinearKernel, groupCount, linearWords, storeOutputs } from "./outputs.ts";

/** Activation rows that share the decoding of a block. */
const ROWS = 4;

function linear(name: QuantizedName): LinearKernel {
  const format = quantizedFormats[name];
  return defineKernel(`linear.${name}.f32`, linearWords, (k, w) => {
    const rowBytes = w.columns.mul(FLOAT_BYTES);
    const blocks = w.columns.div(format.columns);

    const tile = (row: Int, rows: number, group: Int, register: Int): void => {
      const sums = k.variables(rows, k.floats(0));
      k.range(0, blocks, 1, (block) => {
        const base = w.weight.add(group.mul(blocks).add(block).mul(groupBlockBytes(name)));
        const open = format.open(k, base.add(register.mul(k.lanes * FLOAT_BYTES)));
        const x = w.x.add(row.mul(rowBytes)).add(block.mul(format.columns * FLOAT_BYTES));
        for (let t = 0; t < format.columns / QUAD; t++) {
          decodeQuad(format, open, t).forEach((weights: Floats, i) => {
            for (const [r, sum] of sums.entries()) {
              const value = x.add(rowBytes.mul(r)).splatFloats((t * QUAD + i) * FLOAT_BYTES);
              sum.value = value.madd(weights, sum.value);
            }
          });
        }
      });
      for (const [r, sum] of sums.entries()) {
        storeOutputs(k, w, row.add(r), group.mul(GROUP_ROWS).add(register.mul(k.lanes)), sum.value);
      }
    };

    k.share(groupCount(w), (first, end) => {
      k.range(first, end, 1, (group) => {
        const tiled = w.rows.sub(w.rows.rem(ROWS));
        k.range(0, GROUP_ROWS / k.lanes, 1, (register) => {
          k.range(0, tiled, ROWS, (row) => tile(row, ROWS, group, register));
          k.range(tiled, w.rows, 1, (row) => tile(row, 1, group, register));
        });
      });
    });
  });
}

export const decodedKernels = Object.fromEntries(
  (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, linear(name)]),
) as Record<QuantizedName, LinearKernel>;
