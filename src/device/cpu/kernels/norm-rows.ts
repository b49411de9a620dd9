// Whole rows between two matrix products in one step: RMSNorm of what came, a residual added, RMSNorm for what comes next,
// as f32, as int8 blocks, or both; any of these may be missing. The same operations in the same order as the kernels that
// do one of them (norm.ts, elementwise.ts, quantize.ts), so the bytes are theirs. A part is a share of the rows.
import { getOrMake } from "../../../base/collections.ts";
import { type Int, type Kernel, defineKernel } from "../../../lanes/index.ts";
import { FLOAT_BYTES, mapFloats } from "./loops.ts";
import { rmsFactor } from "./norm.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, quantizeBlock } from "./quantize.ts";

export interface NormRows {
  /** Whether x is normalised first: words gain0, epsilon0. */
  readonly before: boolean;
  /** Whether rows are added: words other, and sum, where it is kept. */
  readonly add: boolean;
  /** Whether the result is normalised: words gain, epsilon, and what the next two say. */
  readonly after: boolean;
  /** Where it is kept as f32: word out; as int8 blocks: word rounded. */
  readonly floats: boolean;
  readonly rounded: boolean;
}

/** Scratch: 64 bytes for tails, then a row that is kept nowhere else. */
const ROW = 64;
/** Scratch bytes for rows of so many columns. */
export const normRowsScratch = (columns: number): number => ROW + columns * FLOAT_BYTES;

const kernels = new Map<string, Kernel>();

/** The kernel, one for each combination; `size` is the columns of a row. */
export function normRowsKernel(what: NormRows): Kernel {
  const names = Object.entries(what).flatMap(([name, is]) => (is === true ? [name] : []));
  const label = `normRows.${names.join(".")}`;
  return getOrMake(kernels, label, () => make(label, what));
}

function make(label: string, { before, add, after, floats, rounded }: NormRows): Kernel {
  const words = ["x", "rows", "size"];
  if (before) words.push("gain0", "epsilon0");
  if (add) words.push("other", "sum");
  if (after) words.push("gain", "epsilon");
  if (floats) words.push("out");
  if (rounded) words.push("rounded");
  return defineKernel(label, words, (k, w: Readonly<Record<string, Int>>) => {
    const bytes = w.size.mul(FLOAT_BYTES);
    const at = (base: Int, i: Int) => base.add(i.mul(FLOAT_BYTES)).loadFloats();
    k.share(w.rows, (first, end) => {
      k.range(first, end, 1, (row) => {
        const rowOf = (base: Int): Int => base.add(row.mul(bytes));
        let from = rowOf(w.x);
        if (add) {
          const [x, other] = [from, rowOf(w.other)];
          const factor = before ? rmsFactor(k, x, w.size, w.epsilon0) : undefined;
          from = rowOf(w.sum);
          mapFloats(k, k.int(0), w.size, from, (i) => {
            const value = factor === undefined ? at(x, i) : at(x, i).mul(factor).mul(at(w.gain0, i));
            return at(other, i).add(value);
          });
        }
        if (!after) return;
        const factor = rmsFactor(k, from, w.size, w.epsilon);
        const to = floats ? rowOf(w.out) : k.scratch.add(ROW);
        mapFloats(k, k.int(0), w.size, to, (i) => at(from, i).mul(factor).mul(at(w.gain, i)));
        if (!rounded) return;
        const blocks = w.size.div(ACTIVATION_COLUMNS);
        const out = w.rounded.add(row.mul(blocks).mul(ACTIVATION_BYTES));
        k.range(0, blocks, 1, (block) => {
          quantizeBlock(k, to.add(block.mul(ACTIVATION_COLUMNS * FLOAT_BYTES)), out.add(block.mul(ACTIVATION_BYTES)));
        });
      });
    });
  });
}
