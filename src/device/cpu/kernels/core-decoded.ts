// Products of f32 activations and quantized weights that are decoded to f32 as the format's plain decoder does it, decode
// class: what precision "f32" runs. Every output is one chain of products and sums over the columns in order.
// Not here: float weights (core-float.ts), the prompt class (panel-decoded.ts).
import { groupBlockBytes } from "../packed-layouts.ts";
import { QUAD, type QuantizedName, decodeQuad, quantizedFormats } from "./blocks.ts";
import type { Core } from "./core.ts";
import { FLOAT_BYTES } from "./loops.ts";

function core(name: QuantizedName): Core {
  const format = quantizedFormats[name];
  return {
    label: `${name}.f32`,
    format: name,
    rowBytes: (columns) => columns.mul(FLOAT_BYTES),
    tiles: ({ registers }) => [{ rows: registers / 8, registers: 1 }],
    multiply(k, weight, first, rows, columns, registers) {
      const sums = rows.map(() => k.variables(registers, k.floats(0)));
      const before = first.mul(k.lanes);
      const at = k.variable(weight.add(before.mul(FLOAT_BYTES)));
      k.range(0, columns.mul(FLOAT_BYTES), format.columns * FLOAT_BYTES, (from) => {
        const xs = rows.map((row) => row.add(from));
        for (let n = 0; n < registers; n++) {
          const block = format.open(k, at.value, before.add(n * k.lanes), n * k.lanes * FLOAT_BYTES);
          for (let t = 0; t < format.columns / QUAD; t++) {
            for (const [i, weights] of decodeQuad(format, block, t).entries()) {
              for (const [r, x] of xs.entries()) {
                const sum = sums[r][n];
                sum.value = x.splatFloats((t * QUAD + i) * FLOAT_BYTES).madd(weights, sum.value);
              }
            }
          }
        }
        at.value = at.value.add(groupBlockBytes(name));
      });
      return sums.map((row) => row.map((sum) => sum.value));
    },
  };
}

export const decodedCores = Object.fromEntries(
  (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, core(name)]),
) as Record<QuantizedName, Core>;
