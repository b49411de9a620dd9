// y = x Wᵀ + b with f32 activations and packed float weights: 16 rows of weights interleaved, so that one column of a
// group lies in one place. Every output is one chain of products and sums over the columns in order, whatever the tile:
// a row's bytes do not depend on the rows beside it.
import { type Floats, type Int, defineKernel, loadBf16, loadF16 } from "../../../lanes/index.ts";
import { GROUP_ROWS } from "../packed-layouts.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type LinearKernel, groupCount, linearWords, storeOutputs } from "./outputs.ts";

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

/** Activation rows that share one load of the weights in the prompt class: 4 x 2 registers of sums. */
const PROMPT_ROWS = 4;
const PROMPT_REGISTERS = 2;

/** A part is a share of the groups of 16 outputs; rows go in tiles of `tileRows`, what is left of them one by one. */
function linear(name: FloatFormatName, phase: "decode" | "prompt"): LinearKernel {
  const { bytes, load }: FloatFormat = floatFormats[name];
  return defineKernel(`linear.${name}.${phase}`, linearWords, (k, w) => {
    const registers = GROUP_ROWS / k.lanes;
    const rowBytes = w.columns.mul(FLOAT_BYTES);

    const tile = (row: Int, rows: number, group: Int, from: number, count: number): void => {
      const x = w.x.add(row.mul(rowBytes));
      const weight = w.weight.add(group.mul(w.columns).mul(GROUP_ROWS * bytes));
      const sums = Array.from({ length: rows }, () => k.variables(count, k.floats(0)));
      k.range(0, w.columns, 1, (column) => {
        const at = weight.add(column.mul(GROUP_ROWS * bytes));
        const loaded = Array.from({ length: count }, (_, n) => load(at, (from + n) * k.lanes * bytes));
        for (const [r, chain] of sums.entries()) {
          const value = x.add(rowBytes.mul(r)).add(column.mul(FLOAT_BYTES)).splatFloats();
          for (const [n, sum] of chain.entries()) sum.value = value.madd(loaded[n], sum.value);
        }
      });
      for (const [r, chain] of sums.entries()) {
        for (const [n, sum] of chain.entries()) {
          storeOutputs(k, w, row.add(r), group.mul(GROUP_ROWS).add((from + n) * k.lanes), sum.value);
        }
      }
    };

    k.share(groupCount(w), (first, end) => {
      k.range(first, end, 1, (group) => {
        const tiled = phase === "prompt" ? w.rows.sub(w.rows.rem(PROMPT_ROWS)) : k.int(0);
        if (phase === "prompt") {
          const step = Math.min(PROMPT_REGISTERS, registers);
          k.range(0, tiled, PROMPT_ROWS, (row) => {
            for (let from = 0; from < registers; from += step) tile(row, PROMPT_ROWS, group, from, step);
          });
        }
        k.range(tiled, w.rows, 1, (row) => tile(row, 1, group, 0, registers));
      });
    });
  });
}

export const floatKernels = {
  f32: { decode: linear("f32", "decode"), prompt: linear("f32", "prompt") },
  f16: { decode: linear("f16", "decode"), prompt: linear("f16", "prompt") },
  bf16: { decode: linear("bf16", "decode"), prompt: linear("bf16", "prompt") },
} as const;
