// Products of f32 activations and packed float weights, decode class: 16 rows of weights interleaved, so that one column
// of a group lies in one place. Every output is two sums over the columns in order, of the even and the odd ones.
import type { Int } from "../../../lanes/index.ts";
import { GROUP_ROWS } from "../packed-layouts.ts";
import { type Core, tilesOf } from "./core.ts";
import { FLOAT_BYTES, LINE_BYTES } from "./loops.ts";
import { type FloatFormatName, floatFormats } from "./packed-blocks.ts";

/** Sums side by side, so that none waits for the last product. */
const CHAINS = 2;
/** Columns of one turn of the inner loop. */
const TURN = 8;
/** How far ahead of the loads memory is asked for; bench/decode.ts, from memory. */
const PREFETCH_BYTES = 3072;

function core(name: FloatFormatName): Core {
  const { bytes, load } = floatFormats[name];
  const columnBytes = GROUP_ROWS * bytes;
  return {
    label: name,
    format: name,
    rowBytes: (columns) => columns.mul(FLOAT_BYTES),
    tiles: tilesOf,
    multiply(k, weight, first, rows, columns, registers) {
      const sums = rows.map(() => Array.from({ length: CHAINS }, () => k.variables(registers, k.floats(0))));
      const group = weight.add(first.mul(k.lanes * bytes));
      const turn = (column: Int, count: number): void => {
        const at = group.add(column.mul(columnBytes));
        if (count > 1) {
          for (let line = 0; line < count * columnBytes; line += LINE_BYTES) at.prefetch(PREFETCH_BYTES + line);
        }
        const xs = rows.map((row) => row.add(column.mul(FLOAT_BYTES)));
        for (let c = 0; c < count; c++) {
          for (let n = 0; n < registers; n++) {
            const weights = load(at, c * columnBytes + n * k.lanes * bytes);
            for (const [r, x] of xs.entries()) {
              const sum = sums[r][c % CHAINS][n];
              sum.value = x.splatFloats(c * FLOAT_BYTES).madd(weights, sum.value);
            }
          }
        }
      };
      const whole = columns.and(-TURN);
      k.range(0, whole, TURN, (column) => turn(column, TURN));
      k.range(whole, columns, 1, (column) => turn(column, 1));
      return sums.map(([even, odd]) => even.map((sum, n) => sum.value.add(odd[n].value)));
    },
  };
}

export const floatCores: Readonly<Record<FloatFormatName, Core>> = {
  f32: core("f32"),
  f16: core("f16"),
  bf16: core("bf16"),
};
